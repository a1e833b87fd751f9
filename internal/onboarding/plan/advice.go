package plan

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// advice is what is known of one of Twilio's error codes: the part of the request that it is about,
// and what to do about it.
type advice struct {
	pointer string
	message string
}

// codeAdvice is the one table from Twilio's codes to the request. A code that it lacks keeps
// Twilio's own text and the pointer of the step that met it. Sources:
// https://www.twilio.com/docs/api/errors and the Trust Hub documents on rejected profiles.
var codeAdvice = map[int]advice{
	18601: {"/business/website_url", "The reviewer could not connect the business name with the website. Give the website that names the business, or the name as the website has it."},
	18602: {"/business/business_registration_number", "The registration number could not be verified. Give the number exactly as the authority issued it, and the business name exactly as registered under it."},
	18603: {"/address", "The address could not be verified. Give the business's registered physical address, not a mailbox."},
	18604: {"/authorized_representatives/0", "The first authorized representative could not be verified. Correct the name, job position, e-mail and phone number."},
	18605: {"/authorized_representatives/1", "The second authorized representative could not be verified. Correct the name, job position, e-mail and phone number."},
	18606: {"/authorized_representatives/0/email", "The e-mail domain differs from the website's. Give an e-mail address at the business's own domain."},
	18609: {"/business/business_registration_identifier", "This registration authority is not eligible. Give a registration with an authority that Twilio accepts."},

	22214: {"", "Twilio's evaluation misses this on the bundle. Give it in the request; if the request has it, compare with what Twilio holds: somebody may have taken it off."},
	22215: {"", "Twilio's evaluation misses this, or does not take it as it is. Correct it in the request."},
	22216: {"", "Twilio's evaluation misses the document of the address on the bundle. Compare with what Twilio holds: somebody may have taken it off."},
	22217: {"", "Twilio's evaluation misses something in the document of the address. Correct the address in the request."},
	22218: {"", "Twilio's evaluation finds that the address and the business do not match. Give both with the same name, as they are registered."},
	22219: {"", "Twilio's evaluation misses the address. Correct it in the request, or name one that the subaccount has."},

	10001: {"/subaccount_sid", "The account is not active. Make it active at Twilio, then resume."},
	20003: {"", "Twilio refused the credentials. Check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, and that the subaccount is active, then resume."},
	20005: {"/subaccount_sid", "The account is not active. Make it active at Twilio, then resume."},
	20404: {"", "Twilio does not have what this step builds on: somebody may have deleted it. Compare with what Twilio holds."},
	21402: {"", "Twilio does not take the URL for its status callbacks. Correct PUBLIC_URL, then resume."},
	21628: {"/address", "Twilio could not validate the address. Correct street, city, region and postal code."},
	21629: {"/address", "Twilio knows this address in another form. Give it as the postal service writes it."},
	21630: {"/address", "Twilio does not let this address be changed any more, because a verified document names it. Make another address in the subaccount and give its SID."},
	22205: {"", "Twilio refuses to connect this object: it belongs to another account, or is of the wrong kind."},
}

// explain turns a refused call into what someone must do about it.
func explain(refusal onboarding.Refusal) onboarding.Requirement {
	e, role := refusal.Error, refusal.Role
	r := onboarding.Requirement{Pointer: role.Pointer, Code: strconv.Itoa(e.Code), Message: e.Message, Source: role.Source}
	if r.Source == "" {
		r.Source = onboarding.SourceTwilio
	}
	if e.Code == 0 {
		r.Code = "refused"
		if e.HTTPStatus != 0 {
			r.Code = fmt.Sprintf("http_%d", e.HTTPStatus)
		}
	}
	if known, ok := codeAdvice[e.Code]; ok {
		r.Message = known.message + said(e.Message)
		// The step knows better which part it sent, where the code names none.
		if known.pointer != "" && !strings.HasPrefix(role.Pointer, known.pointer) {
			r.Pointer = known.pointer
		}
	}
	if e.BundleSID != "" && !refusal.Removal {
		r.Message = fmt.Sprintf("It is already assigned to bundle %s. Take it off there, then resume.", e.BundleSID) + said(e.Message)
	}
	if r.Message == "" {
		r.Message = "Twilio refused this and gave no reason."
	}
	return r
}

// rejectionRequirements turns the reviewer's errors into what someone must do about them.
func rejectionRequirements(errors []onboarding.BundleError) []onboarding.Requirement {
	var all []onboarding.Requirement
	for _, e := range errors {
		r := onboarding.Requirement{Code: strconv.Itoa(e.Code), Message: e.Message, Source: onboarding.SourceReview}
		if known, ok := codeAdvice[e.Code]; ok {
			r.Pointer, r.Message = known.pointer, known.message+said(e.Message)
		}
		if r.Message == "" {
			r.Message = "The reviewer rejected it with this code and no text. See https://www.twilio.com/docs/api/errors/" + r.Code
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		all = append(all, onboarding.Requirement{Code: "rejected", Source: onboarding.SourceReview,
			Message: "The reviewer rejected it and gave no reason. Ask Twilio's support, naming the bundle's SID."})
	}
	return all
}

// said appends Twilio's own words, where there are any.
func said(message string) string {
	if message == "" {
		return ""
	}
	return " Twilio says: " + message
}

// endingRequirements says what to do about an approval that has ended by now, or ends within the
// notice.
func endingRequirements(validUntil, now time.Time, notice time.Duration) []onboarding.Requirement {
	until := validUntil.UTC().Format(time.DateOnly)
	switch {
	case validUntil.IsZero() || validUntil.Sub(now) > notice:
		return nil
	case now.Before(validUntil):
		return []onboarding.Requirement{{Code: onboarding.CodeApprovalEnding, Source: onboarding.SourceReview,
			Message: "Twilio's approval ends on " + until + ". Have Twilio's support renew it, then resume."}}
	default:
		return []onboarding.Requirement{{Code: "approval_ended", Source: onboarding.SourceReview,
			Message: "Twilio's approval ended on " + until + ". Have Twilio's support renew it, then resume."}}
	}
}

// deletedBundle is asked for when a bundle that was made, or taken over, is not at Twilio any more.
func deletedBundle(sid string) []onboarding.Requirement {
	return []onboarding.Requirement{{Code: "bundle_deleted", Source: onboarding.SourceTwilio,
		Message: "Twilio does not have " + sid + " any more: somebody has deleted it. Resume to have another made, submitted and reviewed in its place, or cancel."}}
}

// leftInDraft is asked for when Twilio answers a submission with a draft.
func leftInDraft() []onboarding.Requirement {
	return []onboarding.Requirement{{Code: "left_in_draft", Source: onboarding.SourceTwilio,
		Message: "Twilio took the submission and left the bundle in draft: it holds the bundle to be incomplete. Look at the bundle in Twilio's Console, then resume."}}
}
