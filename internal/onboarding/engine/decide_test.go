package engine

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// Effects of every shape. Their functions are never called.
var (
	look   = func(context.Context, onboarding.TrustHub) (onboarding.Outcome, error) { return nil, nil }
	update = func(context.Context, onboarding.TrustHub, string) (onboarding.Outcome, error) { return nil, nil }
	find   = func(context.Context, onboarding.TrustHub) ([]onboarding.Outcome, error) { return nil, nil }
	remove = func(context.Context, onboarding.TrustHub, string) error { return nil }

	making = onboarding.Effect{Do: look, Find: find, Update: update, Remove: remove}
)

const later = time.Minute

func step(state onboarding.State) onboarding.Step { return onboarding.Step{State: state} }

func made(state onboarding.State) onboarding.Step { return onboarding.Step{State: state, SID: "IT1"} }

func at(s onboarding.Step, d time.Duration) onboarding.Step { s.NextAttemptAt = noon.Add(d); return s }

func intended(s onboarding.Step, ago time.Duration) onboarding.Step {
	s.IntentAt = noon.Add(-ago)
	return s
}

// decisions says what is done next about a single step.
var decisions = map[string]struct {
	kind   onboarding.Kind
	aim    onboarding.Aim
	effect onboarding.Effect
	step   onboarding.Step
	change func(*situation)
	want   string // what is done, or "later" with the time, or ""
}{
	"a pending read is looked at":                     {kind: onboarding.KindRead, effect: onboarding.Effect{Look: look}, step: step(onboarding.StepPending), want: "look"},
	"a pending deed is done":                          {effect: making, step: step(onboarding.StepPending), want: "do"},
	"a deed with a look is looked at first":           {effect: onboarding.Effect{Look: look, Do: look, Find: find}, step: step(onboarding.StepPending), want: "look"},
	"and done once the look found nothing":            {effect: onboarding.Effect{Look: look, Do: look, Find: find}, step: step(onboarding.StepPending), change: func(s *situation) { s.looked["step"] = true }, want: "do"},
	"what was made is updated":                        {effect: making, step: made(onboarding.StepPending), want: "update"},
	"what cannot be updated is done anew":             {effect: onboarding.Effect{Do: look, Find: find}, step: made(onboarding.StepPending), want: "do"},
	"an unknown outcome is looked up":                 {effect: making, step: step(onboarding.StepRunning), want: "find"},
	"a lookup waits for its time":                     {effect: making, step: at(step(onboarding.StepRunning), later), want: "later 1m0s"},
	"surplus is removed":                              {effect: making, step: step(onboarding.StepRunning), change: func(s *situation) { s.surplus["step"] = []onboarding.Outcome{onboarding.Done{}} }, want: "remove surplus"},
	"an update of unknown outcome waits till settled": {effect: making, step: intended(made(onboarding.StepRunning), time.Second), want: "later 3s"},
	"and is repeated then":                            {effect: making, step: intended(made(onboarding.StepRunning), 4*time.Second), want: "repeat"},
	"so is a deed of which nothing is to be found":    {kind: onboarding.KindDeed, effect: onboarding.Effect{Do: look}, step: intended(step(onboarding.StepRunning), 4*time.Second), want: "repeat"},
	"a retry waits for its time":                      {effect: making, step: at(step(onboarding.StepWaiting), later), want: "later 1m0s"},
	"a retry is made at its time":                     {effect: making, step: at(step(onboarding.StepWaiting), 0), want: "do"},
	"what has succeeded is done":                      {effect: making, step: made(onboarding.StepSucceeded), want: ""},
	"what has failed waits for a person":              {effect: making, step: step(onboarding.StepFailed), want: ""},
	"a review is not read before a first wait":        {kind: onboarding.KindReview, effect: onboarding.Effect{Look: look, NotYet: true}, step: step(onboarding.StepPending), want: "await review"},
	"a decided review is read again at its time":      {kind: onboarding.KindReview, effect: onboarding.Effect{Look: look}, step: at(step(onboarding.StepSucceeded), 0), want: "look"},
	"a rejected review too":                           {kind: onboarding.KindReview, effect: onboarding.Effect{Look: look}, step: at(step(onboarding.StepFailed), later), want: "later 1m0s"},
	"a check is not made before a first wait":         {kind: onboarding.KindCheck, effect: onboarding.Effect{Look: look}, step: step(onboarding.StepPending), want: "await check"},
	"nothing is done twice at once":                   {effect: making, step: step(onboarding.StepPending), change: func(s *situation) { s.inFlight["step"] = true }, want: ""},
	"nothing is begun while stopping":                 {effect: making, step: step(onboarding.StepPending), change: func(s *situation) { s.stopping = true }, want: "later 0s"},
	"nothing is begun without a slot":                 {effect: making, step: step(onboarding.StepPending), change: func(s *situation) { s.slots = 0 }, want: "later 0s"},
	"nothing is begun while calls are held back":      {effect: making, step: step(onboarding.StepPending), change: func(s *situation) { s.notBefore = noon.Add(later) }, want: "later 1m0s"},

	"what was made is taken back":                    {aim: onboarding.AimGone, effect: making, step: made(onboarding.StepSucceeded), want: "remove"},
	"what is not ours to remove stays":               {aim: onboarding.AimGone, effect: onboarding.Effect{Do: look, Stays: true}, step: made(onboarding.StepSucceeded), want: "keep"},
	"what made nothing ends":                         {aim: onboarding.AimGone, effect: making, step: step(onboarding.StepPending), want: "end"},
	"an unknown outcome is looked up before the end": {aim: onboarding.AimGone, effect: making, step: step(onboarding.StepRunning), want: "find"},
	"a removal that was refused waits for a person":  {aim: onboarding.AimGone, effect: making, step: made(onboarding.StepFailed), want: ""},
	"what is gone is gone":                           {aim: onboarding.AimGone, effect: making, step: step(onboarding.StepCanceled), want: ""},
	"what is settled stays as it is":                 {aim: onboarding.AimSettled, effect: making, step: made(onboarding.StepSucceeded), want: ""},
	"a failed read ends too":                         {kind: onboarding.KindReview, aim: onboarding.AimSettled, effect: onboarding.Effect{Look: look}, step: step(onboarding.StepFailed), want: "end"},
	"what is open ends":                              {aim: onboarding.AimSettled, effect: making, step: step(onboarding.StepWaiting), want: "end"},
	"an unknown outcome is looked up to be settled":  {aim: onboarding.AimSettled, effect: making, step: step(onboarding.StepRunning), want: "find"},
}

