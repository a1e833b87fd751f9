package store

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/store/internal/db"
)

func TestAKilledReplicasRunsGoOnElsewhereAndOthersAreLeftAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	// Neither has a heartbeat. Only the free lock tells the killed one from the living.
	killed, living := newOtherReplica(t, b.url), newOtherReplica(t, b.url)
	id, jobID := killed.runs(t, b)
	livingID, livingJob := living.runs(t, b)

	killed.kill(t)
	_, claimed := b.inbox.claim(t, id)
	if claimed.Woken {
		t.Error("woken by the rescue")
	}
	if state := b.jobState(t, jobID); state != "cancelled" {
		t.Errorf("the dead replica's job is %s, want cancelled", state)
	}
	if killed.isListed(t, b) {
		t.Error("the dead replica is still on the list")
	}
	if !living.isListed(t, b) || b.jobID(t, livingID) != livingJob || b.jobState(t, livingJob) != "running" {
		t.Error("the living replica lost its place")
	}
}

// looking is a replica that looks after the others when the test says so, on a store that is not
// started.
func looking(t *testing.T) (*testBundle, *replica) {
	t.Helper()
	b := &testBundle{url: newDatabase(t)}
	b.store = openStore(t, Config{DatabaseURL: b.url, StaleAfter: 24 * time.Hour})
	b.store.timing.grace = 0
	return b, &replica{store: b.store, silent: map[int32]bool{}}
}

func (r *replica) mustRemoveDead(t *testing.T) {
	t.Helper()
	if err := r.removeDead(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestASilentReplicasRunsGoOnElsewhere(t *testing.T) {
	t.Parallel()
	b, r := looking(t)
	b.store.config.StaleAfter = time.Microsecond
	// Both have their locks.
	paused, living := newOtherReplica(t, b.url), newOtherReplica(t, b.url)
	id, jobID := paused.runs(t, b)
	livingID, livingJob := living.runs(t, b)
	b.exec(t, "UPDATE replicas SET seen_at = now() - interval '1 hour' WHERE id = $1", paused.id)
	b.exec(t, "UPDATE replicas SET seen_at = now() + interval '1 hour' WHERE id = $1", living.id)
	for range 2 {
		r.look(t.Context())
	}
	if paused.isListed(t, b) || b.jobState(t, jobID) != "cancelled" || b.jobID(t, id) == jobID {
		t.Errorf("the silent one is listed: %t; its job is %s", paused.isListed(t, b), b.jobState(t, jobID))
	}
	if state := b.jobState(t, b.jobID(t, id)); state != "available" {
		t.Errorf("the next job is %s, want available", state)
	}
	if !living.isListed(t, b) || b.jobID(t, livingID) != livingJob || b.jobState(t, livingJob) != "running" {
		t.Error("the living replica lost its place")
	}
}

func TestAFreeLockSaysNothingSoonAfterTheServersStart(t *testing.T) {
	t.Parallel()
	b, r := looking(t)
	dead := newOtherReplica(t, b.url)
	dead.kill(t)
	b.store.timing.grace = 24 * time.Hour
	for range 3 {
		r.mustRemoveDead(t)
	}
	if !dead.isListed(t, b) {
		t.Error("removed within the grace")
	}
	b.store.timing.grace = 0
	eventually(t, "it is removed", func() bool {
		r.mustRemoveDead(t)
		return !dead.isListed(t, b)
	})
}

func TestAReplicaIsDeadAfterTwoLooks(t *testing.T) {
	t.Parallel()
	b, r := looking(t)
	// A row without a lock, as between the loss of a connection and the next.
	other := &otherReplica{}
	b.queryRow(t, &other.id, "INSERT INTO replicas (client_id) VALUES ('other') RETURNING id")
	for look, want := range []bool{true, false} {
		r.mustRemoveDead(t)
		if listed := other.isListed(t, b); listed != want {
			t.Errorf("after look %d: on the list %t, want %t", look+1, listed, want)
		}
	}
}

// Each look locks for a moment. The lock of another look must not pass for the owner's.
func TestTwoLooksAtTheSameMomentDoNotHideADeadReplica(t *testing.T) {
	t.Parallel()
	b, r := looking(t)
	dead := newOtherReplica(t, b.url)
	dead.kill(t)
	look := db.SilentReplicasParams{StaleAfter: interval(24 * time.Hour), Grace: interval(0), Class: replicaLockClass}
	err := b.store.inTx(t.Context(), func(q *db.Queries) error {
		eventually(t, "the lock is free", func() bool {
			silent, err := q.SilentReplicas(t.Context(), look)
			return err == nil && len(silent) == 1
		})
		for range 2 { // The other look's transaction has not ended.
			r.mustRemoveDead(t)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if dead.isListed(t, b) {
		t.Error("the dead replica is still on the list after two looks")
	}
}

func TestADeadLeadersTermIsEnded(t *testing.T) {
	t.Parallel()
	b := &testBundle{url: newDatabase(t)}
	b.store = openStore(t, Config{DatabaseURL: b.url})
	b.exec(t, "INSERT INTO river_leader (leader_id, elected_at, expires_at) VALUES ('dead', now(), now() + interval '1 hour')")
	// Without the notification River would have its next election five seconds later.
	listener, err := pgx.Connect(t.Context(), b.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeConn(listener) })
	if _, err := listener.Exec(t.Context(), `LISTEN "public.river_leadership"`); err != nil {
		t.Fatal(err)
	}
	s := startStore(t, Config{DatabaseURL: b.url, Advance: newInbox().advance, Workers: 1})
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	resigned, err := listener.WaitForNotification(ctx)
	if err != nil || !strings.Contains(resigned.Payload, `"dead"`) || !strings.Contains(resigned.Payload, `"resigned"`) {
		t.Errorf("notified of %+v, %v; want that the dead one resigned", resigned, err)
	}
	eventually(t, "a living client leads", func() (leads bool) {
		b.queryRow(t, &leads, "SELECT EXISTS (SELECT FROM river_leader WHERE leader_id = $1)", s.clientID)
		return leads
	})
}
