package onboarding

import (
	"slices"
	"strconv"
)

// MostNumbers is how many phone numbers a request may name.
const MostNumbers = 5000

// PhoneNumberPointer points at the i-th of a request's phone numbers.
func PhoneNumberPointer(i int) string { return "/phone_numbers/" + strconv.Itoa(i) }

// MovesNumber tells whether the number is taken off another bundle where it is on one.
func (r Request) MovesNumber(n PhoneNumber) bool {
	return slices.Contains(r.MovePhoneNumbers, n.SID) || slices.Contains(r.MovePhoneNumbers, n.Number)
}

// WantsNumber tells whether the request names the number, or means all.
func (r Request) WantsNumber(n PhoneNumber) bool {
	return r.AllPhoneNumbers || slices.Contains(r.PhoneNumbers, n.SID) || slices.Contains(r.PhoneNumbers, n.Number)
}

// NumberSteps returns the steps that put numbers on bundles, by the number's SID, the profile's
// first. The steps are arranged; those that the plan does not have any more are left out.
func (o *Onboarding) NumberSteps() map[string][]*Step {
	steps := make(map[string][]*Step, len(o.Numbers))
	for i := range o.Steps {
		if s := &o.Steps[i]; s.Number != "" {
			steps[s.Number] = append(steps[s.Number], s)
		}
	}
	return steps
}

// LeavingNumbers returns the numbers that are on a bundle, or may be, and not the onboarding's any
// more. Only their SIDs are known. The steps are arranged.
func (o *Onboarding) LeavingNumbers() []PhoneNumber {
	if len(o.Numbers) == 0 {
		return nil
	}
	known := make(map[string]bool, len(o.Numbers))
	for _, n := range o.Numbers {
		known[n.SID] = true
	}
	var leaving []PhoneNumber
	for _, s := range o.Steps {
		if s.Number != "" && s.State != StepCanceled && !known[s.Number] {
			known[s.Number] = true
			leaving = append(leaving, PhoneNumber{SID: s.Number})
		}
	}
	return leaving
}
