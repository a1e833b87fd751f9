package ledgertest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/attestd/attestd/internal/onboarding"
)

func createdIsReadBackWhole(t *testing.T, h Harness) {
	o := fresh()
	planned := *o // Only the onboarding itself is stored.
	planned.Steps = []onboarding.Step{{Key: "preflight", State: onboarding.StepPending}}
	planned.Numbers = []onboarding.PhoneNumber{{SID: sid("PN"), Number: "+12025550100"}}
	create(t, h, &planned)

	read := get(t, h, o.ID)
	same(t, "read back", o, read, notTheReading)
	_, _, claimed := claim(t, h, o.ID)
	same(t, "claimed", o, claimed, notTheReading)
	if read.ReadAt.IsZero() || claimed.ReadAt.Before(read.ReadAt) {
		t.Errorf("read at %s, and then at %s", read.ReadAt, claimed.ReadAt)
	}
	same(t, "history", []onboarding.Event{created(o)}, events(t, h, o.ID))
}

func createdIsDueAtOnce(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger, claimed := claim(t, h, o.ID)
	if claimed.Woken {
		t.Error("woken by its creation")
	}
	release(ctx, t, ledger, claimed, time.Time{})
}

func unknownOnboardingIsNotFound(t *testing.T, h Harness) {
	o, unknown := fresh(), newID()
	create(t, h, o)
	ctx, ledger := h.Fetch(t, o.ID)
	_, claimErr := ledger.Claim(ctx, unknown)
	_, getErr := h.Repository.Get(t.Context(), unknown)
	_, _, tokenErr := h.Repository.FindByCallbackToken(t.Context(), "no such token")
	updateErr := h.Repository.Update(t.Context(), unknown, func(*onboarding.Onboarding, time.Time) (onboarding.Change, error) {
		t.Error("asked what to change in an onboarding that does not exist")
		return onboarding.Change{}, nil
	})
	callbackErr := h.Repository.RecordCallback(t.Context(), onboarding.Callback{OnboardingID: unknown, ReceivedAt: at(0)}, true)
	for what, err := range map[string]error{
		"Claim": claimErr, "Get": getErr, "FindByCallbackToken": tokenErr, "Update": updateErr, "RecordCallback": callbackErr,
	} {
		if !errors.Is(err, onboarding.ErrNotFound) {
			t.Errorf("%s: %v, want %v", what, err, onboarding.ErrNotFound)
		}
	}
}

func subaccountConflictComesFirst(t *testing.T, h Harness) {
	bySubaccount, byExternalID := fresh(), fresh()
	create(t, h, bySubaccount)
	create(t, h, byExternalID)

	both := fresh()
	both.SubaccountSID = bySubaccount.SubaccountSID
	both.Request.ExternalID = byExternalID.Request.ExternalID
	wantConflict(t, h, both, onboarding.ConflictError{Field: "subaccount_sid", ID: bySubaccount.ID})

	one := fresh()
	one.Request.ExternalID = byExternalID.Request.ExternalID
	wantConflict(t, h, one, onboarding.ConflictError{Field: "external_id", ID: byExternalID.ID})
}

func wantConflict(t *testing.T, h Harness, o *onboarding.Onboarding, want onboarding.ConflictError) {
	t.Helper()
	err := h.Repository.Create(t.Context(), o, created(o))
	var conflict *onboarding.ConflictError
	if !errors.As(err, &conflict) {
		t.Fatalf("error %v, want a conflict", err)
	}
	same(t, "conflict", want, *conflict)
	if _, err := h.Repository.Get(t.Context(), o.ID); !errors.Is(err, onboarding.ErrNotFound) {
		t.Errorf("reading what was refused: %v, want %v", err, onboarding.ErrNotFound)
	}
}

func noExternalIDIsNoConflict(t *testing.T, h Harness) {
	for range 2 {
		o := fresh()
		o.Request.ExternalID = ""
		create(t, h, o)
	}
}

func callbackTokenFindsTheOnboarding(t *testing.T, h Harness) {
	create(t, h, fresh())
	o := fresh()
	create(t, h, o)
	id, subaccount, err := h.Repository.FindByCallbackToken(t.Context(), o.CallbackToken)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "found", [2]string{string(o.ID), o.SubaccountSID}, [2]string{string(id), subaccount})
}

