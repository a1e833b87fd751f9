package api

import (
	"slices"

	"github.com/attestd/attestd/internal/onboarding"
)

// phoneNumbersJSON shows the numbers that are known at Twilio with their assignments, then those of the request that are not, then those
// that are being taken off. Numbers and steps go into the hundreds, so the steps are read from an index.
func phoneNumbersJSON(o *onboarding.Onboarding) []PhoneNumber {
	steps := make(map[onboarding.Key]*onboarding.Step, len(o.Steps))
	for i := range o.Steps {
		steps[o.Steps[i].Key] = &o.Steps[i]
	}
	attested := o.AttestedNumbers()
	shown := make([]PhoneNumber, 0, len(o.Numbers))
	for _, n := range o.Numbers {
		shown = append(shown, phoneNumberJSON(o, n, steps, attested[n.SID]))
	}
	return append(append(shown, unresolvedNumbersJSON(o)...), leavingNumbersJSON(o)...)
}

func phoneNumberJSON(o *onboarding.Onboarding, n onboarding.PhoneNumber, steps map[onboarding.Key]*onboarding.Step, attested bool) PhoneNumber {
	shown := PhoneNumber{SID: orNull(n.SID), PhoneNumber: orNull(n.Number), Status: PhoneNumberStatusAssigned, Requirements: []Requirement{}}
	if attested {
		shown.Attestation = orNull(onboarding.AttestationA)
	}
	for _, key := range o.NumberKeys(n) {
		step := steps[key]
		switch {
		case step == nil || step.State == onboarding.StepCanceled:
			shown.Status = worse(shown.Status, PhoneNumberStatusPending)
		case step.State == onboarding.StepFailed:
			shown.Status = PhoneNumberStatusFailed
			shown.Requirements = append(shown.Requirements, requirementsJSON(step.Requirements)...)
		case step.State != onboarding.StepSucceeded:
			shown.Status = worse(shown.Status, PhoneNumberStatusPending)
		}
	}
	profile, product := onboarding.NumberAssignmentKeys(n.SID)
	if s := steps[profile]; s != nil {
		shown.CustomerProfileAssignmentSID = orNull(s.SID)
	}
	if s := steps[product]; s != nil {
		shown.TrustProductAssignmentSID = orNull(s.SID)
	}
	return shown
}

// worse keeps what failed failed.
func worse(now, then PhoneNumberStatus) PhoneNumberStatus {
	if now == PhoneNumberStatusFailed {
		return now
	}
	return then
}

// unresolvedNumbersJSON shows the numbers of the request that are not known at Twilio.
func unresolvedNumbersJSON(o *onboarding.Onboarding) []PhoneNumber {
	resolved := make(map[string]bool, 2*len(o.Numbers))
	for _, n := range o.Numbers {
		resolved[n.SID], resolved[n.Number] = true, true
	}
	requirements := o.Requirements()
	var shown []PhoneNumber
	for i, name := range o.Request.PhoneNumbers {
		if resolved[name] {
			continue
		}
		pointer := onboarding.PhoneNumberPointer(i)
		number := PhoneNumber{Status: PhoneNumberStatusUnresolved, Requirements: requirementsJSON(
			slices.DeleteFunc(slices.Clone(requirements), func(r onboarding.Requirement) bool { return r.Pointer != pointer }))}
		if isSID("PN", name) {
			number.SID = &name
		} else {
			number.PhoneNumber = &name
		}
		shown = append(shown, number)
	}
	return shown
}

// leavingNumbersJSON shows the numbers that the request names no more and that are not off every bundle yet.
func leavingNumbersJSON(o *onboarding.Onboarding) []PhoneNumber {
	var shown []PhoneNumber
	for _, leaving := range o.LeavingNumbers() {
		number := PhoneNumber{SID: orNull(leaving.SID), Status: PhoneNumberStatusRemoving, Requirements: []Requirement{}}
		profile, product := onboarding.NumberAssignmentKeys(leaving.SID)
		if s := o.Step(profile); s != nil {
			number.CustomerProfileAssignmentSID = orNull(s.SID)
			number.Requirements = append(number.Requirements, requirementsJSON(s.Requirements)...)
		}
		if s := o.Step(product); s != nil {
			number.TrustProductAssignmentSID = orNull(s.SID)
			number.Requirements = append(number.Requirements, requirementsJSON(s.Requirements)...)
		}
		shown = append(shown, number)
	}
	return shown
}
