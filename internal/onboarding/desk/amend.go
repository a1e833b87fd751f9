package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// ErrVersion says that the request was amended since the version that the amendment was made for.
var ErrVersion = errors.New("the onboarding has a newer version of the request")

// errNothing says that a change would change nothing: nothing is written, and nobody is
// interrupted.
var errNothing = errors.New("nothing changes")

// Amend replaces the request by a new version. What holds the amended parts at Twilio is updated in
// place, and what was evaluated and rejected is evaluated and submitted again, on the same bundle;
// everything else is left alone. Phone numbers come and go as with [Service.AddNumbers] and
// [Service.RemoveNumber].
//
// An amendment that changes nothing makes no version: it hands in again what was rejected or
// refused.
//
// It is refused for what is on a bundle that Twilio is reviewing or has approved: neither can be
// edited, and nothing that was approved is put at risk.
// Errors: onboarding.ErrNotFound, ErrVersion, *RefusedError.
func (s *Service) Amend(ctx context.Context, actor string, id onboarding.ID, version int, amended onboarding.Request) (*onboarding.Onboarding, error) {
	err := s.Repository.Interrupt(ctx, id, func(o *onboarding.Onboarding, now time.Time) (onboarding.Change, error) {
		if version != o.Version {
			return onboarding.Change{}, ErrVersion
		}
		return amendment{plan: s.Plan, amended: amended, retryFailed: true}.apply(o, actor, now)
	})
	if err != nil && !errors.Is(err, errNothing) {
		return nil, fmt.Errorf("amend onboarding %s: %w", id, err)
	}
	return s.Get(ctx, id)
}

// amendment is a new version of a request, and what is to be done again beside what it changes.
type amendment struct {
	plan    onboarding.Plan
	amended onboarding.Request
	// retry are steps that are due again in any case.
	retry []onboarding.Key
	// retryFailed takes up anew what failed on a bundle.
	retryFailed bool
}

// apply works out what the amendment changes in the ledger.
func (a amendment) apply(o *onboarding.Onboarding, actor string, now time.Time) (onboarding.Change, error) {
	changed, err := onboarding.ChangedPointers(o.Request, a.amended)
	if err != nil {
		return onboarding.Change{}, err
	}
	nodesBefore, _ := a.plan.Arrange(o)
	if err := a.refuse(o, nodesBefore, changed); err != nil {
		return onboarding.Change{}, err
	}
	suspects := map[onboarding.Key]bool{}
	if a.retryFailed {
		suspects = suspectObjects(o, nodesBefore)
	}
	begun := begunSteps(o)

	o.Request = a.amended
	if kept := slices.DeleteFunc(slices.Clone(o.Numbers), func(n onboarding.PhoneNumber) bool { return !a.amended.WantsNumber(n) }); len(kept) < len(o.Numbers) {
		o.Numbers = kept
	}
	over := o.Canceled()
	nodes, added := a.plan.Arrange(o)
	touched := touchedNodes(nodes, begun, changed, suspects)
	edited, err := editedBundles(o, nodes, touched, added)
	if err != nil {
		return onboarding.Change{}, err
	}

	d := newDraft(o, actor, now)
	a.tell(d, len(changed) > 0)
	d.entry.WantAgain(added, over, now)
	d.replaceRemade(nodesBefore, nodes, changed)
	for _, n := range touched {
		d.begin(n.Key)
	}
	for _, key := range a.retry {
		d.begin(key)
	}
	if hasAny(changed, "/phone_numbers") {
		d.entry.Change.Numbers = o.Numbers
		d.begin(onboarding.PreflightKey)
	}
	d.letGo(nodes)
	for i := range nodes {
		if n := &nodes[i]; n.Kind == onboarding.KindBundle && n.Aim == onboarding.AimDone {
			d.reopen(n.Bundle, edited[n.Bundle], a.retryFailed)
		}
	}
	if d.entry.Change.Request == nil {
		d.retryRefused(nodes)
		if !d.entry.HasSteps() {
			return onboarding.Change{}, errNothing
		}
	}
	return d.finish()
}

// tell writes the next version of the request, with its event. Where nothing changes there is none.
func (a *amendment) tell(d *draft, changes bool) {
	if !changes && len(a.retry) == 0 {
		d.entry.Tell(d.now, "onboarding.resubmitted", "", "")
		return
	}
	version := d.onb.Version + 1
	d.entry.Change.Request, d.entry.Change.Version = &a.amended, version
	d.entry.Tell(d.now, "onboarding.amended", "", fmt.Sprintf("version %d", version))
}

// touchedNodes are the nodes whose objects hold what changed, and those under suspicion, as far as
// anything was done about them.
func touchedNodes(nodes []onboarding.Node, begun map[onboarding.Key]bool, changed []string, suspects map[onboarding.Key]bool) []*onboarding.Node {
	var touched []*onboarding.Node
	for i := range nodes {
		n := &nodes[i]
		if n.Aim == onboarding.AimDone && begun[n.Key] && (suspects[n.Key] || hasAny(changed, n.Parts...)) {
			touched = append(touched, n)
		}
	}
	return touched
}

// suspectObjects returns the steps whose objects may not be what the request says: those that a
// bundle's evaluation finds fault with, because somebody may have changed or deleted them at
// Twilio, and of those that a review does the ones that were taken over. An amendment writes to
// them even where it says what the request has said already.
func suspectObjects(o *onboarding.Onboarding, nodes []onboarding.Node) map[onboarding.Key]bool {
	takenOver := make(map[onboarding.Key]bool)
	faults := make(map[onboarding.Key][]string) // by bundle, of its evaluation
	reviewed := make(map[onboarding.Key][]string)
	for i := range nodes {
		n, s := &nodes[i], &o.Steps[i]
		if n.Kind == onboarding.KindBundle && n.Given {
			takenOver[n.Bundle] = true
		}
		if s.State != onboarding.StepFailed {
			continue
		}
		for _, r := range s.Requirements {
			switch n.Kind {
			case onboarding.KindEvaluation:
				faults[n.Bundle] = append(faults[n.Bundle], r.Pointer)
			case onboarding.KindReview:
				reviewed[n.Bundle] = append(reviewed[n.Bundle], r.Pointer)
			default: // What else asks is not about what Twilio has.
			}
		}
	}
	suspects := make(map[onboarding.Key]bool)
	for i := range nodes {
		n := &nodes[i]
		if n.Kind != onboarding.KindObject {
			continue
		}
		pointers := faults[n.Bundle]
		if n.Given || takenOver[n.Bundle] {
			pointers = slices.Concat(pointers, reviewed[n.Bundle])
		}
		if slices.ContainsFunc(pointers, func(p string) bool { return p != "" && isAbout(p, n.Parts) }) {
			suspects[n.Key] = true
		}
	}
	return suspects
}

// isAbout tells whether the pointer leads to one of the parts or below, or above one of them.
func isAbout(pointer string, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool {
		return strings.HasPrefix(pointer+"/", part+"/") || strings.HasPrefix(part+"/", pointer+"/")
	})
}

// hasAny tells whether one of the parts is among what changed.
func hasAny(changed []string, parts ...string) bool {
	return slices.ContainsFunc(changed, func(pointer string) bool { return isAbout(pointer, parts) })
}

// begunSteps are the steps about which something was done.
func begunSteps(o *onboarding.Onboarding) map[onboarding.Key]bool {
	begun := make(map[onboarding.Key]bool, len(o.Steps))
	for i := range o.Steps {
		s := &o.Steps[i]
		begun[s.Key] = s.State != onboarding.StepPending || s.SID != "" || !s.StartedAt.IsZero()
	}
	return begun
}
