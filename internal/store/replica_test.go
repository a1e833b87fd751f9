package store

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// otherReplica is a process as the database sees it: a row, and a connection that has the row's
// lock.
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
		o.id, err = q.Register(t.Context(), db.RegisterParams{ClientID: o.clientID, StartedAt: timestamptz(time.Now())})
		if err != nil {
			return err
		}
		return q.LockReplica(t.Context(), db.LockReplicaParams{Class: replicaLockClass, ID: o.id})
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// kill closes the connection as the kernel does for a process that is killed: Postgres is told
// nothing.
func (o *otherReplica) kill(t *testing.T) {
	t.Helper()
	if err := o.conn.PgConn().Conn().Close(); err != nil {
		t.Fatal(err)
	}
}

// runs makes the other replica run a new onboarding, and returns the onboarding's ID and the job's.
func (o *otherReplica) runs(t *testing.T, b *testBundle) (id onboarding.ID, jobID int64) {
	t.Helper()
	ctx, now := t.Context(), stamp{time.Now()}
	id = onboarding.ID(random("onb_"))
	// The job is inserted and begun in one transaction, so that no other worker can fetch it.
	err := pgx.BeginFunc(ctx, b.store.pool, func(tx pgx.Tx) error {
		_, err := db.New(tx).CreateOnboardings(ctx, []string{encode(creationRow{
			ID: id, SubaccountSID: random("AC"), CallbackToken: random(""), Version: 1, Status: "in_progress",
			CreatedAt: now, UpdatedAt: now, Event: eventRow{At: now, Kind: "onboarding.created"},
		})})
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `UPDATE river_job
			SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = ARRAY['an earlier client', $2]
			WHERE id = (SELECT job_id FROM onboardings WHERE id = $1) RETURNING id`, string(id), o.clientID).Scan(&jobID)
	})
	if err != nil {
		t.Fatal(err)
	}
	return id, jobID
}

func (o *otherReplica) isListed(t *testing.T, b *testBundle) (listed bool) {
	t.Helper()
	b.queryRow(t, &listed, "SELECT EXISTS (SELECT FROM replicas WHERE id = $1)", o.id)
	return listed
}

// ownRow returns the ID of the store's row, or 0, and whether its lock is granted.
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

func hasNewRow(t *testing.T, s *Store, before int32) {
	t.Helper()
	eventually(t, "the replica has a new row and its lock", func() bool {
		id, locked := ownRow(t, s)
		return id > before && locked
	})
}

func TestAReplicaRegistersAgainWhenItsRowIsGone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before, _ := ownRow(t, b.store)
	b.exec(t, "DELETE FROM replicas")
	hasNewRow(t, b.store, before)
}

func TestAReplicaGoesOnWithItsRunsWhenItsConnectionIsLost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := newInbox()
	startStore(t, Config{DatabaseURL: b.url, Advance: other.advance, Workers: 10})
	id := newOnboarding(t, b.store)
	var r run
	select {
	case r = <-b.inbox.of(id):
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
	b.exec(t, `
		SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
		WHERE l.locktype = 'advisory' AND l.classid = $1::bigint::oid AND l.objid = $2::integer::oid`, int64(replicaLockClass), before)
	hasNewRow(t, s, before)
	r.release(t, claimed, time.Time{})
}
