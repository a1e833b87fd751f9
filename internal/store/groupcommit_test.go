package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
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
		eventually(t, "it waits for the lock", func() bool {
			var waits bool
			err := s.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')").Scan(&waits)
			return err == nil && waits
		})
		return keep(free)
	})
	if err != nil {
		t.Errorf("another's: %v", err)
	}
	if err := <-kept; err != nil {
		t.Errorf("its own, when the lock was free: %v", err)
	}
}

// inOneGroup writes all in one transaction, as if they had come at one moment, and returns what each came to.
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
	return &pendingWrite{id: o.ID, change: &fenced{onboarding.Change{
		ID: o.ID, Epoch: o.Epoch, Status: onboarding.StatusInProgress,
		Steps:  []onboarding.Step{{Key: "preflight", State: onboarding.StepRunning, SID: what}},
		Events: []onboarding.Event{{At: time.Now(), Kind: "noted", Detail: what}, {At: time.Now(), Kind: "noted", Detail: what + " again"}},
	}, jobID}}
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
	release.ending = &ending{epoch: released.Epoch, jobID: jobID, next: time.Now().Add(time.Hour)}
	waiting := newOnboarding(t, s)
	claiming := &pendingWrite{id: waiting, claim: &claim{jobID: b.jobID(t, waiting)}}

	errs := inOneGroup(t, s, changes[0], changes[1], claiming, changes[2], release)
	for i, want := range []error{nil, onboarding.ErrLostPlace, nil, nil, nil} {
		if !errors.Is(errs[i], want) {
			t.Errorf("the %d. comes to %v, want %v", i+1, errs[i], want)
		}
	}
	wantNotes(t, s, ids[0], "first", "first again")
	wantNotes(t, s, ids[1])
	wantNotes(t, s, ids[2], "third", "third again")
	wantNotes(t, s, released.ID, "released", "released again")
	if _, ok := b.due(t, released.ID); !ok || release.ending.woken {
		t.Errorf("released with a next run: %t, woken: %t", ok, release.ending.woken)
	}
	if o := claiming.claim.claimed; o == nil || o.ID != waiting || o.Epoch != 1 || o.Request.Business.Name == "" {
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
	second := *one
	second.ID, second.CallbackToken = onboarding.ID(random("onb_")), random("")
	creation, err := creation(t.Context(), &second, onboarding.Event{At: time.Now(), Kind: "onboarding.created"})
	if err != nil {
		t.Fatal(err)
	}
	errs := inOneGroup(t, b.store, noting(one, oneJob, "one"), &pendingWrite{id: second.ID, own: &creation}, noting(other, otherJob, "other"))
	if errs[0] != nil || !errors.Is(errs[1], pgx.ErrNoRows) || errs[2] != nil {
		t.Fatalf("they come to %v", errs)
	}
	var transactions int
	err = b.store.pool.QueryRow(t.Context(), "SELECT count(DISTINCT xmin::text) FROM onboardings WHERE id IN ($1, $2)", string(one.ID), string(other.ID)).
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
	kept := func(id onboarding.ID) *pendingWrite {
		d := delivery{InsertCallbackParams: db.InsertCallbackParams{OnboardingID: string(id), Body: []byte{}, ReceivedAt: timestamptz(time.Now())}, wakes: true}
		return &pendingWrite{id: id, delivery: &d}
	}
	// Each changes what the other keeps a callback of, which comes later in the transaction; as two replicas do.
	var both sync.WaitGroup
	for _, group := range [][2]func() *pendingWrite{
		{func() *pendingWrite { return noting(one, oneJob, "") }, func() *pendingWrite { return kept(other.ID) }},
		{func() *pendingWrite { return noting(other, otherJob, "") }, func() *pendingWrite { return kept(one.ID) }},
	} {
		both.Go(func() {
			for range 100 {
				first, second := group[0](), group[1]()
				inOneGroup(t, b.store, first, second)
				if first.err != nil {
					t.Errorf("a change comes to %v", first.err)
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
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle' AND query LIKE '%KeepCallbacks%'`).Scan(&sessions)
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
	first, second := &claim{jobID: jobID}, &claim{jobID: jobID}
	errs := inOneGroup(t, b.store, noting(o, jobID, "before"),
		&pendingWrite{id: o.ID, claim: first}, &pendingWrite{id: o.ID, claim: second}, noting(o, jobID, "too late"))
	if errs[0] != nil || errs[1] != nil || errs[2] != nil || !errors.Is(errs[3], onboarding.ErrLostPlace) {
		t.Fatalf("they come to %v", errs)
	}
	if first.claimed.Epoch != o.Epoch+1 || second.claimed.Epoch != o.Epoch+2 || first.claimed.SID("preflight") != "before" {
		t.Errorf("epochs %d and %d after %d; the first reads %q", first.claimed.Epoch, second.claimed.Epoch, o.Epoch, first.claimed.SID("preflight"))
	}
	wantNotes(t, b.store, o.ID, "before", "before again")
}
