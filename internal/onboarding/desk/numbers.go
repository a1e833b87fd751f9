package desk

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// ErrNumberNotFound says that the request does not name that number.
var ErrNumberNotFound = errors.New("the onboarding has no such phone number")

// AddNumbers adds phone numbers, each a SID (PN…) or in E.164, to the request: they go onto the
// profile first and onto the products then, at any time, and nothing that was approved is reviewed
// again. With move, a number that is on another bundle is taken off it. A number that the request
// has already is tried again if it failed. Errors: onboarding.ErrNotFound, *RefusedError.
func (s *Service) AddNumbers(ctx context.Context, actor string, id onboarding.ID, numbers []string, move bool) (*onboarding.Onboarding, error) {
	return s.changeNumbers(ctx, actor, id, "add numbers to", func(o *onboarding.Onboarding) (onboarding.Request, []onboarding.Key, error) {
		r := o.Request
		if r.AllPhoneNumbers {
			return r, nil, &RefusedError{"all_phone_numbers", "This onboarding has every number of the subaccount: a new one joins by itself."}
		}
		r.PhoneNumbers, r.MovePhoneNumbers = slices.Clone(r.PhoneNumbers), slices.Clone(r.MovePhoneNumbers)
		var retry []onboarding.Key
		for _, n := range numbers {
			if isNamed(o, n) {
				retry = append(retry, stepsOfNumber(o, n)...)
			} else {
				r.PhoneNumbers = append(r.PhoneNumbers, n)
			}
			if move && !slices.Contains(r.MovePhoneNumbers, n) {
				r.MovePhoneNumbers = append(r.MovePhoneNumbers, n)
			}
		}
		if len(r.PhoneNumbers) > onboarding.MostNumbers {
			return r, nil, &RefusedError{"too_many_phone_numbers", fmt.Sprintf("An onboarding has at most %d phone numbers.", onboarding.MostNumbers)}
		}
		return r, retry, nil
	})
}

// RemoveNumber takes a phone number, by its SID or in E.164, off the products and the profile and
// out of the request. Errors: onboarding.ErrNotFound, ErrNumberNotFound, *RefusedError.
func (s *Service) RemoveNumber(ctx context.Context, actor string, id onboarding.ID, number string) (*onboarding.Onboarding, error) {
	return s.changeNumbers(ctx, actor, id, "remove a number from", func(o *onboarding.Onboarding) (onboarding.Request, []onboarding.Key, error) {
		r := o.Request
		names := namesOf(o, number)
		isIt := func(asked string) bool { return slices.Contains(names, asked) }
		switch {
		case r.AllPhoneNumbers:
			return r, nil, &RefusedError{"all_phone_numbers", "This onboarding has every number of the subaccount: one leaves when it is released at Twilio."}
		case !slices.ContainsFunc(r.PhoneNumbers, isIt):
			return r, nil, ErrNumberNotFound
		}
		r.PhoneNumbers = slices.DeleteFunc(slices.Clone(r.PhoneNumbers), isIt)
		r.MovePhoneNumbers = slices.DeleteFunc(slices.Clone(r.MovePhoneNumbers), isIt)
		if len(r.PhoneNumbers) == 0 {
			return r, nil, &RefusedError{"last_phone_number", "This is the onboarding's last number. Add another first, or cancel the onboarding."}
		}
		return r, nil, nil
	})
}

// changeNumbers amends the request to what wanted makes of it, whatever its version, and makes
// those steps that wanted names due again if they failed. What else failed is left alone. Where
// nothing changes nothing is written.
func (s *Service) changeNumbers(ctx context.Context, actor string, id onboarding.ID, doing string,
	wanted func(*onboarding.Onboarding) (onboarding.Request, []onboarding.Key, error),
) (*onboarding.Onboarding, error) {
	err := s.Repository.Interrupt(ctx, id, func(o *onboarding.Onboarding, now time.Time) (onboarding.Change, error) {
		if err := refuseCanceled(o); err != nil {
			return onboarding.Change{}, err
		}
		s.Plan.Arrange(o)
		amended, retry, err := wanted(o)
		retry = slices.DeleteFunc(retry, func(k onboarding.Key) bool {
			step := o.Step(k)
			return step == nil || step.State != onboarding.StepFailed
		})
		switch {
		case err != nil:
			return onboarding.Change{}, err
		case reflect.DeepEqual(amended, o.Request) && len(retry) == 0:
			return onboarding.Change{}, errNothing
		}
		return amendment{plan: s.Plan, amended: amended, retry: retry}.apply(o, actor, now)
	})
	if err != nil && !errors.Is(err, errNothing) {
		return nil, fmt.Errorf("%s onboarding %s: %w", doing, id, err)
	}
	return s.Get(ctx, id)
}

// namesOf are the names that a number goes by: its SID and its E.164 form, as far as they are
// known.
func namesOf(o *onboarding.Onboarding, number string) []string {
	for _, n := range o.Numbers {
		if n.SID == number || n.Number == number {
			return []string{n.SID, n.Number}
		}
	}
	return []string{number}
}

// isNamed tells whether the request has the number, under whichever name.
func isNamed(o *onboarding.Onboarding, number string) bool {
	return slices.ContainsFunc(namesOf(o, number), func(name string) bool { return slices.Contains(o.Request.PhoneNumbers, name) })
}

// stepsOfNumber returns the steps that a number of the request depends on: that of the preflight
// while it is not resolved.
func stepsOfNumber(o *onboarding.Onboarding, number string) []onboarding.Key {
	names := namesOf(o, number)
	if len(names) == 1 {
		return []onboarding.Key{onboarding.PreflightKey}
	}
	var keys []onboarding.Key
	for _, s := range o.Steps {
		if s.Number == names[0] {
			keys = append(keys, s.Key)
		}
	}
	return keys
}
