package plan

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
)

// advice is what is known of one of Twilio's codes: what it is about, and what to do about it.
type advice struct {
	code int
	// object and field narrow the advice to findings about that type of object, and that attribute;
	// "" is any. Twilio uses one code for several kinds of findings.
	object, field string
	// pointers are the parts of the request that it is about; nil leaves the object's, or that of
	// the step that met it.
	pointers    func(onboarding.Request) []string
	message     string
	responsible onboarding.Responsible // the customer if empty
	action      onboarding.Action      // to correct if empty
}

// at points at one part of every request.
func at(pointer string) func(onboarding.Request) []string {
	return func(onboarding.Request) []string { return []string{pointer} }
}

const (
	operator = onboarding.ResponsibleOperator
	resume   = onboarding.ActionResume
)

// codes is the one table from Twilio's codes to the request. Sources:
// https://www.twilio.com/docs/api/errors, the Trust Hub documents on rejected profiles and
// products, and, for the 2221x, evaluations as people have published them: those codes name kinds
// of findings, not objects.
var codes = []advice{
	// What reviewers reject a profile for.
	{code: 18601, pointers: at("/business/website_url"), message: "The reviewer could not connect the business name with the website. Give the website that names the business, or the name as the website has it."},
	{code: 18602, pointers: at("/business/business_registration_number"), message: "The registration number could not be verified. Give the number exactly as the authority issued it, and the business name exactly as registered under it. A number that was issued in the last weeks may not be in the authority's records yet: then hand the same data in again later."},
	{code: 18603, pointers: at("/address"), message: "The address could not be verified. Give the business's registered physical address, not a mailbox."},
	{code: 18604, pointers: representative(0), message: "The first authorized representative could not be verified. Correct the name, job position, e-mail and phone number."},
	{code: 18605, pointers: representative(1), message: "The second authorized representative could not be verified. Correct the name, job position, e-mail and phone number."},
	{code: 18606, pointers: foreignEmails, message: "The e-mail domain differs from the website's. Give an e-mail address at the business's own domain."},
	{code: 18609, pointers: at("/business/business_registration_identifier"), message: "This registration authority is not eligible. Give a registration with an authority that Twilio accepts; Voice Integrity and CNAM accept an EIN or DUNS only."},

	// What reviewers reject Voice Integrity, CNAM and branded calling for.
	{code: 11001, pointers: at("/business/website_url"), message: "Voice Integrity does not take the website's form. Give a URL that begins with https://."},
	{code: 11002, pointers: foreignPhones, message: "Voice Integrity needs a representative's phone number in the USA or Canada. Give one that begins with +1."},
	{code: 11003, pointers: at("/address/iso_country"), message: "Voice Integrity needs an address in the USA. Give one, or drop the product."},
	{code: 11004, pointers: at("/business/business_registration_number"), message: "The business registration could not be validated for Voice Integrity. Give the EIN or DUNS exactly as it was issued, or drop the product."},
	{code: 11005, message: "Voice Integrity waits for the approval of the business profile. It goes on once that is approved.", responsible: onboarding.ResponsibleTwilio, action: onboarding.ActionWaitUntil},
	{code: 11006, message: "CNAM waits for the approval of the business profile. It goes on once that is approved.", responsible: onboarding.ResponsibleTwilio, action: onboarding.ActionWaitUntil},
	{code: 11007, pointers: at("/cnam/cnam_display_name"), message: "The display name is not the business's. Give the business's name, or a usual short form of it."},
	{code: 11008, pointers: at("/cnam/cnam_display_name"), message: "The display name has words that carriers do not allow. Give the business's name without them."},
	{code: 11009, pointers: at("/cnam/cnam_display_name"), message: "The display name has not the form of a CNAM. Give at most 15 letters, digits, spaces, dots and commas, the first a letter."},
	{code: 11010, message: "The letter of authorization for branded calling is missing or not valid. Hand it in at Twilio.", responsible: operator, action: onboarding.ActionContactTwilio},
	{code: 11011, message: "The business was registered less than a year ago, which branded calling does not allow yet. Drop the product, or wait.", action: onboarding.ActionDropProduct},
	{code: 11012, message: "Branded calling was refused for this business. Ask Twilio's support, or drop the product.", responsible: operator, action: onboarding.ActionContactTwilio},
	{code: 11014, message: "Branded calling was refused for this business. Ask Twilio's support, or drop the product.", responsible: operator, action: onboarding.ActionContactTwilio},
	{code: 11017, message: "The display name for branded calling was refused. Ask Twilio's support, or drop the product.", responsible: operator, action: onboarding.ActionContactTwilio},
	{code: 11018, message: "The display name for branded calling was refused. Ask Twilio's support, or drop the product.", responsible: operator, action: onboarding.ActionContactTwilio},
	{code: 11022, message: "The business did not answer a request about branded calling. Ask Twilio's support how to answer it.", responsible: operator, action: onboarding.ActionContactTwilio},

	// What evaluations find.
	{code: 22214, object: "primary_customer_profile", message: missingPrimary, responsible: operator, action: resume},
	{code: 22216, object: "primary_customer_profile", message: missingPrimary, responsible: operator, action: resume},
	{code: 22214, message: "Twilio's evaluation misses this on the bundle. If the request has it, somebody may have taken it off: hand the same data in again, and it is put there anew.", action: onboarding.ActionResubmitUnchanged},
	{code: 22215, message: "Twilio's evaluation misses this, or does not take it as it is. Correct it."},
	{code: 22216, object: "customer_profile_address", message: "Twilio's evaluation misses the document of the address on the bundle. Hand the same data in again, and it is put there anew.", action: onboarding.ActionResubmitUnchanged},
	{code: 22216, message: "Twilio's evaluation misses a document or a bundle. Hand the same data in again, and it is put there anew.", action: onboarding.ActionResubmitUnchanged},
	{code: 22217, message: "Twilio's evaluation misses something in this object. Correct it."},
	{code: 22218, field: "phone_number", message: "Twilio does not take this as a phone number. Give a number that exists, in E.164."},
	{code: 22218, object: "customer_profile_address", message: "Twilio's evaluation finds that the address and the business do not match. Give both with the same name, as they are registered."},
	{code: 22218, message: "Twilio's evaluation does not take this value. Correct it."},
	{code: 22219, object: "customer_profile_address", message: "Twilio's evaluation misses the address. Correct it, or name one that the subaccount has."},
	{code: 22219, message: "Twilio's evaluation misses this. Correct it."},

	// What calls are refused for.
	{code: 10001, pointers: at("/subaccount_sid"), message: "The account is not active. Make it active at Twilio, then resume.", responsible: operator, action: resume},
	{code: 20003, message: "Twilio refused the credentials. Check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, and that the subaccount is active, then resume.", responsible: operator, action: resume},
	{code: 20005, pointers: at("/subaccount_sid"), message: "The account is not active. Make it active at Twilio, then resume.", responsible: operator, action: resume},
	{code: 20404, message: "Twilio does not have what this step builds on: somebody may have deleted it. Compare with what Twilio holds, then resume.", responsible: operator, action: resume},
	{code: 21402, message: "Twilio does not take the URL for its status callbacks. Correct PUBLIC_URL, then resume.", responsible: operator, action: resume},
	{code: 21628, pointers: at("/address"), message: "Twilio could not validate the address. Correct street, city, region and postal code."},
	{code: 21629, pointers: at("/address"), message: "Twilio knows this address in another form. Give it as the postal service writes it."},
	{code: 21630, pointers: at("/address"), message: "Twilio does not let this address be changed any more, because a verified document names it. Make another address in the subaccount and give its SID."},
	{code: 22205, message: "Twilio refuses to connect this object: it belongs to another account, or is of the wrong kind. Compare with what Twilio holds, then resume.", responsible: operator, action: resume},
}

