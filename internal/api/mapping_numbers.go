package api

import (
	"slices"

	"github.com/attestd/attestd/internal/onboarding"
)

// phoneNumbersJSON shows the numbers that are known at Twilio with their assignments, then those of
// the request that are not, then those that are being taken off.
func phoneNumbersJSON(o *onboarding.Onboarding) []PhoneNumber {
	steps, attested := o.NumberSteps(), o.AttestedNumbers()
	shown := make([]PhoneNumber, 0, len(o.Numbers))
	for _, n := range o.Numbers {
		shown = append(shown, phoneNumberJSON(n, steps[n.SID], attested[n.SID]))
	}
	shown = append(shown, unresolvedNumbersJSON(o)...)
	for _, n := range o.LeavingNumbers() {
		shown = append(shown, leavingNumberJSON(n, steps[n.SID]))
	}
	return shown
}

func phoneNumberJSON(n onboarding.PhoneNumber, steps []*onboarding.Step, attested bool) PhoneNumber {
	shown := PhoneNumber{SID: orNull(n.SID), PhoneNumber: orNull(n.Number), Status: PhoneNumberStatusAssigned, Requirements: []Requirement{}}
	if attested {
		shown.Attestation = orNull(onboarding.AttestationA)
	}
	if len(steps) == 0 {
		shown.Status = PhoneNumberStatusPending
	}
	for _, step := range steps {
		switch step.State {
		case onboarding.StepSucceeded:
		case onboarding.StepFailed:
			shown.Status = PhoneNumberStatusFailed
			shown.Requirements = append(shown.Requirements, requirementsJSON(step.Requirements)...)
		default:
			shown.Status = worse(shown.Status, PhoneNumberStatusPending)
		}
	}
	shown.assignedBy(steps)
	return shown
}

// assignedBy fills in the SIDs of the assignments.
func (n *PhoneNumber) assignedBy(steps []*onboarding.Step) {
	for _, step := range steps {
		if step.Bundle == onboarding.CustomerProfileKey {
			n.CustomerProfileAssignmentSID = orNull(step.SID)
		}
		if step.Bundle == onboarding.ShakenStirKey {
			n.TrustProductAssignmentSID = orNull(step.SID)
		}
	}
}

// worse is the later status, but a number that has failed stays failed.
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

// leavingNumberJSON shows a number that the request names no more and that some bundle still has.
func leavingNumberJSON(n onboarding.PhoneNumber, steps []*onboarding.Step) PhoneNumber {
	shown := PhoneNumber{SID: orNull(n.SID), Status: PhoneNumberStatusRemoving, Requirements: []Requirement{}}
	for _, step := range steps {
		shown.Requirements = append(shown.Requirements, requirementsJSON(step.Requirements)...)
	}
	shown.assignedBy(steps)
	return shown
}
