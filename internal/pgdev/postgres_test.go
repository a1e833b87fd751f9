package pgdev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// roleVariable makes this test binary the owner of a server. Tests kill such owners, and run them
// as other users.
const roleVariable = "PGDEV_TEST_OWNER"

func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) != "" {
		own()
		return
	}
	os.Exit(m.Run())
}

// own starts a server, prints where it is, and lives until its input ends.
func own() {
	p, err := Start(context.Background(), Options{})
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println(p.URL(""))
	fmt.Println(p.Dir())
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := p.Stop(); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func start(t *testing.T, o Options) *Postgres {
	t.Helper()
	p, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// query returns the one text value of a statement.
func query(t *testing.T, databaseURL, statement string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var value string
	if err := conn.QueryRow(t.Context(), statement).Scan(&value); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return value
}

// command runs statements, each in a transaction of its own.
func command(t *testing.T, databaseURL string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, statement := range statements {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// patience is how long a test waits for what must come: far longer than anything takes on the
// slowest machine.
const patience = 2 * time.Minute

// eventually waits for a condition without a signal, such as the end of a process that is not a
// child.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	timeout := time.After(patience)
	for !done() {
		select {
		case <-ticker.C:
		case <-timeout:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func gone(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// TestRunningServer has the promises that can be checked on one server without changing it.
func TestRunningServer(t *testing.T) {
	t.Parallel()
	p := start(t, Options{Settings: map[string]string{"work_mem": "5MB"}})

	t.Run("is UTF-8 in locale C on the loopback alone, and takes settings", func(t *testing.T) {
		t.Parallel()
		for setting, want := range map[string]string{
			"server_encoding":         "UTF8",
			"listen_addresses":        "127.0.0.1",
			"unix_socket_directories": "",
			"max_connections":         "200",
			"fsync":                   "off",
			"work_mem":                "5MB",
		} {
			if got := query(t, p.URL(""), "SHOW "+setting); got != want {
				t.Errorf("%s = %q, want %q", setting, got, want)
			}
		}
		if got := query(t, p.URL(""), "SELECT datcollate::text FROM pg_database WHERE datname = 'template1'"); got != "C" {
			t.Errorf("locale %q, want C", got)
		}
	})

	t.Run("wants its password", func(t *testing.T) {
		t.Parallel()
		u, err := url.Parse(p.URL(""))
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword("postgres", "wrong")
		_, err = pgx.Connect(t.Context(), u.String())
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != "28P01" {
			t.Errorf("connecting with a wrong password: %v, want 28P01", err)
		}
	})

	t.Run("asks a client for one hash per connection", func(t *testing.T) {
		t.Parallel()
		got := query(t, p.URL(""), "SELECT rolpassword FROM pg_authid WHERE rolname = current_user")
		if !strings.HasPrefix(got, "SCRAM-SHA-256$1:") {
			t.Errorf("the verifier is %q, want SCRAM with one iteration", got)
		}
	})

	t.Run("goes on when a restart is asked for in an unknown mode", func(t *testing.T) {
		t.Parallel()
		if err := p.Restart(t.Context(), "gentle"); err == nil {
			t.Error("no error")
		}
		query(t, p.URL(""), "SELECT 'still running'")
	})
}

func TestStopEndsTheServerAndRemovesItsDirectory(t *testing.T) {
	t.Parallel()
	p := start(t, Options{})
	databaseURL, dir := p.URL(""), p.Dir()
	if gone(dir) {
		t.Fatalf("%s does not exist while the server runs", dir)
	}
	for range 2 { // the second does nothing
		if err := p.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := pgx.Connect(t.Context(), databaseURL); err == nil {
		t.Error("the server still takes connections")
	}
	if !gone(dir) {
		t.Errorf("%s still exists", dir)
	}
	if err := p.Restart(t.Context(), Fast); err == nil {
		t.Error("a stopped server was restarted")
	}
}

func TestRestartKeepsDataAndURL(t *testing.T) {
	t.Parallel()
	p := start(t, Options{})
	startTime := func() string { return query(t, p.URL(""), "SELECT pg_postmaster_start_time()::text") }
	for _, c := range []struct {
		name  string
		crash bool // Postgres itself is killed first
		mode  StopMode
	}{
		{name: "fast", mode: Fast},
		{name: "immediate", mode: Immediate},
		{name: "after a crash", mode: Fast, crash: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			// Commits at the last moment are the ones at risk.
			command(t, p.URL(""), "DROP TABLE IF EXISTS kept", "CREATE TABLE kept AS SELECT 'still here'::text AS value")
			before := startTime()
			if c.crash {
				killPostmaster(t, p)
			}
			if err := p.Restart(t.Context(), c.mode); err != nil {
				t.Fatal(err)
			}
			if got := query(t, p.URL(""), "SELECT value FROM kept"); got != "still here" {
				t.Errorf("read %q", got)
			}
			if startTime() == before {
				t.Error("the server is the same as before")
			}
		})
	}
}

func killPostmaster(t *testing.T, p *Postgres) {
	t.Helper()
	pidFile, err := os.ReadFile(filepath.Join(p.dataDir(), "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(pidFile), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func TestDurableServerInAGivenDirectoryIsKeptAndFoundAgain(t *testing.T) {
	t.Parallel()
	o := Options{Dir: filepath.Join(reachableDir(t), "made", "on", "demand"), Durable: true}
	p := start(t, o)
	for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		if got := query(t, p.URL(""), "SHOW "+setting); got != "on" {
			t.Errorf("%s = %q, want on", setting, got)
		}
	}
	command(t, p.URL(""), "CREATE TABLE kept AS SELECT 'still here'::text AS value")
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	again := start(t, o)
	if got := query(t, again.URL(""), "SELECT value FROM kept"); got != "still here" {
		t.Errorf("read %q", got)
	}
}

func TestTwoServersAtOnceAreApart(t *testing.T) {
	t.Parallel()
	port, err := choosePort(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	one, two := start(t, Options{Port: port}), start(t, Options{})
	if !strings.Contains(one.URL("attestd"), fmt.Sprintf("@127.0.0.1:%d/attestd?", port)) {
		t.Errorf("URL %s lacks the given port %d", one.URL("attestd"), port)
	}
	command(t, one.URL(""), "CREATE TABLE only_here ()")
	if got := query(t, two.URL(""), "SELECT (to_regclass('only_here') IS NULL)::text"); got != "true" {
		t.Error("a table made on one server is on the other")
	}
	_, err = Start(t.Context(), Options{Port: port})
	if err == nil || !strings.Contains(err.Error(), "Address already in use") {
		t.Errorf("a third server on a taken port: %v, want the server's own words", err)
	}
}

func TestFailedStartShowsTheServersWordsAndLeavesNothing(t *testing.T) {
	parent := reachableDir(t)
	t.Setenv("TMPDIR", parent)
	_, err := Start(t.Context(), Options{Settings: map[string]string{"no_such_setting": "1"}})
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("error %v, want one that names no_such_setting", err)
	}
	left, err := os.ReadDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestOnlyAThrowawayServerIsKeptInMemory(t *testing.T) {
	t.Setenv("TMPDIR", "")
	if got := tempParents(false)[0] == memoryDir; got != hasRoom(memoryDir, memoryRoom) {
		t.Errorf("in memory: %v, want it if there is room", got)
	}
	if slices.Contains(tempParents(true), memoryDir) {
		t.Error("a durable server may be kept in memory")
	}
	t.Setenv("TMPDIR", t.TempDir())
	if got := tempParents(false)[0]; got != os.Getenv("TMPDIR") {
		t.Errorf("kept in %s though TMPDIR is set", got)
	}
}

func TestADirectoryThatIsNotThereHasNoRoom(t *testing.T) {
	t.Parallel()
	if hasRoom(filepath.Join(t.TempDir(), "none"), 0) {
		t.Error("it has")
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
}

func TestServerAndDirectoryEndWithAKilledOwner(t *testing.T) {
	t.Parallel()
	owner := startOwner(t, nil, os.Args[0])
	conn, err := pgx.Connect(t.Context(), owner.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := owner.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// The open session ends because the server does.
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := conn.WaitForNotification(ctx); ctx.Err() != nil {
		t.Errorf("the session goes on: %v", err)
	}
	eventually(t, "the directory is removed", func() bool { return gone(owner.dir) })
	if _, err := pgx.Connect(t.Context(), owner.url); err == nil {
		t.Error("the server still takes connections")
	}
}

func TestRunsAsAnOrdinaryUser(t *testing.T) {
	t.Parallel()
	var credential *syscall.Credential
	binary := os.Args[0]
	if os.Geteuid() == 0 {
		a, err := serverAccount(0, "nobody")
		if err != nil {
			t.Fatal(err)
		}
		credential = a.credential
		binary = filepath.Join(reachableDir(t), "pgdev.test")
		// Another process writes the file. If this one did, a child that is forked in between would
		// have it open: "text file busy".
		if output, err := exec.CommandContext(t.Context(), "cp", os.Args[0], binary).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
	}
	owner := startOwner(t, credential, binary)
	query(t, owner.url, "SELECT 'runs'")
	if err := owner.stop(); err != nil {
		t.Fatal(err)
	}
	if !gone(owner.dir) {
		t.Errorf("%s still exists", owner.dir)
	}
}
