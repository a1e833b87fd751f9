package onboarding

import (
	"context"
	"errors"
	"slices"
	"time"
)

// bundle builds the nodes of a customer profile or a trust product: both are made, filled, evaluated, submitted and reviewed alike.
type bundle struct {
	kind      BundleKind
	key       Key
	policySID string
	// given is the SID of a bundle that the request names, to be taken over; "" if one is to be made. givenPointer is where it names it.
	given        string
	givenPointer string
	// endingNotice is how long before an approval ends somebody is asked to act.
	endingNotice time.Duration
}

// create makes the bundle, in draft, or takes over the one that the request names.
func (b bundle) create(callbackURL func(token string) string) Node {
	node := Node{Key: b.key, Needs: []Key{keyPreflight}}
	if b.given != "" {
		node.Effect = b.takeOver
		return node
	}
	node.Effect = func(o *Onboarding) Effect {
		account, name := o.SubaccountSID, tag(o.ID, b.key)
		spec := NewBundle{Kind: b.kind, FriendlyName: name, PolicySID: b.policySID, Email: o.Request.NotificationEmail}
		if callbackURL != nil {
			spec.StatusCallback = callbackURL(o.CallbackToken)
		}
		replaced := replacedSIDs(o, b.key)
		return Effect{
			Do: func(ctx context.Context, hub TrustHub) (Result, error) {
				made, err := hub.CreateBundle(ctx, account, spec)
				return Result{SID: made.SID, RemoteStatus: made.Status}, err
			},
			Find: func(ctx context.Context, hub TrustHub) ([]Result, error) {
				found, err := hub.FindBundles(ctx, account, b.kind, name, b.policySID)
				var results []Result
				for _, f := range found {
					if !slices.Contains(replaced, f.SID) { // Those bear the same name.
						results = append(results, Result{SID: f.SID, RemoteStatus: f.Status})
					}
				}
				return results, err
			},
			Remove: func(ctx context.Context, hub TrustHub, sid string) error {
				return hub.DeleteBundle(ctx, account, b.kind, sid)
			},
		}
	}
	return node
}

// assign puts what the step object made on the bundle. One that is taken over may not take it, and is to blame then.
func (b bundle) assign(object Key) Node {
	return Node{Key: b.key.Sub(string(object)), Needs: []Key{b.key, object}, Effect: func(o *Onboarding) Effect {
		if b.given != "" {
			return b.assignEffect(o, o.SID(object), b.givenPointer)
		}
		return b.assignEffect(o, o.SID(object), "")
	}}
}

// assignPrimary connects a secondary customer profile to the ISV's primary one.
func (b bundle) assignPrimary() Node {
	return Node{Key: b.key.Sub("primary"), Needs: []Key{b.key}, Effect: func(o *Onboarding) Effect {
		return b.assignEffect(o, o.Request.PrimaryProfileSID, "/primary_profile_sid")
	}}
}

func (b bundle) assignEffect(o *Onboarding, objectSID, pointer string) Effect {
	account, bundleSID := o.SubaccountSID, o.SID(b.key)
	e := Effect{
		Do: func(ctx context.Context, hub TrustHub) (Result, error) {
			made, err := hub.AssignEntity(ctx, account, b.kind, bundleSID, objectSID)
			return Result{SID: made.SID}, err
		},
		Find: func(ctx context.Context, hub TrustHub) ([]Result, error) {
			return results(hub.FindEntityAssignments(ctx, account, b.kind, bundleSID, objectSID))
		},
		Remove: func(ctx context.Context, hub TrustHub, sid string) error {
			return hub.DeleteEntityAssignment(ctx, account, b.kind, bundleSID, sid)
		},
		Pointer: pointer,
	}
	if b.given == "" {
		return e
	}
	return e.unlessLocked(o, b.key).lookingFirst()
}

// reviewed lays out the bundle's evaluation, submission and review. The evaluation needs all that was assigned; gate, unless nil, adds what
// it waits for. Of a bundle that was taken over when it had been submitted, the first two are behind it.
func (b bundle) reviewed(o *Onboarding, assigned []Key, gate func(Node) Node) []Node {
	evaluation, submission := b.evaluation(assigned), b.submission()
	if gate != nil {
		evaluation = gate(evaluation)
	}
	if b.takenOverSubmitted(o) {
		// Nor do they wait for what is put on it: that may have to wait for the review.
		evaluation, submission = nothingToDo(evaluation.Key, b.key), nothingToDo(submission.Key, evaluation.Key)
	}
	return []Node{evaluation, submission, b.review()}
}

// evaluation asks Twilio whether the bundle is complete. Nothing is submitted that is not (invariant 6): Twilio would answer 200 and leave
// it in draft.
func (b bundle) evaluation(needs []Key) Node {
	return Node{Key: b.key.Sub("evaluation"), Needs: needs, Effect: func(o *Onboarding) Effect {
		account, bundleSID := o.SubaccountSID, o.SID(b.key)
		before, outdated := o.SID(b.key.Sub("evaluation")), false
		if s := o.Step(b.key.Sub("evaluation")); s != nil {
			outdated = s.RemoteStatus == evaluationOutdated
		}
		return Effect{
			Do: func(ctx context.Context, hub TrustHub) (Result, error) {
				made, err := hub.Evaluate(ctx, account, b.kind, bundleSID, b.policySID)
				return verdict(made), err
			},
			// An evaluation carries no name. Only we evaluate this bundle, so one newer than the last we know of is the one that was lost.
			Find: func(ctx context.Context, hub TrustHub) ([]Result, error) {
				found, err := hub.FindEvaluations(ctx, account, b.kind, bundleSID)
				if err != nil || len(found) == 0 || found[0].SID == before || outdated {
					return nil, err
				}
				return []Result{verdict(found[0])}, nil
			},
		}
	}}
}

