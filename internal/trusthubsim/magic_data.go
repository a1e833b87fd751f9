package trusthubsim

import (
	"fmt"
	"strings"
)

// Magic is data that the simulator refuses or rejects, so that a client's ways out can be tried
// without the simulator's own paths.
type Magic struct {
	// Field is where the value stands: an object's type and its attribute, or a parameter.
	Field string `json:"field"`
	// Value is what it holds, in words.
	Value string `json:"value"`
	// Gives is what comes of it.
	Gives string `json:"gives"`
	// When is one of the moments below.
	When string `json:"when"`
}

// The moments at which data is refused or rejected.
const (
	atRequest    = "when it is sent"
	atEvaluation = "at the evaluation"
	atCheck      = "by a check after the submission"
	atReview     = "at the review"
)

// MagicData is all of it, in the order in which a client meets it.
func MagicData() []Magic {
	all := append([]Magic{}, requestMagic...)
	all = append(all, evaluationMagic...)
	all = append(all, checkMagic...)
	for _, rules := range []struct {
		of    string
		rules []reviewRule
	}{{"profile", profileRules}, {"Voice Integrity", voiceIntegrityRules}, {"CNAM", cnamRules}} {
		for _, r := range rules.rules {
			all = append(all, Magic{r.place(), r.value, fmt.Sprintf("%s: %d", rules.of, r.code), atReview})
		}
	}
	return append(all, tagMagic...)
}

// place is where a rule looks.
func (r reviewRule) place() string {
	if r.object == "" {
		return "`Email` of the bundle"
	}
	return "`" + r.object + "." + r.field + "`"
}

// requestMagic is what the simulator refuses, or does, when it is sent.
var requestMagic = []Magic{
	{"`Addresses.Street`", "contains `Unknown`", "400, 21629", atRequest},
	{"`Addresses.PostalCode`", "not of the form of the country: US, CA, AT, AU, BR, DE, ES, FR, GB, IE, IT, LU, MX, NL, PL", "400, 21628", atRequest},
	{"`Addresses.IsoCountry`", "a code that ISO 3166 does not have, such as `UK`", "400, 20422", atRequest},
	{"`IncomingPhoneNumbers.PhoneNumber` or `AreaCode`", "area code `" + codeWithoutVoice + "`", "a number without the capability `voice`", atRequest},
	{
		"`IncomingPhoneNumbers.PhoneNumber` or `AreaCode`", "area code `" + codeOnParents + "`",
		"a number that sits on the parent's primary profile: 409 on every other, naming a bundle that the subaccount cannot read", atRequest,
	},
	{
		"`ChannelEndpointSid`", "a toll-free number (" + strings.ReplaceAll(strings.TrimSpace(tollFreeCodes), " ", ", ") + ") on a CNAM product, or one outside the USA",
		"400, 70002 (switch `unfit_numbers`)", atRequest,
	},
	{"`ChannelEndpointSid`", "a number outside the USA on a Voice Integrity product, outside +1 on a SHAKEN/STIR one", "400, 70002 (switch `unfit_numbers`)", atRequest},
}

// evaluationMagic is what evaluations find beyond what is missing.
var evaluationMagic = []Magic{
	{"attributes with a fixed choice", "none of the accepted values", "22218 (switches `invalid_field_code`, `guide_lists`)", atEvaluation},
	{"representatives' `phone_number`", "not E.164, or +1 and not a possible number", "22218, \"Phone number is invalid.\"", atEvaluation},
	{"`voice_integrity_information.use_case`", "not in the list below", "22218 (switch `any_use_case`)", atEvaluation},
	{"the counts of `voice_integrity_information`", "not a positive whole number", "22218 (switch `count_ranges`)", atEvaluation},
	{"`business_registration_number`", "not 9 digits, with `EIN` or `DUNS`", "22218", atEvaluation},
	{"the primary profile", "not on the bundle", "22216, \"Primary customer profile bundle is null\" (switch `missing_primary_code`)", atEvaluation},
}

// checkMagic is what the checks after a submission find.
var checkMagic = []Magic{
	{"e-mail address of the profile or a representative", "domain with an empty label, `_`, or `-` at an end", emailSyntax, atCheck},
	{"e-mail address", "domain ends in `.invalid`", emailUnknown, atCheck},
	{"e-mail address", "at " + strings.Join(disposable, ", "), emailDisposable, atCheck},
	{"e-mail address", "`undeliverable@…`", emailInvalid, atCheck},
	{"address in US or CA: `Street`", "contains `Nowhere`", addressNowhere, atCheck},
	{"address in US or CA: `Region`", "no state or province", "Invalid Region, with a suggestion", atCheck},
	{"address in US or CA: `PostalCode`", "of another state or province", "Invalid Postal Code, with a suggestion", atCheck},
	{"address in US or CA: `Street`", "begins with `10000 `", "Invalid House Number", atCheck},
	{"address in US or CA: `Street`", "ends in ` Str`", "Invalid Street, with a suggestion", atCheck},
	{"address in US or CA: `City`", "`Bostun`", "Invalid Locality, with a suggestion", atCheck},
}

// tagMagic is what a bundle's Email asks for.
var tagMagic = []Magic{
	{"`Email` of the bundle", "`name+reject-CODE@…`, any five digits", "a rejection with that code, until the Email is changed", atReview},
	{"`Email` of the bundle", "`name+reject-profile-CODE@…`, `name+reject-product-CODE@…`", "the same, of profiles or of products alone", atReview},
	{"`Email` of the bundle", "one of these with `-callback` or `-evaluation` before the `@`", "the reason comes only there, whatever `rejection_reason` says", atReview},
}
