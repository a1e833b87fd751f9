package store

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// otherReplica is a process as the database sees it: a row, and a connection that holds the lock.
type otherReplica struct {
	conn     *pgx.Conn
	clientID string
	id       int32
}

func newOtherReplica(t *testing.T, url string) *otherReplica {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeConn(conn) })
	o := &otherReplica{conn: conn, clientID: random("other-")}
	err = pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
		q := db.New(tx)
		if o.id, err = q.Register(t.Context(), db.RegisterParams{ClientID: o.clientID, StartedAt: timestamptz(time.Now())}); err != nil {
			return err
		}
		return q.HoldReplicaLock(t.Context(), db.HoldReplicaLockParams{Class: replicaLockClass, ID: o.id})
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// kill closes the connection as the kernel does for a process that is killed: without a word to Postgres.
func (o *otherReplica) kill(t *testing.T) {
	t.Helper()
	if err := o.conn.PgConn().Conn().Close(); err != nil {
		t.Fatal(err)
	}
}

// runs makes the other replica run a new onboarding, and returns its ID and its job's.
func (o *otherReplica) runs(t *testing.T, s *Store) (onboarding.ID, int64) {
	t.Helper()
	// The insert and the fetch are one transaction, so that nobody else can fetch it.
	ctx := t.Context()
	id := onboarding.ID(random("onb_"))
	var jobID int64
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		now := stamp{time.Now()}
		_, err := db.New(tx).CreateOnboardings(ctx, []string{encode(creationRow{
			ID: id, SubaccountSID: random("AC"), CallbackToken: random(""), Version: 1, Status: "in_progress", CreatedAt: now, UpdatedAt: now,
			Event: eventRow{At: now, Kind: "onboarding.created"},
		})})
		if err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, "SELECT job_id FROM onboardings WHERE id = $1", string(id)).Scan(&jobID); err != nil {
			return err
		}
		_, err = tx.Exec(ctx,
			`UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = ARRAY['somebody before', $2] WHERE id = $1`,
			jobID, o.clientID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id, jobID
}

func (o *otherReplica) isListed(t *testing.T, s *Store) bool {
	t.Helper()
	var listed bool
	if err := s.pool.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM replicas WHERE id = $1)", o.id).Scan(&listed); err != nil {
		t.Fatal(err)
	}
	return listed
}

func (b *testBundle) jobState(t *testing.T, jobID int64) string {
	t.Helper()
	var state string
	if err := b.store.pool.QueryRow(t.Context(), "SELECT state FROM river_job WHERE id = $1", jobID).Scan(&state); err != nil {
		t.Fatal(err)
	}
	return state
}

func TestKilledReplicasRunsGoOnElsewhereAndOthersAreLeftAlone(t *testing.T) {
	t.Parallel()
	url, d := newDatabase(t), newDesk()
	// Only the free lock can give the killed one away; neither says a word any more.
	s := startStore(t, Config{DatabaseURL: url, Advance: d.advance, Workers: 10, StaleAfter: 24 * time.Hour})
	b := &testBundle{url: url, store: s, desk: d}
	killed, living := newOtherReplica(t, b.url), newOtherReplica(t, b.url)
	id, jobID := killed.runs(t, b.store)
	livingID, livingJob := living.runs(t, b.store)

	killed.kill(t)
	r := b.fetch(t, id)
	claimed, err := r.ledger.Claim(r.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if claimed.Woken {
		t.Error("woken by the take-over")
	}
	if state := b.jobState(t, jobID); state != "cancelled" {
		t.Errorf("the dead replica's job is %s, want it ended", state)
	}
	if killed.isListed(t, b.store) {
		t.Error("the dead replica is still on the list")
	}
	if !living.isListed(t, b.store) || b.jobID(t, livingID) != livingJob || b.jobState(t, livingJob) != "running" {
		t.Error("the living replica lost its place")
	}
}

func TestSilentReplicasRunsGoOnElsewhere(t *testing.T) {
	t.Parallel()
	url, d := newDatabase(t), newDesk()
	const staleAfter = time.Second
	s := startStore(t, Config{DatabaseURL: url, Advance: d.advance, Workers: 10, StaleAfter: staleAfter})
	begun := time.Now()
	paused := newOtherReplica(t, url) // holds its lock, and says no more
	id, _ := paused.runs(t, s)
	r := d.fetch(t, id)
	if took := time.Since(begun); took < staleAfter {
		t.Errorf("taken over after %s, want not before %s", took, staleAfter)
	}
	if _, err := r.ledger.Claim(r.ctx, id); err != nil {
		t.Error(err)
	}
}

func TestFreeLockSaysNothingSoonAfterTheServersStart(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t)})
	dead := newOtherReplica(t, s.config.DatabaseURL)
	dead.kill(t)
	r := &replica{store: s, silent: map[int32]bool{}}
	s.timing.grace = 24 * time.Hour
	for range 3 {
		if err := r.removeDead(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if !dead.isListed(t, s) {
		t.Error("removed within the grace")
	}
	s.timing.grace = 0
	eventually(t, "it is removed", func() bool {
		if err := r.removeDead(t.Context()); err != nil {
			t.Fatal(err)
		}
		return !dead.isListed(t, s)
	})
}

func TestReplicaIsDeadAfterTwoLooks(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t)})
	s.timing.grace = 0
	// A row without a lock, as between the loss of a connection and the next.
	var id int32
	if err := s.pool.QueryRow(t.Context(), "INSERT INTO replicas (client_id) VALUES ('blip') RETURNING id").Scan(&id); err != nil {
		t.Fatal(err)
	}
	blip := &otherReplica{id: id}
	r := &replica{store: s, silent: map[int32]bool{}}
	for look, want := range []bool{true, false} {
		if err := r.removeDead(t.Context()); err != nil {
			t.Fatal(err)
		}
		if listed := blip.isListed(t, s); listed != want {
			t.Errorf("after look %d: on the list %t, want %t", look+1, listed, want)
		}
	}
}