// evaluationOutdated is our word for the status of an evaluation that was under way when something on the bundle was corrected. What a lookup
// finds then may be the one of before; an evaluation does no harm, so another is made.
const evaluationOutdated = "outdated"

// unlessOnlyStatus makes an evaluation wait for the step review, where the only thing it finds amiss is that the supporting bundle is not
// approved yet.
//
// One that is made after the approval must not wait: that would be for ever. One that is looked up may have been made before it, whatever
// has become of the review since, and is then outdated: waiting for what has happened already means that it is made again.
func (n Node) unlessOnlyStatus(review Key) Node {
	effect := n.Effect
	n.Effect = func(o *Onboarding) Effect {
		e := effect(o)
		do, find := e.Do, e.Find
		if s := o.Step(review); s == nil || s.State != StepSucceeded {
			e.Do = func(ctx context.Context, hub TrustHub) (Result, error) {
				r, err := do(ctx, hub)
				return r.waitForStatus(review), err
			}
		}
		e.Find = func(ctx context.Context, hub TrustHub) ([]Result, error) {
			found, err := find(ctx, hub)
			for i := range found {
				found[i] = found[i].waitForStatus(review)
			}
			return found, err
		}
		return e
	}
	return n
}

// submission hands the bundle to Twilio's reviewers. What counts is the status in the answer.
func (b bundle) submission() Node {
	return Node{Key: b.key.Sub("submission"), Needs: []Key{b.key.Sub("evaluation")}, Effect: func(o *Onboarding) Effect {
		account, bundleSID := o.SubaccountSID, o.SID(b.key)
		before := BundleDraft
		if o.Bundle(b.key).Status == BundleRejected {
			before = BundleRejected
		}
		return Effect{
			Do: func(ctx context.Context, hub TrustHub) (Result, error) {
				answered, err := hub.SubmitBundle(ctx, account, b.kind, bundleSID)
				if b.kind == TrustProduct && before == BundleRejected && isRefusal(err) {
					// Some have seen a rejected product that could not be submitted again; the profile under it can be.
					return Result{Replaced: true}, nil
				}
				if err == nil && answered.Status == before {
					return Result{RemoteStatus: answered.Status, Requirements: []Requirement{leftInDraft()}}, nil
				}
				return Result{RemoteStatus: answered.Status}, err
			},
			// Nothing but a submission takes a bundle out of draft. One that was rejected may have been handed in again and rejected again
			// since; handing in the same once more costs a review, and that is all.
			Find: func(ctx context.Context, hub TrustHub) ([]Result, error) {
				read, err := hub.FetchBundle(ctx, account, b.kind, bundleSID)
				if err != nil || read.Status == before {
					return nil, err
				}
				return []Result{{RemoteStatus: read.Status}}, nil
			},
		}
	}}
}

// review waits for the reviewers' decision: a callback or a poll makes it read the bundle.
func (b bundle) review() Node {
	return Node{Key: b.key.Sub("review"), Needs: []Key{b.key.Sub("submission")}, Effect: func(o *Onboarding) Effect {
		account, bundleSID := o.SubaccountSID, o.SID(b.key)
		status := o.Bundle(b.key).Status
		return Effect{
			Do: func(ctx context.Context, hub TrustHub) (Result, error) {
				read, err := hub.FetchBundle(ctx, account, b.kind, bundleSID)
				switch {
				case isNotFound(err) && status == bundleDeleted: // A person has been told and has resumed.
					return Result{RemoteStatus: bundleDeleted, Replaced: true}, nil
				case isNotFound(err):
					return Result{RemoteStatus: bundleDeleted, Requirements: []Requirement{deletedBundle(bundleSID)}}, nil
				case err != nil:
					return Result{}, err
				}
				return b.decided(read), nil
			},
			Source:    SourceReview,
			ReadLater: status == BundlePendingReview || status == BundleInReview,
		}
	}}
}

// decided reads a bundle as the outcome of its review. A status that nobody has heard of counts as still in review. A decision is not for
// ever: it is read again.
func (b bundle) decided(read Bundle) Result {
	r := Result{RemoteStatus: read.Status, Again: true}
	switch read.Status {
	case BundleApproved:
		now := time.Now()
		r.Requirements = endingRequirements(read.ValidUntil, now, b.endingNotice)
		if read.ValidUntil.After(now) {
			r.Until = read.ValidUntil
		}
	case BundleRejected:
		r.Requirements = rejectionRequirements(read.Errors)
	case BundleDraft:
		r.Requirements = []Requirement{leftInDraft()}
	default:
		r.InReview = true
	}
	return r
}

// bundleDeleted is our word for the status of a bundle that is not at Twilio any more.
const bundleDeleted = "deleted"

// isRefusal tells whether Twilio refused the call for good, and did nothing.
func isRefusal(err error) bool {
	var remote *RemoteError
	return errors.As(err, &remote) && (remote.Class == ClassPermanent || remote.Class == ClassExists)
}

// results turns what a lookup returned into results.
func results(found []Object, err error) ([]Result, error) {
	var all []Result
	for _, f := range found {
		all = append(all, Result{SID: f.SID})
	}
	return all, err
}
