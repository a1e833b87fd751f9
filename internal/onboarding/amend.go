package onboarding

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Errors of what changes an onboarding's request.
var (
	// ErrVersion: the request was amended since the version that the amendment was made for.
	ErrVersion = errors.New("the onboarding has a newer version of the request")
	// ErrNumberNotFound: the request does not name that number.
	ErrNumberNotFound = errors.New("the onboarding has no such phone number")
)

// RefusedError is a change that cannot be made now, or not at all.
type RefusedError struct {
	// Code is a word for programs, Reason says to people why and what to do.
	Code   string
	Reason string
}

func (e *RefusedError) Error() string { return e.Code + ": " + e.Reason }

// Amend replaces the request by a corrected version. What holds the corrected parts at Twilio is updated in place, and what was evaluated
// and rejected is evaluated and submitted again, on the same bundle; everything else is left alone. Phone numbers come and go as with
// [Service.AddNumbers] and [Service.RemoveNumber].
//
// It is refused for what is on a bundle that Twilio is reviewing or has approved: neither can be edited, and nothing that was approved is
// put at risk. Errors: ErrNotFound, ErrVersion, *RefusedError.
func (s *Service) Amend(ctx context.Context, actor string, id ID, version int, amended Request) (*Onboarding, error) {
	err := s.Repository.Interrupt(ctx, id, func(o *Onboarding, now time.Time) (Change, error) {
		if version != o.Version {
			return Change{}, ErrVersion
		}
		s.Plan.Arrange(o)
		return amend(o, s.Plan, actor, amended, nil, true, now)
	})
	if err != nil {
		return nil, fmt.Errorf("amend onboarding %s: %w", id, err)
	}
	return s.Get(ctx, id)
}

// change amends the request to what wanted makes of it, whatever its version, and makes those steps that wanted names due again if they
// failed; what else failed is left alone. Where nothing changes nothing is written.
func (s *Service) change(ctx context.Context, actor string, id ID, doing string, wanted func(o *Onboarding) (Request, []Key, error)) (*Onboarding, error) {
	nothing := errors.New("nothing changes")
	err := s.Repository.Interrupt(ctx, id, func(o *Onboarding, now time.Time) (Change, error) {
		if err := refuseCanceled(o); err != nil {
			return Change{}, err
		}
		s.Plan.Arrange(o)
		amended, again, err := wanted(o)
		again = slices.DeleteFunc(again, func(k Key) bool { s := o.Step(k); return s == nil || s.State != StepFailed })
		switch {
		case err != nil:
			return Change{}, err
		case reflect.DeepEqual(amended, o.Request) && len(again) == 0:
			return Change{}, nothing
		}
		return amend(o, s.Plan, actor, amended, again, false, now)
	})
	if err != nil && !errors.Is(err, nothing) {
		return nil, fmt.Errorf("%s onboarding %s: %w", doing, id, err)
	}
	return s.Get(ctx, id)
}

// amend works out what a new version of the request changes. The steps of again are due again as well; retryFailed also takes up anew what
// failed on a bundle.
func amend(o *Onboarding, plan Plan, actor string, amended Request, again []Key, retryFailed bool, now time.Time) (Change, error) {
	if err := refuseCanceled(o); err != nil {
		return Change{}, err
	}
	before := o.Request
	if err := unchangeable(o, before, amended); err != nil {
		return Change{}, err
	}
	touched := touchedBy(before, amended)
	if retryFailed {
		touched = append(touched, faulty(o)...)
	}
	touched = slices.DeleteFunc(touched, func(k Key) bool { return o.Step(k) == nil })
	if err := mayComeBack(o, plan(o), amended); err != nil {
		return Change{}, err
	}
	o.Request = amended
	kept := slices.DeleteFunc(slices.Clone(o.Numbers), func(n PhoneNumber) bool { return !amended.wants(n) })
	numbersChange := !slices.Equal(before.PhoneNumbers, amended.PhoneNumbers) || before.AllPhoneNumbers != amended.AllPhoneNumbers
	if len(kept) < len(o.Numbers) {
		o.Numbers = kept
	}
	over := o.canceled()
	nodes, added := plan.arrange(o)
	edited, err := mayEdit(o, touched, slices.Concat(keysOf(added), leaving(o, nodes)))
	if err != nil {
		return Change{}, err
	}

	a := amendment{o: o, now: now, actor: actor, change: Change{ID: o.ID, Request: &amended, Version: o.Version + 1}}
	a.change.Events = append(a.change.Events, Event{At: now, Kind: "onboarding.amended", Actor: actor,
		Detail: fmt.Sprintf("version %d", a.change.Version)})
	for i := range added {
		if over[added[i].Key] {
			a.change.Steps = append(a.change.Steps, added[i])
			a.change.Events = append(a.change.Events, stepEvent(&added[i], now, actor))
		}
	}
	if (before.Address.SID == "") != (amended.Address.SID == "") || before.Address.ISOCountry != amended.Address.ISOCountry {
		// The one that is there is not ours to edit, or cannot become what is wanted: another takes its place.
		a.replaceAddress(before.Address.SID != "")
	}
	for _, key := range slices.Concat(touched, again) {
		a.again(key)
	}
	if numbersChange {
		a.change.Numbers = kept
		a.again(keyPreflight)
	}
	a.letGo(nodes)
	for _, bundle := range bundleKeys(o) {
		a.reopen(bundle, edited[bundle], retryFailed)
	}
	a.change.conclude(o)
	return a.change, nil
}

