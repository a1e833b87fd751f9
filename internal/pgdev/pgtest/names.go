package pgtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// The name of every database has the number of the test process that made it. The process holds an
// advisory lock with that number as long as it lives. On a server that outlives the process, a
// later process so finds the databases that nobody uses: the template, and after a SIGKILL all of
// them.
const (
	namePrefix = "attestd_test_"

	// lockClass separates these locks from those that tests take.
	lockClass = 0x61747465 // "atte"
)

// runID is the number of one test process.
type runID int32

func newRunID() runID { return runID(rand.Int32()) }

// database is the name of a database of the run. It is in lower case and needs no quotes in SQL.
func (r runID) database(suffix string) string {
	return namePrefix + strconv.FormatInt(int64(r), 10) + "_" + suffix
}

// parseRunID reads the number in the name of a database.
func parseRunID(database string) (runID, bool) {
	rest, ok := strings.CutPrefix(database, namePrefix)
	if !ok {
		return 0, false
	}
	number, _, ok := strings.Cut(rest, "_")
	if !ok {
		return 0, false
	}
	id, err := strconv.ParseInt(number, 10, 32)
	return runID(id), err == nil
}

// lock marks the run as alive as long as the session lasts.
func (r runID) lock(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1, $2)", int32(lockClass), int32(r)); err != nil {
		return fmt.Errorf("locking the run's databases: %w", err)
	}
	return nil
}

// sweep drops the databases of runs that have ended.
func sweep(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `SELECT datname FROM pg_database WHERE starts_with(datname, $1)`, namePrefix)
	if err != nil {
		return fmt.Errorf("listing old test databases: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("listing old test databases: %w", err)
	}
	for _, name := range names {
		run, ok := parseRunID(name)
		if !ok {
			continue // not one of ours
		}
		if err := dropIfOver(ctx, conn, run, name); err != nil {
			return fmt.Errorf("dropping old test database %s: %w", name, err)
		}
	}
	return nil
}

// dropIfOver drops a database if its run has ended. It tries the lock in a new session, because a
// session always gets a lock that it holds itself.
func dropIfOver(ctx context.Context, conn *pgx.Conn, run runID, name string) error {
	var over bool
	err := conn.QueryRow(ctx, `
		SELECT NOT EXISTS (
			SELECT FROM pg_locks
			WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND objid = $2::bigint::oid AND granted)`,
		int64(lockClass), int64(run)).Scan(&over)
	if err != nil || !over {
		return err
	}
	// Another process may be sweeping at the same time.
	_, err = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
	return err
}