func TestWhatIsDoneNextFollowsFromStepsAndTime(t *testing.T) {
	t.Parallel()
	for name, test := range decisions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kind := test.kind
			if kind == "" {
				kind = onboarding.KindObject
			}
			test.step.Key, test.step.Role = "step", onboarding.Role{Kind: kind}
			o := &onboarding.Onboarding{Steps: []onboarding.Step{test.step}}
			nodes := []onboarding.Node{{
				Key: "step", Role: test.step.Role, Aim: test.aim, Effect: func(*onboarding.Onboarding) onboarding.Effect { return test.effect },
			}}
			s := atNoon()
			if test.change != nil {
				test.change(&s)
			}
			if got := said(decide(o, newGraph(o, nodes), s)); got != test.want {
				t.Errorf("decided %q, want %q", got, test.want)
			}
		})
	}
}

func atNoon() situation {
	return situation{
		now: noon, atLeast: noon, slots: 1,
		inFlight: map[onboarding.Key]bool{}, looked: map[onboarding.Key]bool{}, surplus: map[onboarding.Key][]onboarding.Outcome{},
		settled: func(s *onboarding.Step) time.Time { return s.IntentAt.Add(4 * time.Second) },
	}
}

// said is a decision in words.
func said(d decision) string {
	var words []string
	for _, m := range d.moves {
		words = append(words, string(m.to))
	}
	for _, c := range d.calls {
		words = append(words, string(c.op))
	}
	if len(words) == 0 && !d.due.IsZero() {
		words = append(words, "later "+d.due.Sub(noon).String())
	}
	return strings.Join(words, ", ")
}

