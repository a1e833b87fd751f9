package trusthubsim

// dossier is what lies before a reviewer: a bundle and the profile that it is about, which is the
// bundle itself where that is a profile.
type dossier struct {
	cfg             *Config
	bundle, profile *bundle
}

// attributeOf is an attribute of the end user of a type on a bundle, "" where there is none.
func attributeOf(b *bundle, objectType, name string) string {
	if a := b.ofType(objectType); a != nil && a.endUser != nil {
		return attributeText(a.endUser.attributes, name)
	}
	return ""
}

func (d dossier) business(name string) string {
	return attributeOf(d.profile, businessInformation, name)
}

func (d dossier) product(objectType, name string) string {
	return attributeOf(d.bundle, objectType, name)
}

// representative is an attribute of the first or the second representative.
func (d dossier) representative(number int, name string) string {
	return attributeOf(d.profile, []string{representative1, representative2}[number-1], name)
}

// foreign says whether an e-mail address is there and in another domain than the website.
func (d dossier) foreign(email string) bool {
	return email != "" && !sameDomain(d.business("website_url"), email)
}

// addresses are those that the profile's document names and that exist.
func (d dossier) addresses() []*address {
	if a := d.profile.ofType(profileAddress); a != nil && a.document != nil {
		found, _ := a.document.addresses()
		return found
	}
	return nil
}

// anyAddress says whether one of the addresses is so.
func (d dossier) anyAddress(is func(*address) bool) bool {
	for _, a := range d.addresses() {
		if is(a) {
			return true
		}
	}
	return false
}

func inUSA(a *address) bool { return a.isoCountry == "US" }
