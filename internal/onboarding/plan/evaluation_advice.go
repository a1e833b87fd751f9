package plan

import (
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
)

// statusField is the field that an evaluation finds amiss on a product while the profile under it
// is not approved.
const statusField = "bundle_status"

// evaluated is the outcome of an evaluation. It waits for the step review, unless "", where all
// that was found amiss is that the supporting bundle is not approved yet.
func evaluated(e onboarding.Evaluation, review onboarding.Key) onboarding.Outcome {
	now := onboarding.Seen{SID: e.SID, Status: e.Status}
	if e.Status == onboarding.EvaluationCompliant {
		return onboarding.Done{Seen: now}
	}
	if review != "" && onlyStatusIsAmiss(e) {
		return onboarding.Blocked{Seen: now, Until: review}
	}
	var asked []onboarding.Requirement
	for _, result := range e.Results {
		if !result.Passed {
			asked = append(asked, evaluationRequirements(result)...)
		}
	}
	if len(asked) == 0 {
		asked = []onboarding.Requirement{{
			Code: "noncompliant", Source: onboarding.SourceEvaluation,
			Message:     "Twilio's evaluation found the bundle noncompliant and named no field. Look at the bundle in Twilio's Console, then resume.",
			Responsible: onboarding.ResponsibleOperator, Action: onboarding.ActionResume,
		}}
	}
	return onboarding.Wanting{Seen: now, Requirements: distinct(asked)}
}

// onlyStatusIsAmiss tells whether nothing is amiss but the status of the bundle underneath.
func onlyStatusIsAmiss(e onboarding.Evaluation) bool {
	amiss := 0
	for _, result := range e.Results {
		if result.Passed {
			continue
		}
		for _, field := range result.Invalid {
			if field.ObjectField != statusField {
				return false
			}
		}
		if len(result.Invalid) == 0 {
			return false
		}
		amiss++
	}
	return amiss > 0
}

// evaluationRequirements says what to do about one requirement of a policy that was not met.
func evaluationRequirements(result onboarding.EvaluationResult) []onboarding.Requirement {
	about := objectOf(result.RequirementName, result.ObjectType).kind
	if isAboutPrimary(result.FailureReason) {
		about = "primary_customer_profile"
	}
	f := finding{code: result.Code, object: about, said: result.FailureReason, source: onboarding.SourceEvaluation}
	if len(result.Invalid) == 0 {
		return f.requirement(onboarding.Request{})
	}
	var asked []onboarding.Requirement
	for _, field := range result.Invalid {
		f.code, f.field, f.said = field.Code, field.ObjectField, field.FailureReason
		asked = append(asked, f.requirement(onboarding.Request{})...)
	}
	return asked
}

// isAboutPrimary tells whether Twilio's text is about the primary profile. It can report a missing
// one as a finding about no object: "Primary customer profile bundle is null".
func isAboutPrimary(text string) bool {
	return strings.HasPrefix(strings.ToLower(text), "primary customer profile")
}
