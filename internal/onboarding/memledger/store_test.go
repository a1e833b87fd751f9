package memledger_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/ledgertest"
	"github.com/attestd/attestd/internal/onboarding/memledger"
)

// TestConformance runs in real time: the suite's wake-up race wants goroutines that really run side
// by side.
func TestConformance(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, func(*testing.T) ledgertest.Harness {
		d := &dispatcher{store: memledger.New(), fetched: map[onboarding.ID]*memledger.Job{}, ready: map[onboarding.ID]*memledger.Job{}}
		return ledgertest.Harness{Repository: d.store, Fetch: d.fetch, Due: d.due, Abandon: d.abandon}
	})
}

// dispatcher fetches jobs, and gives each to the test of its onboarding.
type dispatcher struct {
	store *memledger.Store

	mu sync.Mutex
	// fetched are the newest jobs of onboardings. ready are those that no test has asked for yet.
	fetched, ready map[onboarding.ID]*memledger.Job
}

func (d *dispatcher) fetch(t testing.TB, id onboarding.ID) (context.Context, onboarding.Ledger) {
	t.Helper()
	timeout := time.After(4 * time.Minute) // far longer than it takes on the slowest machine
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if job := d.next(id); job != nil {
			return t.Context(), job
		}
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("no job of onboarding %s became due", id)
		}
	}
}

// next fetches all jobs that are due, and returns that of the onboarding or nil.
func (d *dispatcher) next(id onboarding.ID) *memledger.Job {
	d.mu.Lock()
	defer d.mu.Unlock()
	for job := d.store.Fetch(); job != nil; job = d.store.Fetch() {
		d.fetched[job.ID], d.ready[job.ID] = job, job
	}
	job := d.ready[id]
	delete(d.ready, id)
	return job
}

func (d *dispatcher) due(_ testing.TB, id onboarding.ID) (time.Time, bool) { return d.store.Due(id) }

func (d *dispatcher) abandon(_ testing.TB, id onboarding.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fetched[id].Abandon()
}

func TestFetchReturnsTheJobThatIsDueFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := memledger.New()
		if job := store.Fetch(); job != nil {
			t.Errorf("fetched %s from an empty store", job.ID)
		}
		for _, id := range []onboarding.ID{"onb_a", "onb_b"} {
			o := &onboarding.Onboarding{ID: id, CallbackToken: string(id), SubaccountSID: string(id)}
			if err := store.Create(t.Context(), o, onboarding.Event{}); err != nil {
				t.Fatal(err)
			}
		}
		a, b := store.Fetch(), store.Fetch()
		if a == nil || b == nil || a.ID != "onb_a" || b.ID != "onb_b" {
			t.Fatalf("fetched %v and %v, want the older first", a, b)
		}
		if _, ok := store.NextDue(); ok || store.Fetch() != nil {
			t.Error("a job that runs is due")
		}
		later := time.Now().Add(time.Hour)
		releaseAt(t, a, later)
		b.Retry(later.Add(-time.Minute))
		if due, ok := store.NextDue(); !ok || !due.Equal(later.Add(-time.Minute)) {
			t.Errorf("next due at %s, %t, want the earlier", due, ok)
		}
		if store.Fetch() != nil {
			t.Error("fetched before its time")
		}
		time.Sleep(time.Hour) // virtual
		if first, second := store.Fetch(), store.Fetch(); first.ID != "onb_b" || second.ID != "onb_a" {
			t.Errorf("fetched %s and %s, want the one that was due first", first.ID, second.ID)
		}
	})
}

func TestChangedTellsOfANewJob(t *testing.T) {
	t.Parallel()
	store := memledger.New()
	o := &onboarding.Onboarding{ID: "onb_a", CallbackToken: "a"}
	if err := store.Create(t.Context(), o, onboarding.Event{}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-store.Changed():
	default:
		t.Error("not told")
	}
}

func TestTheStoreItselfClaimsWithoutAJob(t *testing.T) {
	t.Parallel()
	store := memledger.New()
	o := &onboarding.Onboarding{ID: "onb_a", CallbackToken: "a"}
	if err := store.Create(t.Context(), o, onboarding.Event{}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is no job
		releaseAt(t, store, time.Time{})
		if _, ok := store.Due("onb_a"); ok {
			t.Error("a job is scheduled, want none")
		}
	}
}

func releaseAt(t *testing.T, ledger onboarding.Ledger, next time.Time) {
	t.Helper()
	claimed, err := ledger.Claim(t.Context(), "onb_a")
	if err != nil {
		t.Fatal(err)
	}
	if woken, err := ledger.Release(t.Context(), onboarding.Change{ID: "onb_a", Epoch: claimed.Epoch, Status: claimed.Status()}, next); err != nil || woken {
		t.Fatalf("woken %t, %v", woken, err)
	}
}
