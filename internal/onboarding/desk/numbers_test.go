package desk

import (
	"context"
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

const firstNumber = "+13125550101" // PN1

func adding(move bool, numbers ...string) func(context.Context, *Service) error {
	return func(ctx context.Context, s *Service) error {
		_, err := s.AddNumbers(ctx, "key:test", "onb_1", numbers, move)
		return err
	}
}

func removing(number string) func(context.Context, *Service) error {
	return func(ctx context.Context, s *Service) error {
		_, err := s.RemoveNumber(ctx, "key:test", "onb_1", number)
		return err
	}
}

// What an onboarding can be like when a number comes or goes.
var (
	asItIs     = func(*onboarding.Onboarding) {}
	itFailed   = func(o *onboarding.Onboarding) { o.Step("trust_product.number.PN1").State = onboarding.StepFailed }
	hasAll     = func(o *onboarding.Onboarding) { o.Request.PhoneNumbers, o.Request.AllPhoneNumbers = nil, true }
	hasTwo     = func(o *onboarding.Onboarding) { o.Request.PhoneNumbers = append(o.Request.PhoneNumbers, "PN2") }
	isCanceled = func(o *onboarding.Onboarding) { o.CanceledAt = time.Unix(1, 0) }
	isFull     = func(o *onboarding.Onboarding) {
		for i := range onboarding.MostNumbers - 1 {
			o.Request.PhoneNumbers = append(o.Request.PhoneNumbers, "PN"+strconv.Itoa(i+10))
		}
	}
)

// numbersComeAndGo has what becomes of a request when a number is added or removed, and of the
// steps.
var numbersComeAndGo = map[string]struct {
	given func(*onboarding.Onboarding)
	do    func(context.Context, *Service) error
	// numbers are the request's afterwards, moves those that may be taken off another bundle.
	numbers, moves []string
	due            []onboarding.Key // steps that are due again
	version        int
	code           string
}{
	"one more":               {given: asItIs, do: adding(false, "PN9"), numbers: []string{firstNumber, "PN9"}, due: []onboarding.Key{"preflight"}, version: 2},
	"one more, to be moved":  {given: asItIs, do: adding(true, "PN9"), numbers: []string{firstNumber, "PN9"}, moves: []string{"PN9"}, due: []onboarding.Key{"preflight"}, version: 2},
	"the same":               {given: asItIs, do: adding(false, firstNumber), numbers: []string{firstNumber}, version: 1},
	"the same by its SID":    {given: asItIs, do: adding(false, "PN1"), numbers: []string{firstNumber}, version: 1},
	"the same, which failed": {given: itFailed, do: adding(false, "PN1"), numbers: []string{firstNumber}, due: []onboarding.Key{"trust_product.number.PN1"}, version: 2},
	"one too many":           {given: isFull, do: adding(false, "PN9"), code: "too_many_phone_numbers"},
	"one more than all":      {given: hasAll, do: adding(false, "PN9"), code: "all_phone_numbers"},

	"one less":                    {given: hasTwo, do: removing("PN2"), numbers: []string{firstNumber}, due: []onboarding.Key{"preflight"}, version: 2},
	"one less by its other name":  {given: hasTwo, do: removing("PN1"), numbers: []string{"PN2"}, due: []onboarding.Key{"preflight"}, version: 2},
	"the last":                    {given: asItIs, do: removing(firstNumber), code: "last_phone_number"},
	"one less than all":           {given: hasAll, do: removing(firstNumber), code: "all_phone_numbers"},
	"one that is not there":       {given: asItIs, do: removing("PN9"), code: "not found"},
	"of what was canceled":        {given: isCanceled, do: removing(firstNumber), code: "canceled"},
	"one more for what has ended": {given: isCanceled, do: adding(false, "PN9"), code: "canceled"},
}

func TestNumbersComeAndGo(t *testing.T) {
	t.Parallel()
	for name, test := range numbersComeAndGo {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, store := stored(t, test.given)
			code := ""
			if err := test.do(t.Context(), s); errors.Is(err, ErrNumberNotFound) {
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
