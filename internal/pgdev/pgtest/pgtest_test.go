package pgtest

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

var migrations atomic.Int32

// migrate makes a small schema in the place of a real one.
func migrate(ctx context.Context, databaseURL string) error {
	migrations.Add(1)
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "CREATE TABLE things (name text)")
	return err
}

func dial(t *testing.T, databaseURL string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func count(t *testing.T, conn *pgx.Conn, query string, args ...any) int {
	t.Helper()
	var n int
	if err := conn.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestNewGivesEachTestItsOwnMigratedDatabase(t *testing.T) {
	t.Parallel()
	one, two := dial(t, New(t, migrate)), dial(t, New(t, migrate))
	if _, err := one.Exec(t.Context(), "INSERT INTO things VALUES ('mine')"); err != nil {
		t.Fatal(err)
	}
	if n := count(t, two, "SELECT count(*) FROM things"); n != 0 {
		t.Errorf("the second database has %d rows of the first", n)
	}
	if n := migrations.Load(); n != 1 {
		t.Errorf("migrated %d times, want once per process", n)
	}
}

func TestEmptyHasNoSchema(t *testing.T) {
	t.Parallel()
	conn := dial(t, Empty(t))
	if n := count(t, conn, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"); n != 0 {
		t.Errorf("%d tables, want none", n)
	}
}

func TestDatabaseIsDroppedWithTheTestThoughConnectionsAreOpen(t *testing.T) {
	t.Parallel()
	var databaseURL string
	var open *pgx.Conn
	t.Run("test", func(t *testing.T) {
		databaseURL = New(t, migrate)
		var err error
		if open, err = pgx.Connect(t.Context(), databaseURL); err != nil {
			t.Fatal(err)
		}
	})
	defer open.Close(context.Background())
	_, err := pgx.Connect(t.Context(), databaseURL)
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "3D000" {
		t.Errorf("connecting after the test: %v, want 3D000 (no such database)", err)
	}
}

func TestTestsOfAProcessShareAServer(t *testing.T) {
	t.Parallel()
	first, second := Server(t), Server(t)
	if first != second {
		t.Error("two servers")
	}
}

func TestServerNamedByURLIsUsedAndSwept(t *testing.T) {
	t.Parallel()
	databaseURL := Empty(t) // its server plays the one that outlives a process
	living, err := open(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer living.lock.Close(context.Background())
	if living.private != nil {
		t.Error("a private server was started though a URL was given")
	}
	dead, err := open(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := living.makeTemplate(t.Context(), migrateNothing)
	if err != nil {
		t.Fatal(err)
	}
	left, err := dead.makeTemplate(t.Context(), migrateNothing)
	if err != nil {
		t.Fatal(err)
	}
	session := dead.lock.PgConn().PID()
	if err := dead.lock.Close(t.Context()); err != nil { // as the end of its process does
		t.Fatal(err)
	}
	watch := dial(t, databaseURL)
	for count(t, watch, "SELECT count(*) FROM pg_stat_activity WHERE pid = $1", session) > 0 {
		runtime.Gosched() // Postgres ends the session in its own time.
	}

	next, err := open(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer next.lock.Close(context.Background())
	const exists = "SELECT count(*) FROM pg_database WHERE datname = $1"
	if count(t, next.lock, exists, left) != 0 {
		t.Errorf("%s of a dead process is left", left)
	}
	if count(t, next.lock, exists, kept) != 1 {
		t.Errorf("%s of a living process was dropped", kept)
	}
	if err := next.exec(t.Context(), "DROP DATABASE "+kept); err != nil {
		t.Fatal(err)
	}
}

func migrateNothing(context.Context, string) error { return nil }

func TestURLThatIsNoURLIsRefusedUnseen(t *testing.T) {
	t.Parallel()
	_, err := open(t.Context(), "host=localhost password=topsecret")
	if err == nil {
		t.Fatal("no error")
	}
	if got := err.Error(); got != "TEST_DATABASE_URL is not a URL that begins with postgres://" {
		t.Errorf("error %q", got)
	}
}

func TestForeignDatabasesAreNotOurs(t *testing.T) {
	t.Parallel()
	if run, ok := parseRunID(runID(7).database("template")); !ok || run != 7 {
		t.Errorf("own name read as %d, %v", run, ok)
	}
	for _, name := range []string{"attestd", "attestd_test", "attestd_test_mine", "attestd_test_1x_2", "postgres"} {
		if _, ok := parseRunID(name); ok {
			t.Errorf("%q is taken for a test database", name)
		}
	}
}
