package store

import (
	"context"
	"flag"
	"os"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/ledgermodel"
	"github.com/attestd/attestd/internal/onboarding/ledgertest"
)

// TestMain has rapid draw fewer sequences of calls than its default, unless a flag says how many:
// here each sequence waits for real jobs and rescues.
func TestMain(m *testing.M) {
	flag.Parse()
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		if err := checks.Value.Set("10"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func TestConformance(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, harness)
}

func TestPostgresKeepsToTheModel(t *testing.T) {
	t.Parallel()
	ledgermodel.Check(t, harness)
}

// harness is a store of its own for the suites that both ledgers must pass.
func harness(t *testing.T) ledgertest.Harness {
	b := setup(t)
	return ledgertest.Harness{
		Repository: wholeHistory{b.store},
		Fetch: func(t testing.TB, id onboarding.ID) (context.Context, onboarding.Ledger) {
			t.Helper()
			r := b.inbox.receive(t, id)
			// A run whose job was replaced before the test asked for it is of no use.
			for r.ledger.job.ID != b.jobID(t, id) {
				r = b.inbox.receive(t, id)
			}
			return r.ctx, r.ledger
		},
		Due:     b.due,
		Abandon: b.abandon,
	}
}

// wholeHistory reads all pages of a history.
type wholeHistory struct{ *Store }

// Events implements [ledgertest.Repository].
func (w wholeHistory) Events(ctx context.Context, id onboarding.ID) (all []onboarding.Event, err error) {
	var from int64
	for more := true; more; {
		var page []onboarding.PastEvent
		if page, more, err = w.EventPage(ctx, id, true, from, 3); err != nil {
			return nil, err
		}
		for _, e := range page {
			all, from = append(all, e.Event), e.ID
		}
	}
	return all, nil
}

// Callbacks implements [ledgertest.Repository].
func (w wholeHistory) Callbacks(ctx context.Context, id onboarding.ID) (all []onboarding.Callback, err error) {
	var before int64
	for more := true; more; {
		var page []onboarding.StoredCallback
		if page, more, err = w.CallbackPage(ctx, id, before, 3); err != nil {
			return nil, err
		}
		for _, c := range page {
			all, before = append([]onboarding.Callback{c.Callback}, all...), c.ID
		}
	}
	return all, nil
}
