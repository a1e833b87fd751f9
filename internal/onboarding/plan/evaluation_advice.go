package plan

import (
	"strconv"
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
		asked = []onboarding.Requirement{{Code: "noncompliant", Source: onboarding.SourceEvaluation,
			Message: "Twilio's evaluation found the bundle noncompliant and named no field. Look at the bundle in Twilio's Console."}}
	}
	return onboarding.Wanting{Seen: now, Requirements: asked}
}

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
	base := evaluatedPart(result)
	if len(result.Invalid) == 0 {
		return []onboarding.Requirement{evaluationRequirement(base, result.Code, result.FailureReason)}
	}
	var asked []onboarding.Requirement
	for _, field := range result.Invalid {
		pointer := base
		if isRequestField(base, field.ObjectField) {
			pointer += "/" + field.ObjectField
		}
		asked = append(asked, evaluationRequirement(pointer, field.Code, field.FailureReason))
	}
	return asked
}

func evaluationRequirement(pointer string, code int, reason string) onboarding.Requirement {
	r := onboarding.Requirement{Pointer: pointer, Code: strconv.Itoa(code), Message: reason, Source: onboarding.SourceEvaluation}
	if known, ok := codeAdvice[code]; ok {
		r.Message = known.message + said(reason)
	}
	if r.Message == "" {
		r.Message = "Twilio's evaluation found this missing or not fitting."
	}
	return r
}

// evaluatedPart points at the part of the request that a requirement of Twilio's policies is about.
func evaluatedPart(r onboarding.EvaluationResult) string {
	for _, part := range []struct{ name, pointer string }{
		{"customer_profile_business_information", "/business"},
		{"authorized_representative_1", "/authorized_representatives/0"},
		{"authorized_representative_2", "/authorized_representatives/1"},
		{"customer_profile_address", "/address"},
		{"primary_customer_profile", "/primary_profile_sid"},
	} {
		if strings.Contains(r.RequirementName, part.name) || strings.Contains(r.ObjectType, part.name) {
			return part.pointer
		}
	}
	return ""
}

// isRequestField tells whether the object that base points at has that member: Twilio's attributes
// carry the request's own names, but an address document's only field is its address.
func isRequestField(base, field string) bool {
	return field != "" && (base == "/business" || strings.HasPrefix(base, "/authorized_representatives/"))
}
