package plan

import (
	"context"
	"errors"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// reviewed lays out the bundle's evaluation, submission and review. The evaluation needs all that
// was assigned, and waits for the review waitsFor, unless "", where that is all that it finds
// amiss. Of a bundle that was taken over when it had been submitted, the first two are behind it.
func (b bundle) reviewed(o *onboarding.Onboarding, needs []onboarding.Key, waitsFor onboarding.Key) []onboarding.Node {
	if b.takenOverSubmitted(o) {
		// Nor do they wait for what is put on it: that may have to wait for the review.
		return []onboarding.Node{
			b.nothingToDo(onboarding.KindEvaluation, b.key.Evaluation(), b.key),
			b.nothingToDo(onboarding.KindSubmission, b.key.Submission(), b.key.Evaluation()),
			b.review(),
		}
	}
	return []onboarding.Node{b.evaluation(needs, waitsFor), b.submission(), b.review()}
}

// evaluation asks Twilio whether the bundle is complete. Nothing is submitted that is not
// (invariant 6): Twilio would answer 200 and leave it in draft.
func (b bundle) evaluation(needs []onboarding.Key, waitsFor onboarding.Key) onboarding.Node {
	key := b.key.Evaluation()
	return onboarding.Node{
		Key: key, Role: onboarding.Role{Kind: onboarding.KindEvaluation, Bundle: b.key}, Needs: needs,
		Effect: func(o *onboarding.Onboarding) onboarding.Effect {
			account, bundleSID := o.SubaccountSID, o.SID(b.key)
			before, outdated := o.SID(key), false
			if s := o.Step(key); s != nil {
				outdated = s.RemoteStatus == onboarding.EvaluationOutdated
			}
			// An evaluation that is made after the approval must not wait for it: that would be for
			// ever. One that is looked up may have been made before it, whatever has become of the
			// review since, and is outdated then. To wait for what has happened already means to
			// evaluate again.
			waitsForNow := waitsFor
			if s := o.Step(waitsFor); s != nil && s.State == onboarding.StepSucceeded {
				waitsForNow = ""
			}
			return onboarding.Effect{
				Do: func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
					made, err := hub.Evaluate(ctx, account, b.kind, bundleSID, b.policySID)
					return evaluated(made, waitsForNow), err
				},
				// An evaluation carries no name. Only we evaluate this bundle, so one newer than
				// the last we know of is the one that was lost.
				Find: func(ctx context.Context, hub onboarding.TrustHub) ([]onboarding.Outcome, error) {
					found, err := hub.FindEvaluations(ctx, account, b.kind, bundleSID)
					if err != nil || len(found) == 0 || found[0].SID == before || outdated {
						return nil, err
					}
					return []onboarding.Outcome{evaluated(found[0], waitsFor)}, nil
				},
			}
		},
	}
}

// submission hands the bundle to Twilio's reviewers. What counts is the status in the answer.
func (b bundle) submission() onboarding.Node {
	return onboarding.Node{
		Key: b.key.Submission(), Role: onboarding.Role{Kind: onboarding.KindSubmission, Bundle: b.key}, Needs: []onboarding.Key{b.key.Evaluation()},
		Effect: func(o *onboarding.Onboarding) onboarding.Effect {
			account, bundleSID := o.SubaccountSID, o.SID(b.key)
			before := onboarding.BundleDraft
			if o.Bundle(b.key).Status == onboarding.BundleRejected {
				before = onboarding.BundleRejected
			}
			return onboarding.Effect{
				Do: func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
					answered, err := hub.SubmitBundle(ctx, account, b.kind, bundleSID)
					if b.kind == onboarding.TrustProduct && before == onboarding.BundleRejected && isRefusal(err) {
						// Some have seen a rejected product that could not be submitted again; the
						// profile under it can be.
						return onboarding.Superseded{Bundles: []onboarding.Key{b.key}}, nil
					}
					if err == nil && answered.Status == before {
						return onboarding.Wanting{Seen: onboarding.Seen{Status: answered.Status}, Requirements: leftInDraft()}, nil
					}
					return seen("", answered.Status), err
				},
				// Nothing but a submission takes a bundle out of draft. One that was rejected may
				// have been handed in again and rejected again since; handing in the same once more
				// costs a review, and that is all.
				Find: func(ctx context.Context, hub onboarding.TrustHub) ([]onboarding.Outcome, error) {
					read, err := hub.FetchBundle(ctx, account, b.kind, bundleSID)
					if err != nil || read.Status == before {
						return nil, err
					}
					return []onboarding.Outcome{seen("", read.Status)}, nil
				},
			}
		},
	}
}

// review waits for the reviewers' decision: a callback or a poll makes it read the bundle.
func (b bundle) review() onboarding.Node {
	return onboarding.Node{
		Key: b.key.Review(), Role: onboarding.Role{Kind: onboarding.KindReview, Bundle: b.key, Source: onboarding.SourceReview},
		Needs: []onboarding.Key{b.key.Submission()},
		Effect: func(o *onboarding.Onboarding) onboarding.Effect {
			account, bundleSID, replaces, request := o.SubaccountSID, o.SID(b.key), b.standing(o), o.Request
			status := o.Bundle(b.key).Status
			return onboarding.Effect{
				Look: func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
					read, err := hub.FetchBundle(ctx, account, b.kind, bundleSID)
					deleted := onboarding.Seen{Status: onboarding.BundleDeleted}
					switch {
					case onboarding.IsNotFound(err) && status == onboarding.BundleDeleted: // A person has been told and has resumed.
						return onboarding.Superseded{Seen: deleted, Bundles: replaces}, nil
					case onboarding.IsNotFound(err):
						return onboarding.Wanting{Seen: deleted, Requirements: deletedBundle(bundleSID), Final: true}, nil
					case err != nil:
						return nil, err
					}
					return b.decided(read, request), nil
				},
				NotYet: onboarding.UnderReview(status),
			}
		},
	}
}

// standing returns the bundles that fall with this one: itself, and with the profile the products.
func (b bundle) standing(o *onboarding.Onboarding) []onboarding.Key {
	bundles := []onboarding.Key{b.key}
	if b.kind == onboarding.CustomerProfile {
		for _, p := range o.Request.WantedProducts() {
			if o.SID(p.Bundle()) != "" {
				bundles = append(bundles, p.Bundle())
			}
		}
	}
	return bundles
}

// decided reads a bundle as the outcome of its review. A status that nobody has heard of counts as
// still in review.
func (b bundle) decided(read onboarding.Bundle, r onboarding.Request) onboarding.Outcome {
	now := onboarding.Seen{Status: read.Status}
	switch read.Status {
	case onboarding.BundleApproved:
		at, until := b.now(), time.Time{}
		if read.ValidUntil.After(at) {
			until = read.ValidUntil
		}
		asked := endingRequirements(read.ValidUntil, at, b.endingNotice)
		if len(asked) > 0 {
			return onboarding.Wanting{Seen: now, Requirements: asked, Until: until}
		}
		return onboarding.Done{Seen: now, Until: until}
	case onboarding.BundleRejected:
		return onboarding.Wanting{Seen: now, Requirements: rejectionRequirements(r, read.Errors)}
	case onboarding.BundleDraft:
		return onboarding.Wanting{Seen: now, Requirements: leftInDraft()}
	default:
		return onboarding.Reviewing{Seen: now}
	}
}

// isRefusal tells whether Twilio refused the call for good, and did nothing.
func isRefusal(err error) bool {
	var remote *onboarding.RemoteError
	return errors.As(err, &remote) && (remote.Class == onboarding.ClassPermanent || remote.Class == onboarding.ClassExists)
}
