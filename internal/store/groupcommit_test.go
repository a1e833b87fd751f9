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

// inOneGroup commits all as one group, as if they had come at the same moment, and returns their
// errors.
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

// noting is a change by the run, with a step and two events that have the text.
func noting(r run, o *onboarding.Onboarding, text string) *pendingWrite {
	now := time.Now()
	return &pendingWrite{id: o.ID, requests: []request{&change{jobID: r.ledger.job.ID, Change: onboarding.Change{
		ID: o.ID, Epoch: o.Epoch, Status: onboarding.StatusInProgress,
		Steps:  []onboarding.Step{{Key: "preflight", State: onboarding.StepRunning, SID: text}},
		Events: []onboarding.Event{{At: now, Kind: "noted", Detail: text}, {At: now, Kind: "noted", Detail: text + ", too"}},
	}}}}
}

// isWritten tells whether the change of noting was written.
func isWritten(noted *pendingWrite) bool { return noted.requests[0].(*change).written }

// releasing is noting and a release.
func releasing(r run, o *onboarding.Onboarding, text string, next time.Time) *pendingWrite {
	w := noting(r, o, text)
	w.requests = append(w.requests, ask(releaseOnboardings, o.ID, releaseRow{o.ID, o.Epoch, r.ledger.job.ID, stamp{next}}))
	return w
}

func claiming(id onboarding.ID, jobID int64) *pendingWrite {
	return &pendingWrite{id: id, requests: []request{ask(claimOnboardings, id, claimRow{id, jobID}), &reading{id: id}}}
}

// claimed is the onboarding of claiming.
func claimed(t *testing.T, w *pendingWrite) *onboarding.Onboarding {
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

// wantNoted checks the text in the step, and in both events of the history; none for "".
func wantNoted(t *testing.T, s *Store, id onboarding.ID, text string) {
	t.Helper()
	o, err := s.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	events, err := wholeHistory{s}.Events(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var history, want []string
	for _, e := range events {
		if e.Kind == "noted" {
			history = append(history, e.Detail)
		}
	}
	if text != "" {
		want = []string{text, text + ", too"}
	}
	if o.SID("preflight") != text || !slices.Equal(history, want) {
		t.Errorf("the step says %q and the history %q, want %q", o.SID("preflight"), history, text)
	}
}

func TestEachWriteOfAGroupHasItsOwnFenceAndAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, one := b.claimNew(t)
	second, two := b.claimNew(t)
	third, three := b.claimNew(t)
	two.Epoch-- // lost its place
	fourth, released := b.claimNew(t)
	waiting := newOnboarding(t, b.store)

	changes := []*pendingWrite{noting(first, one, "first"), noting(second, two, "second"), noting(third, three, "third")}
	claim := claiming(waiting, b.jobID(t, waiting))
	release := releasing(fourth, released, "released", released.ReadAt.Add(time.Hour))
	for i, err := range inOneGroup(t, b.store, changes[0], changes[1], claim, changes[2], release) {
		if err != nil {
			t.Errorf("error of write %d: %v", i, err)
		}
	}
	for i, want := range []bool{true, false, true} {
		if got := isWritten(changes[i]); got != want {
			t.Errorf("change %d is written: %t, want %t", i, got, want)
		}
	}
	wantNoted(t, b.store, one.ID, "first")
	wantNoted(t, b.store, two.ID, "")
	wantNoted(t, b.store, three.ID, "third")
	wantNoted(t, b.store, released.ID, "released")
	if _, ok := b.due(t, released.ID); !ok || string(release.requests[1].(*question).answer) != "false" {
		t.Errorf("released with a next job: %t, woken: %s", ok, release.requests[1].(*question).answer)
	}
	if o := claimed(t, claim); o.ID != waiting || o.Epoch != 1 || o.Request.Business.Name == "" {
		t.Errorf("claimed %+v", o)
	}
}

func TestAWriteThatPostgresRefusesFailsAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, good := b.claimNew(t)
	second, bad := b.claimNew(t)
	errs := inOneGroup(t, b.store, noting(first, good, "good"), noting(second, bad, "not text: \x00"))
	if errs[0] != nil || !isRefused(errs[1]) {
		t.Errorf("the good one: %v; the other: %v, want Postgres' refusal", errs[0], errs[1])
	}
	wantNoted(t, b.store, good.ID, "good")
	wantNoted(t, b.store, bad.ID, "")
}

