package onboarding

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Reconciler compares the ledger of one onboarding with what Twilio holds. The protocol keeps the two together; they part when somebody
// makes or deletes things at Twilio by hand, when rows are changed by hand, or when the database was restored to an earlier day.
//
// [Reconciler.Compare] only reads. [Reconciler.Fix] mends what can be mended without knowing more than the two sides say:
//
//   - what Twilio holds for a step that has recorded nothing is adopted;
//   - a further object under an onboarding's own tag is removed, if the one that the ledger has recorded is still there.
//
// Everything else is a person's to decide, above all a recorded object that is gone: nothing is adopted in its place, because its review
// and its assignments were not the other's.
type Reconciler struct {
	Store InterruptibleRepository
	Hub   TrustHub
	Plan  Plan
	// Settle is how long Twilio's lists may lag behind a write: what a step made less than that ago is not missed.
	Settle time.Duration
	// Concurrency is how many lookups are made at once; 0 means 8, well below what the service itself allows an account.
	Concurrency int
	// Within bounds the lookups of one comparison, all of them together; 0 means that only the context does. What was not looked up by then
	// is [VerdictNotCompared], and the comparison is made of the rest.
	Within time.Duration
}

// InterruptibleRepository is a [Repository] that can take an onboarding away from its runner.
type InterruptibleRepository interface {
	Repository
	// Interrupt is Update under a new epoch and with a new job: a runner that has the onboarding can write no more from here on, and so
	// cannot begin another call; what it has in flight is running in the ledger, and the next runner looks it up (invariants 2 and 3).
	// If decide returns an error, nobody is interrupted. Errors: ErrNotFound.
	Interrupt(ctx context.Context, id ID, decide func(o *Onboarding, now time.Time) (Change, error)) error
}

// Verdict is what a comparison says of a step, or of something that Twilio holds beyond the steps.
type Verdict string

// The verdicts. With the first two the ledger and Twilio agree.
const (
	VerdictSame     Verdict = "same"
	VerdictNotBegun Verdict = "not begun"
	// VerdictMissing: recorded, and not at Twilio.
	VerdictMissing Verdict = "missing at Twilio"
	// VerdictUnrecorded: at Twilio, and not recorded.
	VerdictUnrecorded Verdict = "not in the ledger"
	// VerdictSurplus: at Twilio beside the one that is recorded, or assigned to or from such a one.
	VerdictSurplus Verdict = "surplus"
	// VerdictOtherStatus: the same object, of which the two sides say different things.
	VerdictOtherStatus Verdict = "other status"
	// VerdictUnknown: a runner is at it. It settles this by itself.
	VerdictUnknown Verdict = "unknown"
	// VerdictNotCompared: the lookup failed, or what it needs is not there.
	VerdictNotCompared Verdict = "not compared"
)

// Finding is one line of a [Report].
type Finding struct {
	Step Key
	// State, SID and Status are the ledger's.
	State  State
	SID    string
	Status string
	// HeldSID and HeldStatus are Twilio's.
	HeldSID    string
	HeldStatus string
	Verdict    Verdict
	// Note says more, in words for people; nothing personal.
	Note string
	// Err is why the lookup failed, with VerdictNotCompared; nil if there was none to fail.
	Err error

	// before is the step as it was read, adopt what to record in it.
	before Step
	adopt  *Result
	// surplus is what is to be removed.
	surplus *surplus
}

// Report is one comparison, in the order of the plan.
type Report struct {
	ID       ID
	Findings []Finding
}

// Differences counts the findings in which the ledger and Twilio do not agree, or do not agree yet.
func (r Report) Differences() int {
	n := 0
	for _, f := range r.Findings {
		if f.Differs() {
			n++
		}
	}
	return n
}

// Failure is why nothing at all could be compared, nil if something was or nothing had to be: the failure of the first lookup.
func (r Report) Failure() error {
	var first error
	for _, f := range r.Findings {
		switch f.Verdict {
		case VerdictNotBegun, VerdictUnknown:
		case VerdictNotCompared:
			if first == nil {
				first = f.Err
			}
		default:
			return nil
		}
	}
	return first
}

// Differs says that the two sides do not agree about the step, or were not compared.
func (f Finding) Differs() bool { return f.Verdict != VerdictSame && f.Verdict != VerdictNotBegun }

// Action is something that [Reconciler.Fix] did, or could not do.
type Action struct {
	Kind ActionKind
	Step Key
	SID  string
	Note string
}

// ActionKind says what became of a finding.
type ActionKind string

// The kinds of action.
const (
	ActionAdopted ActionKind = "adopted"
	ActionRemoved ActionKind = "removed"
	// ActionKept: surplus, and still there. The note says why.
	ActionKept ActionKind = "kept"
	// ActionWoken: the runner reads the review now and acts on it, which may take it a moment.
	ActionWoken ActionKind = "woken"
)