// Each look takes the lock for a moment. Another that looks meanwhile must not hold it for the owner's.
func TestThoseWhoLookAtOneMomentAreNotInEachOthersWay(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t)})
	s.timing.grace = 0
	dead := newOtherReplica(t, s.config.DatabaseURL)
	dead.kill(t)
	look := db.SilentReplicasParams{StaleAfter: interval(24 * time.Hour), Grace: interval(0), Class: replicaLockClass}
	r := &replica{store: s, silent: map[int32]bool{}}
	err := s.inTx(t.Context(), func(q *db.Queries) error {
		eventually(t, "the lock is free", func() bool {
			silent, err := q.SilentReplicas(t.Context(), look)
			return err == nil && len(silent) == 1
		})
		for range 2 { // The other look is still in its transaction.
			if err := r.removeDead(t.Context()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if dead.isListed(t, s) {
		t.Error("the dead replica is still on the list after two looks")
	}
}

// ownRow returns the ID of the store's row, or 0, and whether its lock is held.
func ownRow(t *testing.T, s *Store) (id int32, locked bool) {
	t.Helper()
	err := s.pool.QueryRow(t.Context(), `
		SELECT r.id, EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
			WHERE l.locktype = 'advisory' AND l.classid = $2::bigint::oid AND l.objid = r.id::oid AND l.granted)
		FROM replicas r WHERE r.client_id = $1`, s.clientID, int64(replicaLockClass)).Scan(&id, &locked)
	if err != nil && err != pgx.ErrNoRows { //nolint:errorlint // pgx returns it as it is
		t.Fatal(err)
	}
	return id, locked
}

func TestReplicaRegistersAnewWhenItsRowIsGone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before, _ := ownRow(t, b.store)
	if _, err := b.store.pool.Exec(t.Context(), "DELETE FROM replicas"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is listed under a new ID and holds that lock", func() bool {
		id, locked := ownRow(t, b.store)
		return id > before && locked
	})
}

func TestReplicaKeepsItsRunsWhenItsConnectionIsLost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := newDesk()
	startStore(t, Config{DatabaseURL: b.url, Advance: other.advance, Workers: 10})
	id := newOnboarding(t, b.store)
	var r run
	select {
	case r = <-b.desk.of(id):
	case r = <-other.of(id):
	case <-time.After(testTimeout):
		t.Fatal("not run")
	}
	claimed, err := r.ledger.Claim(r.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	s := r.ledger.store
	before, _ := ownRow(t, s)
	_, err = s.pool.Exec(t.Context(), `
		SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
		WHERE l.locktype = 'advisory' AND l.classid = $1::bigint::oid AND l.objid = $2::integer::oid`, int64(replicaLockClass), before)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is listed under a new ID and holds that lock", func() bool {
		id, locked := ownRow(t, s)
		return id > before && locked
	})
	if woken, err := r.ledger.Release(r.ctx, nothing(claimed), time.Time{}); err != nil || woken {
		t.Errorf("release: woken %t, %v", woken, err)
	}
}

