package desk

import (
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/memledger"
	"github.com/attestd/attestd/internal/onboarding/plan"
)

// stored is a service whose repository has one onboarding, all of whose steps have succeeded, and
// what change makes of it.
func stored(t *testing.T, change func(*onboarding.Onboarding)) (*Service, *memledger.Store) {
	t.Helper()
	store := memledger.New()
	o, trustHub := arranged(change)
	steps, canceledAt := o.Steps, o.CanceledAt
	o.Steps, o.CallbackToken = nil, "token"
	if err := store.Create(t.Context(), o, onboarding.Event{Kind: "onboarding.created"}); err != nil {
		t.Fatal(err)
	}
	o.Steps = steps
	err := store.Update(t.Context(), o.ID, func(*onboarding.Onboarding, time.Time) (onboarding.Change, error) {
		c := onboarding.Change{ID: o.ID, Steps: steps, Numbers: o.Numbers, Status: o.Status()}
		if !canceledAt.IsZero() {
			c.Canceled = &onboarding.Cancellation{At: canceledAt}
		}
		return c, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return &Service{Repository: store, Plan: trustHub, Now: time.Now}, store
}

// TestNumbersComeAndGo has what becomes of a request when a number is added or removed, and of the
// steps.
func TestNumbersComeAndGo(t *testing.T) {
	t.Parallel()
	const first = "+13125550101" // PN1
	add := func(move bool, numbers ...string) func(*Service, *testing.T) error {
		return func(s *Service, t *testing.T) error {
			t.Helper()
			_, err := s.AddNumbers(t.Context(), "key:test", "onb_1", numbers, move)
			return err
		}
	}
	remove := func(number string) func(*Service, *testing.T) error {
		return func(s *Service, t *testing.T) error {
			t.Helper()
			_, err := s.RemoveNumber(t.Context(), "key:test", "onb_1", number)
			return err
		}
	}
	failed := func(o *onboarding.Onboarding) { o.Step("trust_product.number.PN1").State = onboarding.StepFailed }
	all := func(o *onboarding.Onboarding) { o.Request.PhoneNumbers, o.Request.AllPhoneNumbers = nil, true }
	two := func(o *onboarding.Onboarding) { o.Request.PhoneNumbers = append(o.Request.PhoneNumbers, "PN2") }
	many := func(o *onboarding.Onboarding) {
		for i := range onboarding.MostNumbers - 1 {
			o.Request.PhoneNumbers = append(o.Request.PhoneNumbers, "PN"+strconv.Itoa(i+10))
		}
	}
	for name, test := range map[string]struct {
		given func(*onboarding.Onboarding)
		do    func(*Service, *testing.T) error
		// numbers are the request's afterwards, moves those that may be taken off another bundle.
		numbers, moves []string
		due            []onboarding.Key // steps that are due again
		version        int
		code           string
	}{
		"one more":               {do: add(false, "PN9"), numbers: []string{first, "PN9"}, due: []onboarding.Key{"preflight"}, version: 2},
		"one more, to be moved":  {do: add(true, "PN9"), numbers: []string{first, "PN9"}, moves: []string{"PN9"}, due: []onboarding.Key{"preflight"}, version: 2},
		"the same":               {do: add(false, first), numbers: []string{first}, version: 1},
		"the same by its SID":    {do: add(false, "PN1"), numbers: []string{first}, version: 1},
		"the same, which failed": {given: failed, do: add(false, "PN1"), numbers: []string{first}, due: []onboarding.Key{"trust_product.number.PN1"}, version: 2},
		"one too many":           {given: many, do: add(false, "PN9"), code: "too_many_phone_numbers"},
		"one more than all":      {given: all, do: add(false, "PN9"), code: "all_phone_numbers"},

		"one less":                    {given: two, do: remove("PN2"), numbers: []string{first}, due: []onboarding.Key{"preflight"}, version: 2},
		"one less by its other name":  {given: two, do: remove("PN1"), numbers: []string{"PN2"}, due: []onboarding.Key{"preflight"}, version: 2},
		"the last":                    {do: remove(first), code: "last_phone_number"},
		"one less than all":           {given: all, do: remove(first), code: "all_phone_numbers"},
		"one that is not there":       {do: remove("PN9"), code: "not found"},
		"of what was canceled":        {given: func(o *onboarding.Onboarding) { o.CanceledAt = time.Unix(1, 0) }, do: remove(first), code: "canceled"},
		"one more for what has ended": {given: func(o *onboarding.Onboarding) { o.CanceledAt = time.Unix(1, 0) }, do: add(false, "PN9"), code: "canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, store := stored(t, func(o *onboarding.Onboarding) {
				if test.given != nil {
					test.given(o)
				}
			})
			code := ""
			if err := test.do(s, t); errors.Is(err, ErrNumberNotFound) {
				code = "not found"
			} else if refused := (*RefusedError)(nil); errors.As(err, &refused) {
				code = refused.Code
			} else if err != nil {
				t.Fatal(err)
			}
			if code != test.code {
				t.Fatalf("refused with %q, want %q", code, test.code)
			}
			if code != "" {
				return
			}
			o, err := store.Get(t.Context(), "onb_1")
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(o.Request.PhoneNumbers, test.numbers) || !slices.Equal(o.Request.MovePhoneNumbers, test.moves) || o.Version != test.version {
				t.Errorf("version %d names %v and moves %v; want %d, %v, %v",
					o.Version, o.Request.PhoneNumbers, o.Request.MovePhoneNumbers, test.version, test.numbers, test.moves)
			}
			var due []onboarding.Key
			for _, step := range o.Steps {
				if step.State == onboarding.StepPending {
					due = append(due, step.Key)
				}
			}
			if diff := cmp.Diff(test.due, due); diff != "" {
				t.Errorf("steps that are due again (-want +got):\n%s", diff)
			}
		})
	}
}

// TestACancellationSaysWhatBecomesOfEachStep has the aims that the plan gives after a cancellation.
func TestACancellationSaysWhatBecomesOfEachStep(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		cleanup []bool // one cancellation after the other
		want    onboarding.Aim
		events  int
	}{
		"nothing more is made":          {cleanup: []bool{false}, want: onboarding.AimSettled, events: 1},
		"what was made is deleted":      {cleanup: []bool{true}, want: onboarding.AimGone, events: 1},
		"twice is once":                 {cleanup: []bool{true, true}, want: onboarding.AimGone, events: 1},
		"a cleanup can be asked later":  {cleanup: []bool{false, true}, want: onboarding.AimGone, events: 2},
		"and is not taken back by less": {cleanup: []bool{true, false}, want: onboarding.AimGone, events: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, store := stored(t, func(*onboarding.Onboarding) {})
			for _, cleanup := range test.cleanup {
				o, err := s.Cancel(t.Context(), "key:test", "onb_1", cleanup)
				if err != nil {
					t.Fatal(err)
				}
				if o.Status() != onboarding.StatusCanceled {
					t.Errorf("it is %s", o.Status())
				}
			}
			o, err := s.Get(t.Context(), "onb_1")
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range plan.TrustHub(plan.Config{Now: time.Now}).Nodes(o) {
				if n.Aim != test.want {
					t.Errorf("%s has the aim %d, want %d", n.Key, n.Aim, test.want)
				}
			}
			events, err := store.Events(t.Context(), "onb_1")
			if err != nil {
				t.Fatal(err)
			}
			told := 0
			for _, e := range events {
				if e.Kind == "onboarding.canceled" {
					told++
				}
			}
			if told != test.events {
				t.Errorf("the history tells of %d cancellations, want %d", told, test.events)
			}
		})
	}
}
