package reconcile

import (
	"context"
	"slices"
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
)

// judge holds what was found against the step, and fills in what the ledger lacks.
func (c *comparison) judge(l *look) {
	step := c.step(l.node.Key)
	f := Finding{Step: step.Key, State: step.State, SID: step.SID, Status: step.RemoteStatus, Verdict: VerdictSame, kind: l.node.Kind, before: step}
	if len(l.found) > 0 {
		f.Remote = onboarding.SeenIn(l.found[0])
	}
	var others []Finding
	switch {
	case l.err != nil:
		f.Verdict, f.Note, f.Err = VerdictNotCompared, l.err.Error(), l.err
		// What a read or a deed has brought is in the ledger, if it has succeeded; an object is
		// known by its SID.
		c.atHand[f.Step] = f.SID != "" || f.State == onboarding.StepSucceeded && !l.node.Kind.IsUnique()
	case l.effect.Do == nil:
		c.judgeRead(&f, l)
	case l.node.Kind.IsUnique():
		others = c.judgeObject(&f, l)
	default:
		c.judgeDeed(&f, l)
	}
	if f.Verdict == VerdictMissing && !step.FinishedAt.IsZero() && c.ledger.ReadAt.Before(step.FinishedAt.Add(c.r.Settle)) {
		f.Verdict, f.Note = VerdictUnknown, "done a moment ago: Twilio's lists may lag"
	}
	c.findings[f.Step] = append([]Finding{f}, others...)
}

// judgeRead judges what a read says now.
func (c *comparison) judgeRead(f *Finding, l *look) {
	done := f.State == onboarding.StepSucceeded
	if len(l.found) == 0 {
		if done {
			f.Verdict = VerdictMissing
		}
		return
	}
	now := l.found[0]
	seen, asks := onboarding.SeenIn(now), onboarding.AskedIn(now)
	known := f.Status
	for _, need := range l.node.Needs {
		if known == "" { // A review that was not read yet: the submission was told a status.
			known = c.filled.Step(need).RemoteStatus
		}
	}
	switch {
	case done && len(asks) > 0:
		f.Verdict, f.Note = VerdictOtherStatus, asked(asks)
	case done && f.SID == "" && seen.SID != "":
		f.Verdict, f.adopt = VerdictUnrecorded, &seen
	case !sameStatus(known, seen.Status):
		f.Verdict = VerdictOtherStatus
	}
	c.fill(f.Step, seen)
	switch now := now.(type) {
	case onboarding.Reviewing:
		c.atHand[f.Step] = done
	case onboarding.Wanting:
		c.atHand[f.Step] = done
		c.resolve(now.Numbers)
	case onboarding.Done:
		c.atHand[f.Step] = true
		c.resolve(now.Numbers)
	default:
		c.atHand[f.Step] = true
	}
}

// resolve fills in the numbers where the ledger has none.
func (c *comparison) resolve(numbers []onboarding.PhoneNumber) {
	if len(c.filled.Numbers) == 0 {
		c.filled.Numbers = numbers
	}
}

// judgeDeed judges a submission, an evaluation, or a deed of which nothing can be looked up.
func (c *comparison) judgeDeed(f *Finding, l *look) {
	done := f.State == onboarding.StepSucceeded
	c.atHand[f.Step] = done
	if len(l.found) == 0 {
		if l.effect.Find != nil && (done || f.SID != "") {
			f.Verdict = VerdictMissing
		}
		return
	}
	now := onboarding.SeenIn(l.found[0])
	if l.node.Kind == onboarding.KindEvaluation {
		c.judgeEvaluation(f, l.found[0])
		return
	}
	switch {
	case done:
	case now.Status == onboarding.BundleRejected:
		f.Note = "rejected after an earlier submission"
	default:
		f.Verdict, f.adopt = VerdictUnrecorded, &now
		c.atHand[f.Step] = true
		c.fill(f.Step, now)
	}
}

