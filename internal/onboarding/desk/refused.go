package desk

import (
	"fmt"
	"slices"
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
)

// RefusedError is a change that cannot be made now, or not at all.
type RefusedError struct {
	// Code is a word for programs, Reason says to people why and what to do.
	Code   string
	Reason string
}

func (e *RefusedError) Error() string { return e.Code + ": " + e.Reason }

func refuseCanceled(o *onboarding.Onboarding) error {
	if o.CanceledAt.IsZero() {
		return nil
	}
	return &RefusedError{"canceled", "This onboarding was canceled."}
}

// refuse says why the amendment cannot be made at all, or not now.
func (a amendment) refuse(o *onboarding.Onboarding, nodes []onboarding.Node, changed []string) error {
	if err := refuseCanceled(o); err != nil {
		return err
	}
	if err := refuseFixed(o, nodes, o.Request, a.amended, changed); err != nil {
		return err
	}
	return a.refuseComingBack(o, nodes)
}

// fixedMembers are what an amendment cannot change: that would be another onboarding.
var fixedMembers = []struct {
	pointer string
	refusal RefusedError
}{
	{"/subaccount_sid", RefusedError{"subaccount_fixed", "An onboarding keeps its subaccount. Make another onboarding for the other subaccount."}},
	{"/subaccount", RefusedError{"subaccount_fixed", "An onboarding keeps its subaccount. Make another onboarding for the other subaccount."}},
	{"/primary_profile_sid", RefusedError{"primary_profile_fixed", "An onboarding keeps its primary profile. Cancel it, and make another one that names the right profile."}},
	{"/external_id", RefusedError{"external_id_fixed", "An onboarding keeps its external_id."}},
	{"/notification_email", RefusedError{"notification_email_fixed", "The notification_email is on Twilio's bundles and stays."}},
}

// refuseFixed refuses what an amendment cannot change.
func refuseFixed(o *onboarding.Onboarding, nodes []onboarding.Node, before, amended onboarding.Request, changed []string) error {
	for _, fixed := range fixedMembers {
		if hasAny(changed, fixed.pointer) {
			return &fixed.refusal
		}
	}
	for i := range nodes {
		if n := &nodes[i]; n.GivenBy != "" && o.Steps[i].State == onboarding.StepSucceeded && hasAny(changed, n.GivenBy) {
			return &RefusedError{"taken_over_fixed", "What was taken over, or made in its place, stays."}
		}
	}
	for _, p := range before.WantedProducts() {
		if !amended.WantsProduct(p) {
			if err := refuseLocked(o, p.Bundle()); err != nil {
				return err // It can be dropped as long as it is not handed in, or was rejected.
			}
		}
	}
	return nil
}

// refuseComingBack refuses to want again what is being removed right now: a lookup could find it
// before the removal arrives. A number in E.164 that is not resolved yet may be any that leaves.
func (a amendment) refuseComingBack(o *onboarding.Onboarding, nodes []onboarding.Node) error {
	var going []onboarding.Key
	for i := range nodes {
		if nodes[i].Aim == onboarding.AimGone && o.Steps[i].State == onboarding.StepRunning {
			going = append(going, nodes[i].Key)
		}
	}
	if len(going) == 0 {
		return nil
	}
	after := *o
	after.Request, after.Steps = a.amended, slices.Clone(o.Steps)
	wanted := make(map[onboarding.Key]bool)
	for _, n := range a.plan.Nodes(&after) {
		wanted[n.Key] = n.Aim == onboarding.AimDone
	}
	for _, k := range going {
		if number := o.Step(k).Number; wanted[k] || number != "" && a.mayName(o.Request, number) {
			return busy(k)
		}
	}
	return nil
}

// mayName tells whether the amendment asks for a number that the request before did not, and that
// may be the one of that SID.
func (a amendment) mayName(before onboarding.Request, sid string) bool {
	if a.amended.AllPhoneNumbers && !before.AllPhoneNumbers {
		return true
	}
	return slices.ContainsFunc(a.amended.PhoneNumbers, func(name string) bool {
		return !slices.Contains(before.PhoneNumbers, name) && (name == sid || !strings.HasPrefix(name, "PN"))
	})
}

func busy(step onboarding.Key) error {
	return &RefusedError{"busy", fmt.Sprintf("The step %s has a call under way whose outcome is not known yet. Try again in a few seconds.", step)}
}

// editedBundles returns the bundles that the change edits at Twilio, or why one cannot be edited
// now. A step that is new or leaves is only that; one that is touched must not have a call under
// way.
func editedBundles(o *onboarding.Onboarding, nodes []onboarding.Node, touched []*onboarding.Node, added []onboarding.Step) (map[onboarding.Key]bool, error) {
	edited := map[onboarding.Key]bool{}
	edit := func(r onboarding.Role) {
		// A number may come and go at any time, and to take over another bundle edits none.
		if r.Bundle != "" && r.Number == "" && r.Kind != onboarding.KindBundle && o.SID(r.Bundle) != "" {
			edited[r.Bundle] = true
		}
	}
	for _, n := range touched {
		edit(n.Role)
	}
	for i := range added {
		edit(added[i].Role)
	}
	for i := range nodes {
		n, s := &nodes[i], &o.Steps[i]
		// An object that leaves is on its bundle by its assignment alone.
		if n.Aim == onboarding.AimGone && n.Kind == onboarding.KindAssignment && s.State != onboarding.StepCanceled &&
			(s.SID != "" || s.State == onboarding.StepRunning) {
			edit(n.Role)
		}
	}
	for _, bundle := range onboarding.Bundles(nodes) {
		if edited[bundle] {
			if err := refuseLocked(o, bundle); err != nil {
				return nil, err
			}
		}
	}
	for _, n := range touched {
		if o.Step(n.Key).State == onboarding.StepRunning {
			return nil, busy(n.Key)
		}
	}
	return edited, nil
}

// refuseLocked refuses to edit a bundle that Twilio reviews or has approved.
func refuseLocked(o *onboarding.Onboarding, bundle onboarding.Key) error {
	if s := o.Step(bundle.Submission()); s != nil && s.State == onboarding.StepRunning {
		return &RefusedError{"in_review", fmt.Sprintf("The %s is being submitted. Correct it once Twilio has reviewed it.", named(bundle))}
	}
	switch o.Bundle(bundle).Status {
	case "", onboarding.BundleDraft, onboarding.BundleRejected, onboarding.BundleDeleted:
		return nil
	case onboarding.BundleApproved:
		return &RefusedError{"approved", fmt.Sprintf("Twilio has approved the %s; what was approved cannot be edited.", named(bundle))}
	default: // One that nobody has heard of counts as still in review.
		return &RefusedError{"in_review", fmt.Sprintf("Twilio is reviewing the %s; nothing on it can be edited until it has decided.", named(bundle))}
	}
}

// named is a bundle's name for people.
func named(bundle onboarding.Key) string {
	switch bundle {
	case onboarding.CustomerProfileKey:
		return "profile"
	case onboarding.ShakenStirKey:
		return "SHAKEN/STIR trust product"
	default:
		return string(bundle) + " product"
	}
}
