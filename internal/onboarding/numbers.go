package onboarding

import (
	"context"
	"fmt"
	"slices"
)

// AddNumbers adds phone numbers, each a SID (PN…) or in E.164, to the request: they go onto the profile first and onto the products then, at
// any time, and nothing that was approved is reviewed again. With move, a number that is on another bundle is taken off it. Numbers that the
// request has already are no error. Errors: ErrNotFound, *RefusedError.
func (s *Service) AddNumbers(ctx context.Context, actor string, id ID, numbers []string, move bool) (*Onboarding, error) {
	return s.change(ctx, actor, id, "add numbers to", func(o *Onboarding) (Request, error) {
		r := o.Request
		if r.AllPhoneNumbers {
			return r, &RefusedError{"all_phone_numbers", "This onboarding has every number of the subaccount: a new one joins by itself."}
		}
		r.PhoneNumbers, r.MovePhoneNumbers = slices.Clone(r.PhoneNumbers), slices.Clone(r.MovePhoneNumbers)
		for _, n := range numbers {
			if !namedAlready(o, n) {
				r.PhoneNumbers = append(r.PhoneNumbers, n)
			}
			if move && !slices.Contains(r.MovePhoneNumbers, n) {
				r.MovePhoneNumbers = append(r.MovePhoneNumbers, n)
			}
		}
		if len(r.PhoneNumbers) > MostNumbers {
			return r, &RefusedError{"too_many_phone_numbers", fmt.Sprintf("An onboarding has at most %d phone numbers.", MostNumbers)}
		}
		return r, nil
	})
}

// MostNumbers is how many phone numbers a request may name.
const MostNumbers = 5000

// RemoveNumber takes a phone number, by its SID or in E.164, off the products and the profile and out of the request. Errors: ErrNotFound,
// ErrNumberNotFound, *RefusedError.
func (s *Service) RemoveNumber(ctx context.Context, actor string, id ID, number string) (*Onboarding, error) {
	return s.change(ctx, actor, id, "remove a number from", func(o *Onboarding) (Request, error) {
		r := o.Request
		names := namesOf(o, number)
		isIt := func(asked string) bool { return slices.Contains(names, asked) }
		switch {
		case r.AllPhoneNumbers:
			return r, &RefusedError{"all_phone_numbers", "This onboarding has every number of the subaccount: one leaves when it is released at Twilio."}
		case !slices.ContainsFunc(r.PhoneNumbers, isIt):
			return r, ErrNumberNotFound
		}
		r.PhoneNumbers = slices.DeleteFunc(slices.Clone(r.PhoneNumbers), isIt)
		r.MovePhoneNumbers = slices.DeleteFunc(slices.Clone(r.MovePhoneNumbers), isIt)
		if len(r.PhoneNumbers) == 0 {
			return r, &RefusedError{"last_phone_number", "This is the onboarding's last number. Add another first, or cancel the onboarding."}
		}
		return r, nil
	})
}

// namesOf are the names that a number goes by: its SID and its E.164 form, as far as they are known.
func namesOf(o *Onboarding, number string) []string {
	for _, n := range o.Numbers {
		if n.SID == number || n.Number == number {
			return []string{n.SID, n.Number}
		}
	}
	return []string{number}
}

// namedAlready tells whether the request has the number, under whichever name.
func namedAlready(o *Onboarding, number string) bool {
	return slices.ContainsFunc(namesOf(o, number), func(name string) bool { return slices.Contains(o.Request.PhoneNumbers, name) })
}

// NumberKeys returns the keys of the steps that put the number on the onboarding's bundles, the profile's first.
func (o *Onboarding) NumberKeys(n PhoneNumber) []Key {
	var keys []Key
	for _, bundle := range bundleKeys(o) {
		keys = append(keys, numberKey(bundle, n))
	}
	return keys
}

// LeavingNumbers returns the numbers that are on a bundle, or may be, and not the onboarding's any more. Only their SIDs are known.
func (o *Onboarding) LeavingNumbers() []PhoneNumber {
	if len(o.Numbers) == 0 {
		return nil
	}
	stays := make(map[string]bool, len(o.Numbers))
	for _, n := range o.Numbers {
		stays[n.SID] = true
	}
	var leaving []PhoneNumber
	for _, n := range heldParts(o).numbers {
		if !stays[n.SID] {
			stays[n.SID] = true
			leaving = append(leaving, n)
		}
	}
	return leaving
}
