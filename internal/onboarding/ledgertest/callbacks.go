package ledgertest

import (
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// delivery is a callback about the onboarding.
func delivery(o *onboarding.Onboarding, token string) onboarding.Callback {
	return onboarding.Callback{
		OnboardingID:     o.ID,
		ReceivedAt:       at(7),
		IdempotencyToken: token,
		SignedBy:         o.SubaccountSID,
		ContentType:      "application/x-www-form-urlencoded",
		Body:             []byte("Status=twilio-approved&x=\x00\xff"),
		BundleSID:        sid("BU"),
		Status:           onboarding.BundleApproved,
	}
}

func callbacks(t *testing.T, h Harness, id onboarding.ID) []onboarding.Callback {
	t.Helper()
	all, err := h.Repository.Callbacks(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func store(t *testing.T, h Harness, c onboarding.Callback, wake bool) {
	t.Helper()
	if err := h.Repository.RecordCallback(t.Context(), c, wake); err != nil {
		t.Fatal(err)
	}
}

func callbackIsStored(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	bare := onboarding.Callback{OnboardingID: o.ID, ReceivedAt: at(8)}
	all := []onboarding.Callback{delivery(o, "first"), delivery(o, ""), delivery(o, ""), bare, delivery(o, "second")}
	for _, c := range all {
		store(t, h, c, false)
	}
	same(t, "stored", all, callbacks(t, h, o.ID))
}

func callbackIsStoredOnce(t *testing.T, h Harness) {
	o, other := fresh(), fresh()
	create(t, h, o)
	create(t, h, other)
	ctx, ledger, claimed := claim(t, h, o.ID)
	release(ctx, t, ledger, claimed, time.Time{})

	first := delivery(o, "token")
	store(t, h, first, false)
	// A second delivery with the token, whatever its content, wakes nothing.
	store(t, h, delivery(o, "token"), true)
	same(t, "stored", []onboarding.Callback{first}, callbacks(t, h, o.ID))
	wantNoJob(t, h, o.ID)

	// A token counts within its onboarding.
	store(t, h, delivery(other, "token"), false)
	same(t, "number stored for the other", 1, len(callbacks(t, h, other.ID)))
}

func callbackWakesOnlyIfAsked(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger, claimed := claim(t, h, o.ID)
	release(ctx, t, ledger, claimed, time.Time{})

	store(t, h, delivery(o, "first"), false)
	wantNoJob(t, h, o.ID)
	store(t, h, delivery(o, "second"), true)
	wantDueNow(t, h, o.ID)
	_, _, next := claim(t, h, o.ID)
	if !next.Woken {
		t.Error("the claim does not say that a callback came")
	}
}