func refuseCanceled(o *Onboarding) error {
	if o.CanceledAt.IsZero() {
		return nil
	}
	return &RefusedError{"canceled", "This onboarding was canceled."}
}

// unchangeable refuses what an amendment cannot change: that would be another onboarding.
func unchangeable(o *Onboarding, before, after Request) error {
	taken := func(key Key) bool { s := o.Step(key); return s != nil && s.State == StepSucceeded }
	switch {
	case before.SubaccountSID != after.SubaccountSID, !reflect.DeepEqual(before.Subaccount, after.Subaccount):
		return &RefusedError{"subaccount_fixed", "An onboarding keeps its subaccount. Make another onboarding for the other subaccount."}
	case before.PrimaryProfileSID != after.PrimaryProfileSID:
		return &RefusedError{"primary_profile_fixed", "An onboarding keeps its primary profile. Cancel it, and make another one that names the right profile."}
	case before.ExternalID != after.ExternalID:
		return &RefusedError{"external_id_fixed", "An onboarding keeps its external_id."}
	case before.NotificationEmail != after.NotificationEmail:
		return &RefusedError{"notification_email_fixed", "The notification_email is on Twilio's bundles and stays."}
	case before.CustomerProfileSID != after.CustomerProfileSID && taken(profileKey),
		before.TrustProductSID != after.TrustProductSID && taken(shakenStirKey),
		before.EndUserSIDs.BusinessInformation != after.EndUserSIDs.BusinessInformation && taken(businessInformationKey),
		before.EndUserSIDs.representative(0) != after.EndUserSIDs.representative(0) && taken(representativeKeys[0]),
		before.EndUserSIDs.representative(1) != after.EndUserSIDs.representative(1) && taken(representativeKeys[1]):
		return &RefusedError{"taken_over_fixed", "What was taken over, or made in its place, stays."}
	}
	for p := range wantedProducts(before) {
		if !wantedProducts(after)[p] {
			return &RefusedError{"products_fixed", "A product can be added and not taken away. Cancel the onboarding to give it up."}
		}
	}
	return nil
}

// touchedBy returns the steps whose objects hold what differs between the two requests.
func touchedBy(before, after Request) []Key {
	var touched []Key
	if before.CustomerProfileSID != after.CustomerProfileSID {
		touched = append(touched, profileKey)
	}
	if before.TrustProductSID != after.TrustProductSID {
		touched = append(touched, shakenStirKey)
	}
	if before.Business != after.Business || before.EndUserSIDs.BusinessInformation != after.EndUserSIDs.BusinessInformation {
		touched = append(touched, businessInformationKey)
	}
	for i, r := range before.AuthorizedRepresentatives {
		other := before.EndUserSIDs.representative(i) != after.EndUserSIDs.representative(i)
		if i < len(after.AuthorizedRepresentatives) && (r != after.AuthorizedRepresentatives[i] || other) {
			touched = append(touched, representativeKeys[i])
		}
	}
	if before.Address != after.Address {
		touched = append(touched, addressKey)
		if before.Address.SID != after.Address.SID || before.Address.ISOCountry != after.Address.ISOCountry {
			touched = append(touched, addressDocumentKey) // It will name another address.
		}
	}
	had := wantedProducts(before)
	for _, p := range knownProducts {
		if had[p.name] && p.user.key != "" && !maps.Equal(p.user.attributes(before), p.user.attributes(after)) {
			touched = append(touched, p.user.key)
		}
	}
	return touched
}