const missingPrimary = "The bundle is not connected to the ISV's primary business profile, or that is not approved any more. Look at it in Twilio's Console, then resume."

// adviceFor returns the most exact advice for the code. A code that the table lacks is explained by
// the object alone.
func adviceFor(code int, o object, field string) advice {
	best, exactness := advice{message: unknownCode(o)}, -1
	for _, a := range codes {
		if a.code != code || a.object != "" && a.object != o.kind || a.field != "" && a.field != field {
			continue
		}
		exact := 0
		if a.object != "" {
			exact++
		}
		if a.field != "" {
			exact += 2
		}
		if exact > exactness {
			best, exactness = a, exact
		}
	}
	return best
}

// unknownCode says what can be said of a code that the table lacks.
func unknownCode(o object) string {
	if o.name == "" {
		return "Twilio refused this with a code that attestd does not know. Read what Twilio says about it, correct what it names, and hand the data in again."
	}
	return fmt.Sprintf("Twilio does not take %s as it is. Read what Twilio says about it, and correct it.", o.name)
}

// representative points at the i-th representative; at all of them in a request that has fewer.
func representative(i int) func(onboarding.Request) []string {
	return func(r onboarding.Request) []string {
		if i < len(r.AuthorizedRepresentatives) {
			return []string{representativePointer(i)}
		}
		return blame(r, "", func(onboarding.Representative) bool { return true })
	}
}

// foreignEmails points at the e-mail addresses that are not at the website's domain; at all of them
// where the request does not tell.
func foreignEmails(r onboarding.Request) []string {
	return blame(r, "/email", func(p onboarding.Representative) bool { return !isAtDomainOf(p.Email, r.Business.WebsiteURL) })
}

// foreignPhones points at the phone numbers that do not begin with +1; at all of them if all do.
func foreignPhones(r onboarding.Request) []string {
	return blame(r, "/phone_number", func(p onboarding.Representative) bool { return !strings.HasPrefix(p.PhoneNumber, "+1") })
}

// blame points at the member of each representative who is to blame, and at that of all if nobody
// is.
func blame(r onboarding.Request, member string, isToBlame func(onboarding.Representative) bool) []string {
	var some, all []string
	for i, p := range r.AuthorizedRepresentatives {
		pointer := representativePointer(i) + member
		all = append(all, pointer)
		if isToBlame(p) {
			some = append(some, pointer)
		}
	}
	switch {
	case len(some) > 0:
		return some
	case len(all) > 0:
		return all
	default:
		return []string{"/authorized_representatives"}
	}
}

func representativePointer(i int) string { return fmt.Sprintf("/authorized_representatives/%d", i) }

// isAtDomainOf tells whether the e-mail address is at the website's domain, or at one below or
// above.
func isAtDomainOf(email, website string) bool {
	_, domain, ok := strings.Cut(email, "@")
	u, err := url.Parse(website)
	if !ok || err != nil {
		return false
	}
	host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	domain = strings.ToLower(domain)
	return host != "" && (domain == host || strings.HasSuffix(domain, "."+host) || strings.HasSuffix(host, "."+domain))
}
