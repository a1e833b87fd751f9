package store

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestWhoWaitsForALockHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t)})
	locked, free := newOnboarding(t, s), newOnboarding(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	keep := func(id onboarding.ID) error {
		return s.RecordCallback(ctx, onboarding.Callback{OnboardingID: id, ReceivedAt: time.Now()}, true)
	}
	kept := make(chan error, 1)
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT FROM onboardings WHERE id = $1 FOR UPDATE", string(locked)); err != nil {
			return err
		}
		go func() { kept <- keep(locked) }()
		waitsForLock(t, s)
		return keep(free)
	})
	if err != nil {
		t.Errorf("another's: %v", err)
	}
	if err := <-kept; err != nil {
		t.Errorf("its own, when the lock was free: %v", err)
	}
}

// inOneGroup writes all in one transaction, as if they had come at one moment, and returns the error of each.
func inOneGroup(t *testing.T, s *Store, all ...*pendingWrite) []error {
	t.Helper()
	for _, w := range all {
		w.result = make(chan error, 1)
	}
	s.group.commit(all)
	errs := make([]error, len(all))
	for i, w := range all {
		errs[i] = <-w.result
	}
	return errs
}

// claimed creates an onboarding and claims it for its job.
func claimed(t *testing.T, b *testBundle) (*onboarding.Onboarding, int64) {
	t.Helper()
	id := newOnboarding(t, b.store)
	r := b.fetch(t, id)
	o, err := r.ledger.Claim(r.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return o, r.ledger.job.ID
}

// noting is a change with a step and two events that say so.
func noting(o *onboarding.Onboarding, jobID int64, what string) *pendingWrite {
	return &pendingWrite{id: o.ID, requests: []request{&change{jobID: jobID, Change: onboarding.Change{
		ID: o.ID, Epoch: o.Epoch, Status: onboarding.StatusInProgress,
		Steps:  []onboarding.Step{{Key: "preflight", State: onboarding.StepRunning, SID: what}},
		Events: []onboarding.Event{{At: time.Now(), Kind: "noted", Detail: what}, {At: time.Now(), Kind: "noted", Detail: what + " again"}},
	}}}}
}

// claiming is a claim.
func claiming(id onboarding.ID, jobID int64) *pendingWrite {
	return &pendingWrite{id: id, requests: []request{
		ask(claimOnboardings, id, claimRow{id, jobID}), &reading{id: id},
	}}
}

// claimedBy is what a claim was answered.
func claimedBy(t *testing.T, w *pendingWrite) *onboarding.Onboarding {
	t.Helper()
	if !w.requests[0].(*question).answered {
		t.Fatal("nothing was claimed")
	}
	return w.requests[1].(*reading).onboarding
}

// callback is a delivery that wakes.
func callback(id onboarding.ID) *pendingWrite {
	return &pendingWrite{id: id, requests: []request{
		ask(storeCallbacks, id, callbackRow{OnboardingID: id, Body: []byte{}, ReceivedAt: stamp{time.Now()}, Wakes: true}),
		askID(runWoken, string(id)),
	}}
}

// notes are what was noted of the onboarding: in its step, and in its history.
func notes(t *testing.T, s *Store, id onboarding.ID) (step string, history []string) {
	t.Helper()
	o, err := s.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	events, err := s.Events(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Kind == "noted" {
			history = append(history, e.Detail)
		}
	}
	return o.SID("preflight"), history
}

func wantNotes(t *testing.T, s *Store, id onboarding.ID, want ...string) {
	t.Helper()
	step, history := notes(t, s, id)
	if !slices.Equal(history, want) || len(want) > 0 && step+" again" != want[len(want)-1] {
		t.Errorf("the step says %q and the history %q, want %q", step, history, want)
	}
}

func TestEachOfAGroupIsWrittenWithWhatIsItsOwn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.store
	changes, outOfPlace := make([]*pendingWrite, 0, 3), 1
	ids := make([]onboarding.ID, 0, 3)
	for i, what := range []string{"first", "second", "third"} {
		o, jobID := claimed(t, b)
		if i == outOfPlace {
			o.Epoch--
		}
		changes, ids = append(changes, noting(o, jobID, what)), append(ids, o.ID)
	}
	released, jobID := claimed(t, b)
	release := noting(released, jobID, "released")
	release.requests = append(release.requests, ask(releaseOnboardings, released.ID,
		releaseRow{released.ID, released.Epoch, jobID, stamp{time.Now().Add(time.Hour)}}))
	waiting := newOnboarding(t, s)
	claim := claiming(waiting, b.jobID(t, waiting))

	for i, err := range inOneGroup(t, s, changes[0], changes[1], claim, changes[2], release) {
		if err != nil {
			t.Errorf("the %d. comes to %v", i+1, err)
		}
	}
	for i, w := range changes {
		if written := w.requests[0].(*change).written; written != (i != outOfPlace) {
			t.Errorf("change %d is written: %t", i, written)
		}
	}
	wantNotes(t, s, ids[0], "first", "first again")
	wantNotes(t, s, ids[1])
	wantNotes(t, s, ids[2], "third", "third again")
	wantNotes(t, s, released.ID, "released", "released again")
	if _, ok := b.due(t, released.ID); !ok || string(release.requests[1].(*question).answer) != "false" {
		t.Errorf("released with a next run: %t, woken: %s", ok, release.requests[1].(*question).answer)
	}
	if o := claimedBy(t, claim); o.ID != waiting || o.Epoch != 1 || o.Request.Business.Name == "" {
		t.Errorf("claimed %+v", o)
	}
}