// TestAStepIsDueWhenItsNeedsAreAsTheyAreToBe is about the graph: two steps, of which the second
// needs the first.
func TestAStepIsDueWhenItsNeedsAreAsTheyAreToBe(t *testing.T) {
	t.Parallel()
	refused := &onboarding.StepError{HTTPStatus: 403}
	for name, test := range map[string]struct {
		aims          [2]onboarding.Aim
		first, second onboarding.Step
		change        func(*onboarding.Node) // of the second
		want          string
	}{
		"the first is open":                    {first: onboarding.Step{State: onboarding.StepRunning, NextAttemptAt: noon.Add(time.Hour)}, second: onboarding.Step{State: onboarding.StepPending}, want: "later 1h0m0s"},
		"the first has succeeded":              {first: onboarding.Step{State: onboarding.StepSucceeded}, second: onboarding.Step{State: onboarding.StepPending}, want: "do"},
		"the first is not wanted any more":     {first: onboarding.Step{State: onboarding.StepCanceled}, second: onboarding.Step{State: onboarding.StepPending}, want: "do"},
		"the first is to go, and is not gone":  {aims: [2]onboarding.Aim{onboarding.AimGone}, first: onboarding.Step{State: onboarding.StepFailed, SID: "IT1"}, second: onboarding.Step{State: onboarding.StepPending}, want: ""},
		"it waits for the first":               {first: onboarding.Step{State: onboarding.StepFailed}, second: onboarding.Step{State: onboarding.StepWaiting, WaitsFor: "first"}, want: ""},
		"it waited, and the first is there":    {first: onboarding.Step{State: onboarding.StepSucceeded}, second: onboarding.Step{State: onboarding.StepWaiting, WaitsFor: "first"}, want: "do"},
		"both go, and the first is still here": {aims: [2]onboarding.Aim{onboarding.AimGone, onboarding.AimGone}, first: onboarding.Step{State: onboarding.StepFailed, SID: "IT1"}, second: onboarding.Step{State: onboarding.StepSucceeded, SID: "IT2"}, want: ""},
		"both go, and the first is gone":       {aims: [2]onboarding.Aim{onboarding.AimGone, onboarding.AimGone}, first: onboarding.Step{State: onboarding.StepCanceled}, second: onboarding.Step{State: onboarding.StepSucceeded, SID: "IT2"}, want: "remove"},
		"Twilio did not let go of the first": {
			aims: [2]onboarding.Aim{onboarding.AimGone, onboarding.AimGone}, first: onboarding.Step{State: onboarding.StepCanceled, SID: "RA1"}, second: onboarding.Step{State: onboarding.StepSucceeded, SID: "RA2"},
			change: func(n *onboarding.Node) { n.StaysWith = []onboarding.Key{"first"} }, want: "keep",
		},
		"nobody knows yet whether it is wanted": {
			aims: [2]onboarding.Aim{onboarding.AimDone, onboarding.AimGone}, first: onboarding.Step{State: onboarding.StepFailed, Error: refused}, second: onboarding.Step{State: onboarding.StepSucceeded, SID: "RA2"},
			change: func(n *onboarding.Node) { n.Needs, n.AfterAnswerOf = nil, "first" }, want: "",
		},
		"the answer is that it is not": {
			aims: [2]onboarding.Aim{onboarding.AimDone, onboarding.AimGone}, first: onboarding.Step{State: onboarding.StepFailed, Error: &onboarding.StepError{}}, second: onboarding.Step{State: onboarding.StepSucceeded, SID: "RA2"},
			change: func(n *onboarding.Node) { n.Needs, n.AfterAnswerOf = nil, "first" }, want: "remove",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.first.Key, test.second.Key = "first", "second"
			o := &onboarding.Onboarding{Steps: []onboarding.Step{test.first, test.second}}
			var nodes []onboarding.Node
			for i, s := range o.Steps {
				nodes = append(nodes, onboarding.Node{
					Key: s.Key, Role: onboarding.Role{Kind: onboarding.KindObject}, Aim: test.aims[i],
					Effect: func(*onboarding.Onboarding) onboarding.Effect { return making },
				})
			}
			nodes[1].Needs = []onboarding.Key{"first"}
			if test.change != nil {
				test.change(&nodes[1])
			}
			if got := said(decide(o, newGraph(o, nodes), atNoon())); got != test.want {
				t.Errorf("decided %q, want %q", got, test.want)
			}
		})
	}
}

// Twilio's limit is the account's: what is left out is due at once, when a slot is free.
func TestNoMoreCallsAreChosenThanThereAreSlots(t *testing.T) {
	t.Parallel()
	o := &onboarding.Onboarding{}
	var nodes []onboarding.Node
	for _, key := range []onboarding.Key{"a", "b", "c"} {
		o.Steps = append(o.Steps, onboarding.Step{Key: key, State: onboarding.StepPending})
		nodes = append(nodes, onboarding.Node{Key: key, Effect: func(*onboarding.Onboarding) onboarding.Effect { return making }})
	}
	s := atNoon()
	s.slots = 2
	if d := decide(o, newGraph(o, nodes), s); len(d.calls) != 2 || !d.due.Equal(noon) {
		t.Errorf("%d calls, and due at %v; want two, and the third at once", len(d.calls), d.due)
	}
}