// reconcileActor is who the history names.
const reconcileActor = "reconcile"

// Compare looks up every step of the onboarding that can be looked up. Errors: ErrNotFound.
func (r *Reconciler) Compare(ctx context.Context, id ID) (Report, error) {
	o, err := r.read(ctx, id)
	if err != nil {
		return Report{}, fmt.Errorf("compare onboarding %s: %w", id, err)
	}
	c := newComparison(r, o)
	if err := c.runWithin(ctx, r.Within); err != nil {
		return Report{}, fmt.Errorf("compare onboarding %s: %w", id, err)
	}
	now, err := r.read(ctx, id)
	if err != nil {
		return Report{}, fmt.Errorf("compare onboarding %s: %w", id, err)
	}
	return c.report(now), nil
}

func (r *Reconciler) read(ctx context.Context, id ID) (*Onboarding, error) {
	o, err := r.Store.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	r.Plan.Arrange(o)
	return o, nil
}

// passes bounds how often Fix looks anew. What one pass adopts or removes may show the next what depends on it: three are the most that
// the plan calls for.
const passes = 6

// Fix compares, mends what it can, and compares again until there is nothing more for it to do. It returns the first and the last
// comparison and what was done between them, also with an error. Errors: ErrNotFound, ErrCanceled.
func (r *Reconciler) Fix(ctx context.Context, id ID) (before, after Report, done []Action, err error) {
	switch o, err := r.read(ctx, id); {
	case err != nil:
		return before, after, nil, fmt.Errorf("fix onboarding %s: %w", id, err)
	case !o.CanceledAt.IsZero():
		return before, after, nil, fmt.Errorf("fix onboarding %s: %w", id, ErrCanceled)
	}
	for pass := range passes {
		if after, err = r.Compare(ctx, id); err != nil {
			return before, after, done, err
		}
		if pass == 0 {
			before = after
		}
		mended, kept, err := r.mend(ctx, after)
		done = append(done, mended...)
		if err != nil {
			return before, after, done, fmt.Errorf("fix onboarding %s: %w", id, err)
		}
		if len(mended) == 0 {
			return before, after, append(done, kept...), nil
		}
	}
	return before, after, done, nil
}

// ErrCanceled means that the onboarding was canceled, and is not touched any more.
var ErrCanceled = errors.New("the onboarding was canceled")

// mend does the first of these that there is to do: adopt, remove, wake. kept is what it could do nothing about.
func (r *Reconciler) mend(ctx context.Context, report Report) (mended, kept []Action, err error) {
	if mended, err = r.adopt(ctx, report); err != nil || len(mended) > 0 {
		return mended, nil, err
	}
	if mended, kept, err = r.remove(ctx, report); err != nil || len(mended) > 0 {
		return mended, nil, err
	}
	woken, err := r.wake(ctx, report, kept)
	return nil, append(kept, woken...), err
}

// adopt records what Twilio holds for steps that have recorded nothing. It does so under a new epoch, and only in steps that are still
// what they were before the lookup: no runner can have begun such a step meanwhile, nor begin it afterwards.
func (r *Reconciler) adopt(ctx context.Context, report Report) ([]Action, error) {
	if !slices.ContainsFunc(report.Findings, func(f Finding) bool { return f.adopt != nil }) {
		return nil, nil
	}
	var done []Action
	nothing := errors.New("nothing to adopt any more")
	err := r.Store.Interrupt(ctx, report.ID, func(o *Onboarding, now time.Time) (Change, error) {
		done = nil
		if !o.CanceledAt.IsZero() {
			return Change{}, ErrCanceled
		}
		r.Plan.Arrange(o)
		change := Change{ID: o.ID}
		for _, f := range report.Findings {
			if f.adopt == nil {
				continue
			}
			if o.Step(f.Step) == nil { // A number that the ledger's own preflight has not resolved yet.
				o.Steps = append(o.Steps, Step{Key: f.Step, State: StepPending})
			}
			step := o.Step(f.Step)
			if moved(*step, f.before) {
				continue
			}
			change.Events = append(change.Events, Event{At: now, Kind: "step.adopted", Step: f.Step, Actor: reconcileActor, Detail: f.adopt.SID})
			if record(step, *f.adopt, now) {
				change.Events = append(change.Events, stepEvent(step, now, reconcileActor))
			}
			change.Steps = append(change.Steps, *step)
			done = append(done, Action{Kind: ActionAdopted, Step: f.Step, SID: f.adopt.SID, Note: f.adopt.RemoteStatus})
		}
		if len(change.Steps) == 0 {
			return Change{}, nothing
		}
		change.conclude(o)
		return change, nil
	})
	switch {
	case errors.Is(err, nothing):
		return nil, nil
	case err != nil:
		return nil, err
	default:
		return done, nil
	}
}