func TestWhatPostgresRefusesIsNobodyElsesFault(t *testing.T) {
	t.Parallel()
	b := setup(t)
	good, goodJob := claimed(t, b)
	bad, badJob := claimed(t, b)
	errs := inOneGroup(t, b.store, noting(good, goodJob, "good"), noting(bad, badJob, "not text: \x00"))
	if errs[0] != nil || !isRefused(errs[1]) {
		t.Errorf("the good one comes to %v, the other to %v", errs[0], errs[1])
	}
	wantNotes(t, b.store, good.ID, "good", "good again")
	wantNotes(t, b.store, bad.ID)
}

// What has no place fails by itself: an error of Postgres would end the transaction of all.
func TestAnOnboardingThatAnotherStandsInTheWayOfIsNobodyElsesFault(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, oneJob := claimed(t, b)
	other, otherJob := claimed(t, b)
	now := stamp{time.Now()}
	id := onboarding.ID(random("onb_"))
	creation := &pendingWrite{requests: []request{ask(createOnboardings, id, creationRow{
		ID: id, SubaccountSID: one.SubaccountSID, CallbackToken: random(""), Version: 1, Status: onboarding.StatusInProgress,
		CreatedAt: now, UpdatedAt: now, Event: eventRow{At: now, Kind: "onboarding.created"},
	})}}
	errs := inOneGroup(t, b.store, noting(one, oneJob, "one"), creation, noting(other, otherJob, "other"))
	if errs[0] != nil || errs[1] != nil || errs[2] != nil || creation.requests[0].(*question).answered {
		t.Fatalf("they come to %v, the second onboarding is created: %t", errs, creation.requests[0].(*question).answered)
	}
	var transactions int
	err := b.store.pool.QueryRow(t.Context(), "SELECT count(DISTINCT xmin::text) FROM onboardings WHERE id IN ($1, $2)", string(one.ID), string(other.ID)).
		Scan(&transactions)
	if err != nil || transactions != 1 {
		t.Errorf("the two changes were written in %d transactions, %v, want 1", transactions, err)
	}
}

func TestTwoGroupsDoNotWaitForEachOtherInACircle(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, oneJob := claimed(t, b)
	other, otherJob := claimed(t, b)
	// Each changes what the other keeps a callback of, which comes later in the transaction; as two replicas do.
	var both sync.WaitGroup
	for _, group := range [][2]func() *pendingWrite{
		{func() *pendingWrite { return noting(one, oneJob, "") }, func() *pendingWrite { return callback(other.ID) }},
		{func() *pendingWrite { return noting(other, otherJob, "") }, func() *pendingWrite { return callback(one.ID) }},
	} {
		both.Go(func() {
			for range 100 {
				first, second := group[0](), group[1]()
				inOneGroup(t, b.store, first, second)
				if !first.requests[0].(*change).written {
					t.Error("a change is not written")
				}
			}
		})
	}
	both.Wait()
	b.store.pool.Reset() // A session tells what it has counted when it ends.
	var deadlocks int
	eventually(t, "the sessions have ended", func() bool {
		var sessions int
		err := b.store.pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle' AND query LIKE '%StoreCallbacks%'`).Scan(&sessions)
		return err == nil && sessions == 0
	})
	err := b.store.pool.QueryRow(t.Context(), "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").Scan(&deadlocks)
	if err != nil || deadlocks > 0 {
		t.Errorf("%d deadlocks, %v", deadlocks, err)
	}
}

func TestASecondRunOfAnOnboardingComesAfterTheFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o, jobID := claimed(t, b)
	first, second, late := claiming(o.ID, jobID), claiming(o.ID, jobID), noting(o, jobID, "too late")
	for i, err := range inOneGroup(t, b.store, noting(o, jobID, "before"), first, second, late) {
		if err != nil {
			t.Fatalf("the %d. comes to %v", i+1, err)
		}
	}
	if late.requests[0].(*change).written {
		t.Error("a change under the epoch of before is written")
	}
	one, two := claimedBy(t, first), claimedBy(t, second)
	if one.Epoch != o.Epoch+1 || two.Epoch != o.Epoch+2 || one.SID("preflight") != "before" {
		t.Errorf("epochs %d and %d after %d; the first reads %q", one.Epoch, two.Epoch, o.Epoch, one.SID("preflight"))
	}
	wantNotes(t, b.store, o.ID, "before", "before again")
}
