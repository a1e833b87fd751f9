package api

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/attestd/attestd/internal/onboarding"
)

// findings are the faults of a request, and warnings of what the reviewers of Twilio are likely to
// reject.
type findings struct {
	faults   []Fault
	warnings []Warning
}

func (f *findings) fault(pointer, code, detail string) {
	f.faults = append(f.faults, Fault{Pointer: pointer, Code: code, Detail: detail})
}

func (f *findings) warn(pointer, code, detail string) {
	f.warnings = append(f.warnings, Warning{Pointer: pointer, Code: code, Detail: detail})
}

// check applies the rules that the contract cannot express. It also writes r in the form that
// Twilio is sent: SIDs in lower case, an EIN without its dash, countries and states in capitals.
//
// The contract checks whether a member is present, how long it is, and the values of enumerations.
// A member with such a fault may be empty in r. So these rules pass over an empty member, unless
// the contract cannot tell whether it is needed.
func check(r *onboarding.Request, defaultPrimaryProfileSID string) findings {
	var f findings
	checkText(&f, r)
	checkAccounts(&f, r, defaultPrimaryProfileSID)
	checkBusiness(&f, &r.Business)
	checkAddress(&f, &r.Address)
	checkRepresentatives(&f, r.AuthorizedRepresentatives)
	checkNumbers(&f, r.PhoneNumbers)
	checkProducts(&f, r)
	checkTakenOver(&f, r)
	warnOfDomains(&f, r)
	warnOfCountry(&f, r)
	return f
}

// checkAccounts checks the SIDs and the mailbox of the ISV.
func checkAccounts(f *findings, r *onboarding.Request, defaultPrimaryProfileSID string) {
	r.SubaccountSID = lowerSID(r.SubaccountSID)
	switch {
	case r.SubaccountSID == "" && r.Subaccount == nil:
		f.fault("/subaccount_sid", "required", "Name the customer's subaccount, or send subaccount to have one made.")
	case r.SubaccountSID != "" && r.Subaccount != nil:
		f.fault("/subaccount", "exclusive", "Send either subaccount_sid or subaccount.")
	}
	if r.PrimaryProfileSID == "" {
		r.PrimaryProfileSID = defaultPrimaryProfileSID
	}
	if r.PrimaryProfileSID == "" {
		f.fault("/primary_profile_sid", "required",
			"Name your approved primary business profile (BU…): this server is configured with none that could stand in for it.")
	}
	r.PrimaryProfileSID = lowerSID(r.PrimaryProfileSID)
	checkEmail(f, "/notification_email", r.NotificationEmail)
	for i, p := range r.AuthorizedRepresentatives {
		if r.NotificationEmail != "" && strings.EqualFold(p.Email, r.NotificationEmail) {
			f.warn("/notification_email", "notification_email", fmt.Sprintf(
				"This is also the e-mail address of authorized_representatives/%d. Twilio means a mailbox of yours here, not the customer's.", i))
			return
		}
	}
}

// checkText refuses control characters. They come from copying, and the reviewers of Twilio would
// see garbage.
func checkText(f *findings, r *onboarding.Request) {
	for _, t := range texts(r) {
		if strings.ContainsFunc(t.value, isUnfit) {
			f.fault(t.pointer, "control_character", "This has a line break, tab or other character that cannot be shown. Take it out.")
		}
	}
}

// isUnfit finds control characters, separators of lines and paragraphs, and the replacement for
// text that could not be decoded.
func isUnfit(c rune) bool {
	return unicode.IsControl(c) || c == '\u2028' || c == '\u2029' || c == unicode.ReplacementChar
}

type text struct{ pointer, value string }

// texts lists the texts of a request for which the contract has neither a pattern nor an
// enumeration.
func texts(r *onboarding.Request) []text {
	all := []text{
		{"/external_id", r.ExternalID},
		{"/notification_email", r.NotificationEmail},
		{"/business/business_name", r.Business.Name},
		{"/business/business_registration_number", r.Business.RegistrationNumber},
		{"/business/business_regions_of_operation", r.Business.RegionsOfOperation},
		{"/business/website_url", r.Business.WebsiteURL},
		{"/business/social_media_profile_urls", r.Business.SocialMediaProfileURLs},
		{"/address/customer_name", r.Address.CustomerName},
		{"/address/street", r.Address.Street},
		{"/address/street_secondary", r.Address.StreetSecondary},
		{"/address/city", r.Address.City},
		{"/address/region", r.Address.Region},
		{"/address/postal_code", r.Address.PostalCode},
		{"/address/iso_country", r.Address.ISOCountry},
		{"/voice_integrity/use_case", r.VoiceIntegrity.UseCase},
		{"/voice_integrity/business_employee_count", r.VoiceIntegrity.BusinessEmployeeCount},
		{"/voice_integrity/average_business_day_call_volume", r.VoiceIntegrity.AverageBusinessDayCallVolume},
		{"/voice_integrity/notes", r.VoiceIntegrity.Notes},
	}
	if r.Subaccount != nil {
		all = append(all, text{"/subaccount/friendly_name", r.Subaccount.FriendlyName})
	}
	for i, p := range r.AuthorizedRepresentatives {
		at := representativePointer(i)
		all = append(all,
			text{at + "/first_name", p.FirstName},
			text{at + "/last_name", p.LastName},
			text{at + "/email", p.Email},
			text{at + "/phone_number", p.PhoneNumber},
			text{at + "/business_title", p.BusinessTitle},
		)
	}
	return all
}

var sidForm = regexp.MustCompile(`^[A-Z]{2}[0-9a-fA-F]{32}$`)

// isSID tells whether s is a SID with this prefix.
func isSID(prefix, s string) bool {
	return strings.HasPrefix(s, prefix) && sidForm.MatchString(s)
}

// lowerSID writes the hex digits of a SID in lower case, as Twilio does, so that equal SIDs are
// equal texts. Any other text stays as it is.
func lowerSID(s string) string {
	if !sidForm.MatchString(s) {
		return s
	}
	return s[:2] + strings.ToLower(s[2:])
}
