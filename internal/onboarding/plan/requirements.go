package plan

import (
	"cmp"
	"fmt"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// explain turns a refused call into what someone must do about it.
func explain(refusal onboarding.Refusal) onboarding.Requirement {
	e, role := refusal.Error, refusal.Role
	source := cmp.Or(role.Source, onboarding.SourceTwilio)
	if e.Code == 0 {
		code := "refused"
		if e.HTTPStatus != 0 {
			code = fmt.Sprintf("http_%d", e.HTTPStatus)
		}
		return onboarding.Requirement{
			Pointer: role.Pointer, Code: code, Source: source, TwilioMessage: shortened(e.Message),
			Message:     "Twilio refused this without a code. Look at the step's error, mend its cause, then resume.",
			Responsible: onboarding.ResponsibleOperator, Action: onboarding.ActionResume,
		}
	}
	f := finding{code: e.Code, said: e.Message, source: source, pointer: role.Pointer}
	asked := f.requirement(onboarding.Request{})[0]
	if e.BundleSID != "" && !refusal.Removal {
		asked.Message = fmt.Sprintf("It is already assigned to bundle %s. Take it off there, then resume; or add the number again with \"move\".", e.BundleSID)
		asked.Responsible, asked.Action = onboarding.ResponsibleOperator, onboarding.ActionResume
	}
	return asked
}

// rejectionRequirements turns the reviewer's errors into what someone must do about them.
func rejectionRequirements(r onboarding.Request, errors []onboarding.BundleError) []onboarding.Requirement {
	var all []onboarding.Requirement
	for _, e := range errors {
		all = append(all, finding{code: e.Code, said: e.Message, source: onboarding.SourceReview}.requirement(r)...)
	}
	if len(all) == 0 {
		all = append(all, onboarding.Requirement{
			Code: "rejected", Source: onboarding.SourceReview,
			Message:     "The reviewer rejected it and gave no reason. Ask Twilio's support, naming the bundle's SID.",
			Responsible: onboarding.ResponsibleOperator, Action: onboarding.ActionContactTwilio,
		})
	}
	return distinct(all)
}

// endingRequirements says what to do about an approval that has ended by now, or ends within the
// notice.
func endingRequirements(validUntil, now time.Time, notice time.Duration) []onboarding.Requirement {
	asked := onboarding.Requirement{
		Code: onboarding.CodeApprovalEnding, Source: onboarding.SourceReview,
		Responsible: onboarding.ResponsibleOperator, Action: onboarding.ActionContactTwilio,
	}
	until := validUntil.UTC().Format(time.DateOnly)
	switch {
	case validUntil.IsZero() || validUntil.Sub(now) > notice:
		return nil
	case now.Before(validUntil):
		asked.Message = "Twilio's approval ends on " + until + ". Have Twilio's support renew it, then resume."
	default:
		asked.Code = "approval_ended"
		asked.Message = "Twilio's approval ended on " + until + ". Have Twilio's support renew it, then resume."
	}
	return []onboarding.Requirement{asked}
}

// deletedBundle is asked for when a bundle that was made, or taken over, is not at Twilio any more.
func deletedBundle(sid string) []onboarding.Requirement {
	return []onboarding.Requirement{{
		Code: "bundle_deleted", Source: onboarding.SourceTwilio,
		Message:     "Twilio does not have " + sid + " any more: somebody has deleted it. Resume to have another made, submitted and reviewed in its place, or cancel.",
		Responsible: onboarding.ResponsibleOperator, Action: onboarding.ActionResume,
	}}
}

// leftInDraft is asked for when Twilio answers a submission with a draft.
func leftInDraft() []onboarding.Requirement {
	return []onboarding.Requirement{{
		Code: "left_in_draft", Source: onboarding.SourceTwilio,
		Message:     "Twilio took the submission and left the bundle in draft: it holds the bundle to be incomplete. Look at the bundle in Twilio's Console, then resume.",
		Responsible: onboarding.ResponsibleOperator, Action: onboarding.ActionResume,
	}}
}