// judgeEvaluation judges the newest evaluation that Twilio has.
func (c *comparison) judgeEvaluation(f *Finding, newest onboarding.Outcome) {
	done, now, asks := f.State == onboarding.StepSucceeded, onboarding.SeenIn(newest), onboarding.AskedIn(newest)
	_, compliant := newest.(onboarding.Done)
	switch {
	case now.SID == f.SID:
	case f.SID != "":
		f.Note = "Twilio has a newer one, which does no harm"
	case done && compliant:
		f.Verdict, f.adopt = VerdictUnrecorded, &now
	case done:
		f.Verdict, f.Note = VerdictOtherStatus, asked(asks)
	default:
		// Nothing is submitted on the strength of an evaluation that was not made for it (invariant
		// 6).
		f.Note = "the runner makes a new one, which does no harm"
	}
	c.atHand[f.Step] = done || len(asks) == 0
	c.fill(f.Step, now)
}

// judgeObject judges what there must be one of, and returns what there is beyond that.
func (c *comparison) judgeObject(f *Finding, l *look) (others []Finding) {
	f.Status, f.Remote.Status = "", "" // A bundle's status is in the line of its review; here it would be that of its first day.
	found := make([]onboarding.Seen, len(l.found))
	for i := range l.found {
		found[i] = onboarding.SeenIn(l.found[i])
	}
	at := slices.IndexFunc(found, func(s onboarding.Seen) bool { return s.SID == f.SID })
	var surplus []onboarding.Seen
	switch {
	case f.SID == "" && len(found) == 0:
		if f.State == onboarding.StepSucceeded {
			f.Verdict, f.Note = VerdictMissing, "the ledger has no SID either"
		}
		return nil
	case f.SID == "":
		f.Verdict, f.adopt = VerdictUnrecorded, &found[0]
		c.fill(f.Step, found[0])
		surplus = found[1:]
	case at >= 0:
		f.Remote.SID = f.SID
		surplus = slices.Delete(slices.Clone(found), at, at+1)
	default:
		f.Verdict = VerdictMissing
		if len(found) > 0 {
			f.Note = "there is another in its place: a person must decide"
		}
	}
	c.atHand[f.Step] = true
	for _, s := range surplus {
		others = append(others, c.judgeSurplus(*f, s, l.effect))
	}
	return others
}

// judgeSurplus judges an object beside the one of the finding.
func (c *comparison) judgeSurplus(of Finding, s onboarding.Seen, effect onboarding.Effect) Finding {
	f := Finding{Step: of.Step, State: of.State, SID: of.SID, Status: of.Status, Remote: s, Verdict: VerdictSurplus}
	switch {
	case of.SID == "":
		f.Note = "the oldest is the one to adopt"
	case s.Status != "" && s.Status != onboarding.BundleDraft:
		f.Note = "no longer a draft: a person must decide"
	case effect.Remove == nil:
		f.Note = "not ours to remove: a person must decide"
	default:
		f.surplus = &surplus{of: of.before, sid: s.SID, find: effect.Find, remove: removal(effect, s.SID)}
	}
	return f
}

func removal(e onboarding.Effect, sid string) func(context.Context, onboarding.TrustHub) error {
	return func(ctx context.Context, hub onboarding.TrustHub) error { return e.Remove(ctx, hub, sid) }
}

// fill puts what was found where the ledger has nothing.
func (c *comparison) fill(k onboarding.Key, found onboarding.Seen) {
	step := c.filled.Step(k)
	if step.SID == "" {
		step.SID = found.SID
	}
	if step.RemoteStatus == "" {
		step.RemoteStatus = found.Status
	}
}

// sameStatus tells whether two of Twilio's words leave nothing to act on between them. A bundle
// goes from pending-review to in-review by itself.
func sameStatus(known, now string) bool {
	return known == "" || now == "" || known == now || onboarding.UnderReview(known) && onboarding.UnderReview(now)
}

// asked says what requirements are about, without their texts: those may be Twilio's.
func asked(requirements []onboarding.Requirement) string {
	const most = 3
	var parts []string
	for i, r := range requirements {
		if i == most {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, strings.TrimSpace(r.Pointer+" "+r.Code))
	}
	return strings.Join(parts, ", ")
}