func changeIsReadBackWhole(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger, claimed := claim(t, h, o.ID)
	change := onboarding.Change{
		ID:     o.ID,
		Epoch:  claimed.Epoch,
		Status: onboarding.StatusActionRequired,
		Steps: []onboarding.Step{
			everyField("customer_profile"),
			{Key: "address", Role: onboarding.Role{Kind: onboarding.KindObject}, State: onboarding.StepRunning, Attempts: 1, IntentAt: at(5).Add(7 * time.Nanosecond)},
		},
		Numbers: []onboarding.PhoneNumber{{SID: sid("PN"), Number: "+12025550101"}, {SID: sid("PN"), Number: "+12025550100"}},
		Events: []onboarding.Event{
			{
				At: at(6), Kind: "step.failed", Step: "customer_profile", StepKind: onboarding.KindBundle, Bundle: "customer_profile",
				Actor: "replica:test", Detail: "code 18602",
			},
			{At: at(6), Kind: "step.running", Step: "address", Actor: "replica:test"},
		},
	}
	if err := ledger.Record(ctx, change); err != nil {
		t.Fatal(err)
	}

	want := *o
	running := change.Steps[1]
	running.IntentAt = at(5)         // to the microsecond
	running.Role = onboarding.Role{} // The plan's roles are not stored.
	want.Steps = []onboarding.Step{running, change.Steps[0]}
	want.Numbers = change.Numbers
	read := get(t, h, o.ID)
	same(t, "read back", &want, read, notTheReading)
	if !read.UpdatedAt.After(o.UpdatedAt) {
		t.Errorf("updated at %s, want a later time", read.UpdatedAt)
	}
	same(t, "history", append([]onboarding.Event{created(o)}, change.Events...), events(t, h, o.ID))

	// A step that is written without its members is read back without them.
	change.Steps = []onboarding.Step{{Key: "customer_profile", State: onboarding.StepPending}}
	change.Numbers, change.Events = nil, nil
	if err := ledger.Record(ctx, change); err != nil {
		t.Fatal(err)
	}
	want.Steps[1] = change.Steps[0]
	same(t, "read back", &want, get(t, h, o.ID), notTheReading)
}

func lastOfOneKeyCounts(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger, claimed := claim(t, h, o.ID)
	err := ledger.Record(ctx, onboarding.Change{ID: o.ID, Epoch: claimed.Epoch, Status: onboarding.StatusInProgress, Steps: []onboarding.Step{
		{Key: "preflight", State: onboarding.StepRunning},
		{Key: "preflight", State: onboarding.StepSucceeded},
	}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "state", onboarding.StepSucceeded, get(t, h, o.ID).Step("preflight").State)
}

func changeWithoutStepsIsWritten(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger, claimed := claim(t, h, o.ID)
	event := onboarding.Event{At: at(1), Kind: "onboarding.noted", Actor: "replica:test"}
	err := ledger.Record(ctx, onboarding.Change{
		ID: o.ID, Epoch: claimed.Epoch, Status: onboarding.StatusInProgress, Events: []onboarding.Event{event},
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "read back", o, get(t, h, o.ID), notTheReading)
	same(t, "history", []onboarding.Event{created(o), event}, events(t, h, o.ID))
}

func readersAndWritersHaveCopies(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger, claimed := claim(t, h, o.ID)
	change := changeOf(claimed)
	if err := ledger.Record(ctx, change); err != nil {
		t.Fatal(err)
	}
	o.Steps = change.Steps
	want := get(t, h, o.ID)
	for _, handedOut := range []*onboarding.Onboarding{o, get(t, h, o.ID)} {
		handedOut.Steps[0].Error.Message = "changed"
		handedOut.Steps[0].Requirements[0].Message = "changed"
		handedOut.Steps[1].State = onboarding.StepSucceeded
		handedOut.Request.PhoneNumbers[0] = "changed"
		handedOut.Request.AuthorizedRepresentatives[0].FirstName = "changed"
	}
	same(t, "read later", want, get(t, h, o.ID), cmpopts.IgnoreFields(onboarding.Onboarding{}, "ReadAt"))
}