// faulty returns the steps whose objects may not be what the request says: those that the profile's evaluation finds fault with, because somebody
// may have changed or deleted them at Twilio, and of those that its review does the ones that were taken over. A correction writes to them even
// where it says what the request has said already.
func faulty(o *Onboarding) []Key {
	given := o.Request.EndUserSIDs
	var keys []Key
	for _, object := range []struct {
		key     Key
		pointer string
		given   string
	}{
		{businessInformationKey, "/business", given.BusinessInformation},
		{representativeKeys[0], "/authorized_representatives/0", given.AuthorizedRepresentative1},
		{representativeKeys[1], "/authorized_representatives/1", given.AuthorizedRepresentative2},
		{addressKey, "/address", ""},
		{addressDocumentKey, "/address", ""},
	} {
		about := func(r Requirement) bool { return strings.HasPrefix(r.Pointer+"/", object.pointer+"/") }
		for _, part := range []string{"evaluation", "review"} {
			s := o.Step(profileKey.Sub(part))
			suspect := part == "evaluation" || object.given != "" || o.Request.CustomerProfileSID != ""
			if suspect && s != nil && s.State == StepFailed && slices.ContainsFunc(s.Requirements, about) {
				keys = append(keys, object.key)
			}
		}
	}
	return keys
}

func keysOf(steps []Step) []Key {
	keys := make([]Key, len(steps))
	for i, s := range steps {
		keys[i] = s.Key
	}
	return keys
}

// leaving returns the assignments that the plan takes back, as far as they are there or may be. What they assign is on no bundle but by them.
func leaving(o *Onboarding, nodes []Node) []Key {
	var keys []Key
	for _, n := range nodes {
		_, part := n.Key.cut()
		if s := o.Step(n.Key); n.Aim == AimGone && part != "" && s != nil && s.State != StepCanceled && (s.SID != "" || s.State == StepRunning) {
			keys = append(keys, n.Key)
		}
	}
	return keys
}

// bundleKeys are the keys of the bundles that the onboarding's plan has, the profile first.
func bundleKeys(o *Onboarding) []Key {
	_, products := o.ProductBundles()
	return append([]Key{profileKey}, products...)
}

// holder is the bundle that an object is on, or an assignment to it; "" for what may change at any time.
func holder(o *Onboarding, step Key) Key {
	for _, p := range knownProducts {
		if step == p.user.key {
			return p.key
		}
	}
	for _, b := range bundleKeys(o) {
		if step.under(b.Sub("number")) || step == b {
			return ""
		}
		if step.under(b) {
			return b
		}
	}
	if step == keyPreflight || step.isCheck() {
		return ""
	}
	return profileKey
}

// mayEdit returns the bundles that a change of those steps edits, or why one cannot be edited now. A step that is new or leaves is only that;
// one that is touched must not have a call under way.
func mayEdit(o *Onboarding, touched, comingOrGoing []Key) (map[Key]bool, error) {
	edited := map[Key]bool{}
	for _, k := range slices.Concat(touched, comingOrGoing) {
		b := holder(o, k)
		if s := o.Step(b); s != nil && s.SID != "" {
			edited[b] = true
		}
	}
	for _, b := range bundleKeys(o) {
		if !edited[b] {
			continue
		}
		if s := o.Step(b.Sub("submission")); s != nil && s.State == StepRunning {
			return nil, &RefusedError{"in_review", fmt.Sprintf("The %s is being submitted. Correct it once Twilio has reviewed it.", named(b))}
		}
		switch o.Bundle(b).Status {
		case "", BundleDraft, BundleRejected, bundleDeleted:
		case BundleApproved:
			return nil, &RefusedError{"approved", fmt.Sprintf("Twilio has approved the %s; what was approved cannot be edited.", named(b))}
		default: // One that nobody has heard of counts as still in review.
			return nil, &RefusedError{"in_review", fmt.Sprintf("Twilio is reviewing the %s; nothing on it can be edited until it has decided.", named(b))}
		}
	}
	for _, k := range touched {
		if o.Step(k).State == StepRunning {
			return nil, busy(k)
		}
	}
	return edited, nil
}

// mayComeBack refuses to want again what is being taken back right now: a lookup could find it before the removal arrives. A number in E.164
// that is not resolved yet may be any that leaves.
func mayComeBack(o *Onboarding, nodes []Node, amended Request) error {
	var names []string
	for _, name := range amended.PhoneNumbers {
		if !slices.Contains(o.Request.PhoneNumbers, name) {
			names = append(names, name)
		}
	}
	comes := func(sid string) bool {
		return amended.AllPhoneNumbers && !o.Request.AllPhoneNumbers ||
			slices.ContainsFunc(names, func(name string) bool { return name == sid || !strings.HasPrefix(name, "PN") })
	}
	for _, n := range nodes {
		step := o.Step(n.Key)
		if n.Aim != AimGone || step == nil || step.State != StepRunning {
			continue
		}
		_, sid, isNumber := strings.Cut(string(n.Key), ".number.")
		isSecond := slices.Contains([]Key{representativeKeys[1], profileKey.Sub(string(representativeKeys[1]))}, n.Key)
		if isNumber && comes(sid) || isSecond && len(amended.AuthorizedRepresentatives) > len(o.Request.AuthorizedRepresentatives) {
			return busy(n.Key)
		}
	}
	return nil
}

