package api

import (
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"github.com/attestd/attestd/internal/onboarding"
)

var e164Form = regexp.MustCompile(`^\+[1-9][0-9]{1,14}$`)

func representativePointer(i int) string { return fmt.Sprintf("/authorized_representatives/%d", i) }

func checkRepresentatives(f *findings, people []onboarding.Representative) {
	for i, p := range people {
		at := representativePointer(i)
		checkEmail(f, at+"/email", p.Email)
		checkPersonalNumber(f, at+"/phone_number", p.PhoneNumber)
		warnIfUnusual(f, at+"/job_position", "job_position", p.JobPosition)
	}
	if len(people) == 2 {
		checkTwoPeople(f, people[0], people[1])
	}
}

// checkTwoPeople refuses one person given twice, and warns if two share a mailbox, by which Twilio
// verifies each.
func checkTwoPeople(f *findings, a, b onboarding.Representative) {
	if a.Email == "" || !strings.EqualFold(a.Email, b.Email) {
		return
	}
	at := representativePointer(1)
	if strings.EqualFold(a.FirstName, b.FirstName) && strings.EqualFold(a.LastName, b.LastName) {
		f.fault(at, "duplicate", "This is the same person as /authorized_representatives/0. Name another, or leave the second out.")
		return
	}
	f.warn(at+"/email", "same_email", "Both representatives have this e-mail address. Twilio verifies each of them by their own.")
}

// checkEmail takes a bare address, such as first@example.com, in a domain with a dot.
func checkEmail(f *findings, pointer, s string) {
	if s == "" {
		return
	}
	parsed, err := mail.ParseAddress(s)
	if err != nil || parsed.Address != s || !isPublicHost(emailDomain(s)) {
		f.fault(pointer, "format", "Give an e-mail address and nothing else, such as first@example.com.")
	}
}

// checkPersonalNumber takes a number in E.164 with an area code and a length that its country has.
func checkPersonalNumber(f *findings, pointer, s string) {
	if s == "" {
		return
	}
	if !e164Form.MatchString(s) {
		f.fault(pointer, "format", "Write the number in E.164: a plus sign, the country code and the number, digits only, such as +12025550143.")
		return
	}
	number, err := phonenumbers.Parse(s, "")
	if err != nil || !phonenumbers.IsValidNumber(number) {
		f.fault(pointer, "format", "No such number can exist in that country. Check its country code, area code and length.")
	}
}

// warnOfDomains warns if the e-mail of a representative is in another domain than the website:
// Twilio rejects the profile with 18606.
func warnOfDomains(f *findings, r *onboarding.Request) {
	website, err := url.Parse(r.Business.WebsiteURL)
	if err != nil || website.Hostname() == "" {
		return
	}
	for i, p := range r.AuthorizedRepresentatives {
		domain := emailDomain(p.Email)
		if domain != "" && baseDomain(domain) != baseDomain(website.Hostname()) {
			f.warn(representativePointer(i)+"/email", "email_domain",
				"This is in another domain than website_url. Twilio's reviewers reject that (18606); use an address in the website's domain.")
		}
	}
}

func emailDomain(s string) string {
	return s[strings.LastIndexByte(s, '@')+1:]
}

// baseDomain returns the domain that a business registers: example.com of www.example.com,
// example.co.uk of mail.example.co.uk. It judges by the length of the last two labels, and not by a
// list of all registries, because only a warning depends on it.
func baseDomain(host string) string {
	labels := strings.Split(strings.ToLower(strings.TrimSuffix(host, ".")), ".")
	keep := 2
	if n := len(labels); n > 2 && len(labels[n-1]) == 2 && len(labels[n-2]) <= 3 {
		keep = 3
	}
	return strings.Join(labels[max(0, len(labels)-keep):], ".")
}