func TestDeadLeadersTermIsEnded(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	prepare := openStore(t, Config{DatabaseURL: url})
	_, err := prepare.pool.Exec(t.Context(),
		"INSERT INTO river_leader (leader_id, elected_at, expires_at) VALUES ('dead', now(), now() + interval '1 hour')")
	if err != nil {
		t.Fatal(err)
	}
	// Without the notification River would hold its next election in five seconds.
	listener, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeConn(listener) })
	if _, err := listener.Exec(t.Context(), `LISTEN "public.river_leadership"`); err != nil {
		t.Fatal(err)
	}
	s := startStore(t, Config{DatabaseURL: url, Advance: newDesk().advance, Workers: 1})
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	resigned, err := listener.WaitForNotification(ctx)
	if err != nil || !strings.Contains(resigned.Payload, `"dead"`) || !strings.Contains(resigned.Payload, `"resigned"`) {
		t.Errorf("notified of %+v, %v; want that the dead one resigned", resigned, err)
	}
	eventually(t, "a living client leads", func() bool {
		var leads bool
		err := s.pool.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM river_leader WHERE leader_id = $1)", s.clientID).Scan(&leads)
		if err != nil {
			t.Fatal(err)
		}
		return leads
	})
}

func TestSweepWakesWhatNothingWouldRun(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t)})
	b := &testBundle{store: s}
	ctx := t.Context()
	exec := func(sql string, id onboarding.ID) {
		t.Helper()
		if _, err := s.pool.Exec(ctx, sql, string(id)); err != nil {
			t.Fatal(err)
		}
	}
	healthy, jobless, jobGone, jobEnded := newOnboarding(t, s), newOnboarding(t, s), newOnboarding(t, s), newOnboarding(t, s)
	failedJobEnded, cleanupJobGone, resting, canceled := newOnboarding(t, s), newOnboarding(t, s), newOnboarding(t, s), newOnboarding(t, s)
	exec("UPDATE onboardings SET job_id = NULL, status = 'in_review' WHERE id = $1", jobless)
	exec("DELETE FROM river_job WHERE id = (SELECT job_id FROM onboardings WHERE id = $1)", jobGone)
	const end = "UPDATE river_job SET state = 'completed', finalized_at = now() WHERE id = (SELECT job_id FROM onboardings WHERE id = $1)"
	exec(end, jobEnded)
	exec(end, failedJobEnded)
	exec("UPDATE onboardings SET status = 'action_required' WHERE id = $1", failedJobEnded)
	exec("DELETE FROM river_job WHERE id = (SELECT job_id FROM onboardings WHERE id = $1)", cleanupJobGone)
	exec("UPDATE onboardings SET status = 'canceled', canceled_at = now(), cleanup = true WHERE id = $1", cleanupJobGone)
	exec("UPDATE onboardings SET job_id = NULL, status = 'action_required' WHERE id = $1", resting)
	exec("UPDATE onboardings SET job_id = NULL, status = 'canceled', canceled_at = now() WHERE id = $1", canceled)
	healthyJob := b.jobID(t, healthy)

	woken, err := s.sweep(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if woken != 5 {
		t.Errorf("woke %d, want 5", woken)
	}
	for name, id := range map[string]onboarding.ID{
		"jobless": jobless, "job gone": jobGone, "job ended": jobEnded, "failed": failedJobEnded, "cleanup": cleanupJobGone,
	} {
		if _, scheduled := b.due(t, id); !scheduled {
			t.Errorf("%s: has no job", name)
		}
		if o, err := s.Get(ctx, id); err != nil || !o.Woken {
			t.Errorf("%s: not woken, %v", name, err)
		}
	}
	if b.jobID(t, healthy) != healthyJob || b.jobID(t, resting) != 0 || b.jobID(t, canceled) != 0 {
		t.Error("woke one that is well, or rests")
	}
	if woken, err := s.sweep(ctx); err != nil || woken != 0 {
		t.Errorf("woke %d the second time, %v, want none", woken, err)
	}
}

func TestOneReplicaSweepsAtATime(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t)})
	id := newOnboarding(t, s)
	if _, err := s.pool.Exec(t.Context(), "UPDATE onboardings SET job_id = NULL WHERE id = $1", string(id)); err != nil {
		t.Fatal(err)
	}
	err := s.inTx(t.Context(), func(q *db.Queries) error {
		if mine, err := q.TrySweepLock(t.Context(), sweepLockClass); err != nil || !mine {
			t.Fatalf("the lock is mine: %t, %v", mine, err)
		}
		woken, err := s.sweep(t.Context())
		if woken != 0 {
			t.Errorf("woke %d beside another sweep", woken)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if woken, err := s.sweep(t.Context()); err != nil || woken != 1 {
		t.Errorf("woke %d, %v, want 1", woken, err)
	}
}