func busy(step Key) error {
	return &RefusedError{"busy", fmt.Sprintf("The step %s has a call under way whose outcome is not known yet. Try again in a few seconds.", step)}
}

// named is a bundle's name for people.
func named(bundle Key) string {
	switch bundle {
	case profileKey:
		return "profile"
	case shakenStirKey:
		return "SHAKEN/STIR trust product"
	default:
		return string(bundle) + " product"
	}
}

// amendment collects what changes.
type amendment struct {
	o      *Onboarding
	now    time.Time
	actor  string
	change Change
}

// again makes a step due again; what it made before stays recorded, and is updated in place.
func (a *amendment) again(key Key) {
	step := a.o.Step(key)
	step.Error, step.Requirements = nil, nil
	step.WaitsFor, step.NextAttemptAt = "", time.Time{}
	if step.State != StepPending {
		step.State = StepPending
		a.change.Events = append(a.change.Events, stepEvent(step, a.now, a.actor))
	}
	a.change.Steps = append(a.change.Steps, *step)
}

// replaceAddress has another address made, or taken, in the place of the one that is there. One that we made is recorded, to be found by a
// cleanup and not to be taken for the new one.
func (a *amendment) replaceAddress(given bool) {
	step := a.o.Step(addressKey)
	if step.SID != "" && !given {
		old := replacedStep(step, "", a.now)
		a.o.Steps = append(a.o.Steps, old)
		a.change.Steps = append(a.change.Steps, old)
		a.change.Events = append(a.change.Events, Event{At: a.now, Kind: "address.replaced", Step: addressKey, Actor: a.actor, Detail: old.SID})
		step = a.o.Step(addressKey) // The steps may have moved.
	}
	step.SID = ""
}

// letGo makes due again what failed and is to be taken back, or only settled, now. In a canceled onboarding nothing waits for a review that
// is not read any more.
func (a *amendment) letGo(nodes []Node) {
	for _, n := range nodes {
		s := a.o.Step(n.Key)
		if n.Aim == AimDone || s == nil {
			continue
		}
		if s.State == StepFailed || !a.o.CanceledAt.IsZero() && s.State == StepWaiting && s.WaitsFor != "" {
			a.again(n.Key)
		}
	}
}

// reopen makes the bundle's evaluation, submission and review due again: where something on it is edited, and, if failures are to be taken
// up, where it failed one of them. Of a bundle that is under review, approved or deleted only the review is read again: there the reading
// is what has failed.
func (a *amendment) reopen(bundle Key, edited, retryFailed bool) {
	evaluation, review := bundle.Sub("evaluation"), bundle.Sub("review")
	var keys []Key
	failed := false
	for _, k := range []Key{evaluation, bundle.Sub("submission"), review} {
		if s := a.o.Step(k); s != nil {
			keys = append(keys, k)
			failed = failed || s.State == StepFailed
		}
	}
	if !edited && !(failed && retryFailed) {
		return
	}
	created := a.o.Step(bundle)
	status := a.o.Bundle(bundle).Status
	if underReview(status) || status == BundleApproved || status == bundleDeleted {
		a.again(review)
		return
	}
	// What the steps say of the bundle's status goes; the bundle's own step keeps it until the next submission.
	if status != "" && created.RemoteStatus != status {
		created.RemoteStatus = status
		a.change.Steps = append(a.change.Steps, *created)
	}
	for _, k := range keys {
		step := a.o.Step(k)
		if step.State == StepPending {
			continue
		}
		switch {
		case k != evaluation:
			step.RemoteStatus = ""
		case step.State == StepRunning:
			step.RemoteStatus = evaluationOutdated
		}
		step.Attempts = 0
		step.StartedAt, step.FinishedAt = time.Time{}, time.Time{}
		a.again(k)
	}
	for i := range a.o.Steps {
		if s := &a.o.Steps[i]; s.WaitsFor == review && s.Key.under(bundle) {
			a.again(s.Key) // What was refused during the review may be done now.
		}
	}
}
