package desk

import (
	"fmt"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// draft is a change to an onboarding while it is worked out.
type draft struct {
	onb   *onboarding.Onboarding
	now   time.Time
	entry *onboarding.Entry
}

func newDraft(o *onboarding.Onboarding, actor string, now time.Time) *draft {
	return &draft{onb: o, now: now, entry: onboarding.NewEntry(o, actor)}
}

// finish returns the change. A step that went a way which the charts do not have is a fault of the
// program: nothing is written then.
func (d *draft) finish() (onboarding.Change, error) {
	if d.entry.Uncharted != "" {
		return onboarding.Change{}, fmt.Errorf("the charts have no way for the step %s", d.entry.Uncharted)
	}
	return d.entry.Finish(), nil
}

// begin makes a step due again; what it made before stays recorded, and is updated in place.
func (d *draft) begin(key onboarding.Key) {
	step := d.onb.Step(key)
	step.Error = nil
	d.entry.Enter(step, onboarding.StepPending, d.now)
}

// replaceRemade has another object made, or taken over, in the place of one that Twilio cannot
// change into what is wanted. One that we made is recorded, to be found by a cleanup and not to be
// taken for the new one.
func (d *draft) replaceRemade(before, nodes []onboarding.Node, changed []string) {
	wasGiven := make(map[onboarding.Key]bool)
	for i := range before {
		wasGiven[before[i].Key] = before[i].Given
	}
	for i := range nodes {
		n := &nodes[i]
		if n.Aim != onboarding.AimDone || !hasAny(changed, n.RemadeFor...) {
			continue
		}
		step := d.onb.Step(n.Key)
		if step.SID != "" && !wasGiven[n.Key] {
			old := onboarding.ReplacedStep(step, "", d.now)
			d.entry.Write(&old)
			d.entry.Tell(d.now, "object.replaced", n.Key, old.SID)
			d.onb.Steps = append(d.onb.Steps, old)
			step = d.onb.Step(n.Key) // The steps may have moved.
		}
		step.SID = ""
	}
}

// retryRefused makes due again what was refused for good, and is not read again by itself.
func (d *draft) retryRefused(nodes []onboarding.Node) {
	for i := range nodes {
		step := d.onb.Step(nodes[i].Key)
		if step.State == onboarding.StepFailed && step.NextAttemptAt.IsZero() {
			d.begin(step.Key)
		}
	}
}

// letGo makes due again what failed and is to be removed, or only settled, now. In a canceled
// onboarding nothing waits for a review that is not read any more.
func (d *draft) letGo(nodes []onboarding.Node) {
	for i := range nodes {
		n, s := &nodes[i], d.onb.Step(nodes[i].Key)
		if n.Aim == onboarding.AimDone || s == nil {
			continue
		}
		if s.State == onboarding.StepFailed || !d.onb.CanceledAt.IsZero() && s.State == onboarding.StepWaiting && s.WaitsFor != "" {
			d.begin(n.Key)
		}
	}
}

// reopen makes the bundle's evaluation, submission and review due again: where something on it is
// edited, and, if failures are to be taken up, where it failed one of them. Of a bundle that is
// under review, approved or deleted only the review is read again: there the reading is what has
// failed.
func (d *draft) reopen(bundle onboarding.Key, edited, retryFailed bool) {
	evaluation, submission, review := d.onb.Step(bundle.Evaluation()), d.onb.Step(bundle.Submission()), d.onb.Step(bundle.Review())
	failed := evaluation.State == onboarding.StepFailed || submission.State == onboarding.StepFailed || review.State == onboarding.StepFailed
	if !edited && !(failed && retryFailed) {
		return
	}
	created, status := d.onb.Step(bundle), d.onb.Bundle(bundle).Status
	if onboarding.UnderReview(status) || status == onboarding.BundleApproved || status == onboarding.BundleDeleted {
		d.begin(review.Key)
		return
	}
	// What the steps say of the bundle's status goes; the bundle's own step keeps it until the next
	// submission.
	if status != "" && created.RemoteStatus != status {
		created.RemoteStatus = status
		d.entry.Write(created)
	}
	for _, step := range []*onboarding.Step{evaluation, submission, review} {
		if step.State == onboarding.StepPending {
			continue
		}
		switch {
		case step != evaluation:
			step.RemoteStatus = ""
		case step.State == onboarding.StepRunning:
			step.RemoteStatus = onboarding.EvaluationOutdated
		}
		step.Attempts, step.StartedAt = 0, time.Time{}
		d.begin(step.Key)
	}
	for i := range d.onb.Steps {
		if s := &d.onb.Steps[i]; s.WaitsFor == review.Key && s.Bundle == bundle {
			d.begin(s.Key) // What was refused during the review may be done now.
		}
	}
}