// A conflict is no error of Postgres, which would end the transaction of the whole group.
func TestAConflictLeavesTheGroupTogether(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, one := b.claimNew(t)
	second, two := b.claimNew(t)
	now, id := stamp{time.Now()}, onboarding.ID(random("onb_"))
	created := ask(createOnboardings, id, creationRow{
		ID: id, SubaccountSID: one.SubaccountSID, CallbackToken: random(""), Version: 1, Status: onboarding.StatusInProgress,
		CreatedAt: now, UpdatedAt: now, Event: eventRow{At: now, Kind: "onboarding.created"},
	})
	creation := &pendingWrite{requests: []request{created}}
	for i, err := range inOneGroup(t, b.store, noting(first, one, "one"), creation, noting(second, two, "two")) {
		if err != nil {
			t.Errorf("error of write %d: %v", i, err)
		}
	}
	if created.answered {
		t.Error("a second onboarding of the subaccount is created")
	}
	var transactions int
	b.queryRow(t, &transactions, "SELECT count(DISTINCT xmin::text) FROM onboardings WHERE id IN ($1, $2)", string(one.ID), string(two.ID))
	if transactions != 1 {
		t.Errorf("the two changes were written in %d transactions, want 1", transactions)
	}
}

func TestASecondRunOfAnOnboardingIsWrittenAfterTheFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r, o := b.claimNew(t)
	first, second := claiming(o.ID, r.ledger.job.ID), claiming(o.ID, r.ledger.job.ID)
	late := noting(r, o, "too late")
	for i, err := range inOneGroup(t, b.store, noting(r, o, "before"), first, second, late) {
		if err != nil {
			t.Fatalf("error of write %d: %v", i, err)
		}
	}
	if isWritten(late) {
		t.Error("a change under an older epoch is written")
	}
	one, two := claimed(t, first), claimed(t, second)
	if one.Epoch != o.Epoch+1 || two.Epoch != o.Epoch+2 || one.SID("preflight") != "before" {
		t.Errorf("epochs %d and %d after %d; the first reads %q", one.Epoch, two.Epoch, o.Epoch, one.SID("preflight"))
	}
	wantNoted(t, b.store, o.ID, "before")
}

func TestAWriteThatWaitsForALockDelaysNoOther(t *testing.T) {
	t.Parallel()
	b := &testBundle{store: openStore(t, Config{DatabaseURL: newDatabase(t)})}
	locked, free := newOnboarding(t, b.store), newOnboarding(t, b.store)
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	store := func(id onboarding.ID) error {
		return b.store.RecordCallback(ctx, onboarding.Callback{OnboardingID: id, ReceivedAt: time.Now()}, true)
	}
	stored := make(chan error, 1)
	err := pgx.BeginFunc(ctx, b.store.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT FROM onboardings WHERE id = $1 FOR UPDATE", string(locked)); err != nil {
			return err
		}
		go func() { stored <- store(locked) }()
		b.waitsForLock(t)
		return store(free)
	})
	if err != nil {
		t.Errorf("the other: %v", err)
	}
	// It would have been given up if the other had waited for it.
	if err := <-stored; err != nil {
		t.Errorf("the one that waits: %v", err)
	}
}

func TestTwoGroupsDoNotWaitForEachOtherInACircle(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, one := b.claimNew(t)
	second, two := b.claimNew(t)
	// Each group changes the onboarding that the other stores a callback of, as those of two
	// replicas do.
	var both sync.WaitGroup
	for _, group := range []func() (*pendingWrite, *pendingWrite){
		func() (*pendingWrite, *pendingWrite) { return noting(first, one, "one"), callback(two.ID) },
		func() (*pendingWrite, *pendingWrite) { return noting(second, two, "two"), callback(one.ID) },
	} {
		both.Go(func() {
			for range 100 {
				change, callback := group()
				inOneGroup(t, b.store, change, callback)
				if !isWritten(change) {
					t.Error("a change is not written")
				}
			}
		})
	}
	both.Wait()
	b.store.pool.Reset() // A session adds its counts to the statistics when it ends.
	eventually(t, "the sessions have ended", func() bool {
		var sessions int
		b.queryRow(t, &sessions, `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle' AND query LIKE '%RunWoken%'`)
		return sessions == 0
	})
	var deadlocks int
	b.queryRow(t, &deadlocks, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
	if deadlocks > 0 {
		t.Errorf("%d deadlocks", deadlocks)
	}
}
