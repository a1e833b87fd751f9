package onboarding

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Errors of [Service.Amend].
var (
	// ErrVersion: the request was amended since the version that the amendment was made for.
	ErrVersion = errors.New("the onboarding has a newer version of the request")
)

// RefusedError is an amendment that cannot be made now, or not at all.
type RefusedError struct {
	// Code is a word for programs, Reason says to people why and what to do.
	Code   string
	Reason string
}

func (e *RefusedError) Error() string { return e.Code + ": " + e.Reason }

// Amend replaces the request by a corrected version. What holds the corrected parts at Twilio is updated in place, and what was evaluated
// and rejected is evaluated and submitted again, on the same bundle; everything else is left alone.
//
// It is refused while Twilio is reviewing, and for what Twilio has approved: neither can be edited, and nothing that was approved is put
// at risk. Errors: ErrNotFound, ErrVersion, *RefusedError.
func (s *Service) Amend(ctx context.Context, actor string, id ID, version int, amended Request) (*Onboarding, error) {
	err := s.Repository.Interrupt(ctx, id, func(o *Onboarding, now time.Time) (Change, error) {
		s.Plan.Arrange(o)
		return amend(o, s.Plan, actor, version, amended, now)
	})
	if err != nil {
		return nil, fmt.Errorf("amend onboarding %s: %w", id, err)
	}
	return s.Get(ctx, id)
}

func amend(o *Onboarding, plan Plan, actor string, version int, amended Request, now time.Time) (Change, error) {
	if version != o.Version {
		return Change{}, ErrVersion
	}
	if !o.CanceledAt.IsZero() {
		return Change{}, &RefusedError{"canceled", "This onboarding was canceled."}
	}
	if err := unchangeable(o.Request, amended); err != nil {
		return Change{}, err
	}
	touched := touchedBy(o.Request, amended)
	before := o.Request
	o.Request = amended
	_, added := plan.arrange(o)
	if err := mayEdit(o, append(touched, keysOf(added)...)); err != nil {
		return Change{}, err
	}

	a := amendment{o: o, now: now, actor: actor, change: Change{ID: o.ID, Request: &amended, Version: o.Version + 1}}
	a.change.Events = append(a.change.Events, Event{At: now, Kind: "onboarding.amended", Actor: actor,
		Detail: fmt.Sprintf("version %d", a.change.Version)})
	a.change.Steps = append(a.change.Steps, added...)
	if (before.Address.SID == "") != (amended.Address.SID == "") || before.Address.ISOCountry != amended.Address.ISOCountry {
		// The one that is there is not ours to edit, or cannot become what is wanted: another takes its place.
		o.Step("address").SID = ""
	}
	for _, key := range touched {
		a.again(key)
	}
	for _, bundle := range []Key{"customer_profile", "trust_product"} {
		a.reopen(bundle, bundle == "customer_profile" && len(touched)+len(added) > 0)
	}
	a.change.Status = o.Status()
	return a.change, nil
}

// unchangeable refuses what an amendment cannot change: that would be another onboarding.
func unchangeable(before, after Request) error {
	switch {
	case before.SubaccountSID != after.SubaccountSID:
		return &RefusedError{"subaccount_fixed", "An onboarding keeps its subaccount. Make another onboarding for the other subaccount."}
	case before.PrimaryProfileSID != after.PrimaryProfileSID:
		return &RefusedError{"primary_profile_fixed", "An onboarding keeps its primary profile."}
	case before.ExternalID != after.ExternalID:
		return &RefusedError{"external_id_fixed", "An onboarding keeps its external_id."}
	case before.NotificationEmail != after.NotificationEmail:
		return &RefusedError{"notification_email_fixed", "The notification_email is on Twilio's bundles and stays."}
	case !equalNumbers(before.PhoneNumbers, after.PhoneNumbers):
		return &RefusedError{"phone_numbers_fixed", "A correction leaves the phone numbers as they are."}
	case len(after.AuthorizedRepresentatives) < len(before.AuthorizedRepresentatives):
		return &RefusedError{"representative_fixed", "A representative can be corrected or added, and not taken away."}
	}
	return nil
}

func equalNumbers(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// touchedBy returns the steps whose objects hold what differs between the two requests.
func touchedBy(before, after Request) []Key {
	var touched []Key
	if before.Business != after.Business {
		touched = append(touched, "business_information")
	}
	for i, r := range before.AuthorizedRepresentatives {
		if r != after.AuthorizedRepresentatives[i] {
			touched = append(touched, representativeKey(i))
		}
	}
	if before.Address != after.Address {
		touched = append(touched, "address")
		if before.Address.SID != after.Address.SID || before.Address.ISOCountry != after.Address.ISOCountry {
			touched = append(touched, "address_document") // It will name another address.
		}
	}
	return touched
}

func keysOf(steps []Step) []Key {
	keys := make([]Key, len(steps))
	for i, s := range steps {
		keys[i] = s.Key
	}
	return keys
}

// mayEdit tells whether the profile, which holds all that the touched steps make, can be edited now.
func mayEdit(o *Onboarding, touched []Key) error {
	if s := o.Step("customer_profile.submission"); s.State == StepRunning {
		return &RefusedError{"in_review", "The profile is being submitted. Correct it once Twilio has reviewed it."}
	}
	for _, k := range touched {
		if o.Step(k).State == StepRunning {
			return &RefusedError{"busy", fmt.Sprintf("The step %s has a call under way whose outcome is not known yet. Try again in a few seconds.", k)}
		}
	}
	if len(touched) == 0 {
		return nil
	}
	switch profile := o.Bundle("customer_profile"); profile.Status {
	case BundlePendingReview, BundleInReview:
		return &RefusedError{"in_review", "Twilio is reviewing the profile; nothing on it can be edited until it has decided."}
	case BundleApproved:
		return &RefusedError{"approved", "Twilio has approved the profile; an approved profile cannot be edited."}
	}
	return nil
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
	step.State = StepPending
	step.Error, step.Requirements = nil, nil
	step.WaitsFor, step.NextAttemptAt = "", time.Time{}
	a.change.Steps = append(a.change.Steps, *step)
	a.change.Events = append(a.change.Events, stepEvent(step, a.now, a.actor))
}

// reopen makes the bundle's evaluation, submission and review due again: where something on it is edited, and where it failed one of them.
func (a *amendment) reopen(bundle Key, edited bool) {
	keys := []Key{bundle.Sub("evaluation"), bundle.Sub("submission"), bundle.Sub("review")}
	failed := false
	for _, k := range keys {
		failed = failed || a.o.Step(k).State == StepFailed
	}
	if !edited && !failed {
		return
	}
	// What the steps say of the bundle's status goes; the bundle's own step keeps it until the next submission.
	created := a.o.Step(bundle)
	if status := a.o.Bundle(bundle).Status; status != "" && created.RemoteStatus != status {
		created.RemoteStatus = status
		a.change.Steps = append(a.change.Steps, *created)
	}
	for _, k := range keys {
		step := a.o.Step(k)
		if step.State == StepPending {
			continue
		}
		if k != keys[0] {
			step.RemoteStatus = ""
		}
		step.Attempts = 0
		step.StartedAt, step.FinishedAt = time.Time{}, time.Time{}
		a.again(k)
	}
}
