package plan

import (
	"context"
	"slices"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// bundle builds the nodes of a customer profile or a trust product: both are made, filled,
// evaluated, submitted and reviewed alike.
type bundle struct {
	kind      onboarding.BundleKind
	key       onboarding.Key
	policySID string
	// given is the SID of a bundle that the request names, to be taken over; "" if one is to be
	// made. givenBy is where the request names it.
	given   string
	givenBy string
	// endingNotice is how long before an approval ends somebody is asked to act.
	endingNotice time.Duration
	now          func() time.Time
}

// create makes the bundle, in draft, or takes over the one that the request names.
func (b bundle) create(callbackURL func(token string) string) onboarding.Node {
	node := onboarding.Node{
		Key: b.key, Role: onboarding.Role{Kind: onboarding.KindBundle, Bundle: b.key},
		Needs: []onboarding.Key{onboarding.PreflightKey}, GivenBy: b.givenBy,
	}
	if b.givenBy != "" {
		node.Parts = []string{b.givenBy}
	}
	if b.given != "" {
		node.Given, node.Pointer, node.Source = true, b.givenBy, onboarding.SourcePreflight
		node.Effect = b.takeOver
		return node
	}
	node.Effect = func(o *onboarding.Onboarding) onboarding.Effect { return b.make(o, callbackURL) }
	return node
}

func (b bundle) make(o *onboarding.Onboarding, callbackURL func(token string) string) onboarding.Effect {
	account, name := o.SubaccountSID, tag(o.ID, b.key)
	spec := onboarding.NewBundle{Kind: b.kind, FriendlyName: name, PolicySID: b.policySID, Email: o.Request.NotificationEmail}
	if callbackURL != nil {
		spec.StatusCallback = callbackURL(o.CallbackToken)
	}
	replaced := o.ReplacedSIDs(b.key)
	return onboarding.Effect{
		Do: func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
			made, err := hub.CreateBundle(ctx, account, spec)
			return seen(made.SID, made.Status), err
		},
		Find: func(ctx context.Context, hub onboarding.TrustHub) ([]onboarding.Outcome, error) {
			found, err := hub.FindBundles(ctx, account, b.kind, name, b.policySID)
			var outcomes []onboarding.Outcome
			for _, f := range found {
				if !slices.Contains(replaced, f.SID) { // Those bear the same name.
					outcomes = append(outcomes, seen(f.SID, f.Status))
				}
			}
			return outcomes, err
		},
		Remove: func(ctx context.Context, hub onboarding.TrustHub, sid string) error {
			return hub.DeleteBundle(ctx, account, b.kind, sid)
		},
	}
}

// assign puts what the step object made on the bundle. A bundle that is taken over may not take it,
// and is to blame then.
func (b bundle) assign(object onboarding.Key) onboarding.Node {
	pointer := ""
	if b.given != "" {
		pointer = b.givenBy
	}
	node := b.assignment(b.key.Assignment(object), pointer, func(o *onboarding.Onboarding) string { return o.SID(object) })
	node.Needs, node.Object = append(node.Needs, object), object
	return node
}

// assignPrimary connects a secondary customer profile to the ISV's primary one.
func (b bundle) assignPrimary() onboarding.Node {
	return b.assignment(b.key.Assignment(onboarding.PrimaryProfileKey), "/primary_profile_sid",
		func(o *onboarding.Onboarding) string { return o.Request.PrimaryProfileSID })
}

// assignment puts the object of that SID on the bundle.
func (b bundle) assignment(key onboarding.Key, pointer string, objectSID func(*onboarding.Onboarding) string) onboarding.Node {
	return onboarding.Node{
		Key: key, Role: onboarding.Role{Kind: onboarding.KindAssignment, Bundle: b.key, Pointer: pointer},
		Needs: []onboarding.Key{b.key},
		Effect: func(o *onboarding.Onboarding) onboarding.Effect {
			account, bundleSID, objectSID := o.SubaccountSID, o.SID(b.key), objectSID(o)
			e := onboarding.Effect{
				Do: func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
					made, err := hub.AssignEntity(ctx, account, b.kind, bundleSID, objectSID)
					return seen(made.SID, ""), err
				},
				Find: func(ctx context.Context, hub onboarding.TrustHub) ([]onboarding.Outcome, error) {
					return seenAll(hub.FindEntityAssignments(ctx, account, b.kind, bundleSID, objectSID))
				},
				Remove: func(ctx context.Context, hub onboarding.TrustHub, sid string) error {
					return hub.DeleteEntityAssignment(ctx, account, b.kind, bundleSID, sid)
				},
			}
			if b.given != "" {
				e.Look = firstFound(e.Find)
				refuseLocked(&e, o, b.key, pointer)
			}
			return e
		},
	}
}

// seen is the outcome of a call that answered with an object.
func seen(sid, status string) onboarding.Outcome {
	return onboarding.Done{Seen: onboarding.Seen{SID: sid, Status: status}}
}

// seenAll turns what a lookup returned into outcomes.
func seenAll(found []onboarding.Object, err error) ([]onboarding.Outcome, error) {
	var all []onboarding.Outcome
	for _, f := range found {
		all = append(all, seen(f.SID, ""))
	}
	return all, err
}