// record puts what was found into the step and says whether that brought it into another state. Of a step that has succeeded before, only
// the gaps are filled.
func record(step *Step, found Result, now time.Time) (entered bool) {
	if step.State == StepSucceeded {
		step.SID = found.SID
		if step.RemoteStatus == "" {
			step.RemoteStatus = found.RemoteStatus
		}
		return false
	}
	step.State = StepSucceeded
	step.SID, step.RemoteStatus = found.SID, found.RemoteStatus
	step.Error, step.Requirements = nil, nil
	step.WaitsFor, step.NextAttemptAt = "", time.Time{}
	if step.StartedAt.IsZero() {
		step.StartedAt = now
	}
	step.FinishedAt = now
	return true
}

// moved tells whether a runner, or anybody, has done something about the step since it was read as before.
func moved(now, before Step) bool {
	return now.State != before.State || now.SID != before.SID || now.RemoteStatus != before.RemoteStatus ||
		now.Attempts != before.Attempts || !now.IntentAt.Equal(before.IntentAt)
}

// remove removes what is surplus, in the reverse order of the plan: what is assigned comes off before it goes. What Twilio does not let
// go of is kept, and told.
func (r *Reconciler) remove(ctx context.Context, report Report) (removed, kept []Action, err error) {
	for _, f := range slices.Backward(report.Findings) {
		if f.Verdict != VerdictSurplus {
			continue
		}
		action := Action{Kind: ActionKept, Step: f.Step, SID: f.HeldSID, Note: f.Note}
		if f.surplus == nil {
			kept = append(kept, action)
			continue
		}
		switch still, err := r.stillSurplus(ctx, report.ID, *f.surplus); {
		case err != nil:
			action.Note = err.Error()
		case !still:
			action.Note = "the ledger or Twilio changed meanwhile"
		default:
			if err := f.surplus.remove(ctx, r.Hub); err != nil {
				action.Note = err.Error()
				break
			}
			action.Kind = ActionRemoved
		}
		if action.Kind == ActionRemoved {
			removed = append(removed, action)
		} else {
			kept = append(kept, action)
		}
	}
	if len(removed) == 0 {
		return nil, kept, nil
	}
	if err := r.tell(context.WithoutCancel(ctx), report.ID, removed); err != nil {
		return removed, kept, fmt.Errorf("record what was removed: %w", err)
	}
	return removed, kept, nil
}

// stillSurplus looks again, right before the removal: the step has not changed, and Twilio holds both what it has recorded and the other.
func (r *Reconciler) stillSurplus(ctx context.Context, id ID, s surplus) (bool, error) {
	o, err := r.read(ctx, id)
	if err != nil {
		return false, err
	}
	step := o.Step(s.of.Key)
	if step == nil || step.SID == "" || moved(*step, s.of) || !o.CanceledAt.IsZero() {
		return false, nil
	}
	found, err := r.patiently(ctx, s.find)
	if err != nil {
		return false, err
	}
	return holds(found, step.SID) && holds(found, s.sid), nil
}

func holds(found []Result, sid string) bool {
	return slices.ContainsFunc(found, func(r Result) bool { return r.SID == sid })
}

// tell writes removals into the history.
func (r *Reconciler) tell(ctx context.Context, id ID, actions []Action) error {
	return r.Store.Update(ctx, id, func(o *Onboarding, now time.Time) (Change, error) {
		r.Plan.Arrange(o)
		change := Change{ID: o.ID}
		change.conclude(o)
		for _, a := range actions {
			kind := "step.extra_removed"
			if a.Kind == ActionKept {
				kind = "step.extra_kept"
			}
			change.Events = append(change.Events, Event{At: now, Kind: kind, Step: a.Step, Actor: reconcileActor, Detail: a.SID})
		}
		return change, nil
	})
}

// wake writes down what is kept, and has the runner look at reviews of which Twilio says something else than the ledger: what a review
// says is the runner's to act on.
func (r *Reconciler) wake(ctx context.Context, report Report, kept []Action) ([]Action, error) {
	var woken []Action
	for _, f := range report.Findings {
		if f.Verdict == VerdictOtherStatus && f.Step.IsReview() && (f.State == StepWaiting || f.State == StepPending) {
			woken = append(woken, Action{Kind: ActionWoken, Step: f.Step, SID: f.HeldSID, Note: "the runner reads it now"})
		}
	}
	if len(woken) == 0 && len(kept) == 0 {
		return nil, nil
	}
	return woken, r.tell(ctx, report.ID, kept)
}
