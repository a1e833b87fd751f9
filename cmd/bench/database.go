package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/pgdev"
)

// database is the private Postgres, and a session on it that measures its work.
type database struct {
	postgres *pgdev.Postgres
	session  *pgx.Conn // to the database postgres, of which no statistics are taken
	// statements says that Postgres counts statements: the extension pg_stat_statements is
	// installed.
	statements bool
	pid        int // of Postgres' first process
}

// startDatabase starts Postgres as in production: a commit is on the disk when it returns.
func startDatabase(ctx context.Context) (_ *database, err error) {
	d := &database{statements: true}
	d.postgres, err = pgdev.Start(ctx, pgdev.Options{Durable: true, Settings: map[string]string{"shared_preload_libraries": "pg_stat_statements"}})
	if err != nil { // The extension may be in a package of its own.
		d.statements = false
		if d.postgres, err = pgdev.Start(ctx, pgdev.Options{Durable: true}); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.stop())
		}
	}()
	if d.session, err = pgx.Connect(ctx, d.postgres.URL("")); err != nil {
		return nil, fmt.Errorf("connect to Postgres: %w", err)
	}
	if d.statements {
		if _, err := d.session.Exec(ctx, "CREATE EXTENSION pg_stat_statements"); err != nil {
			return nil, fmt.Errorf("count statements: %w", err)
		}
	}
	var pidFile string
	if err := d.session.QueryRow(ctx, "SELECT pg_read_file('postmaster.pid')").Scan(&pidFile); err != nil {
		return nil, fmt.Errorf("find Postgres' process: %w", err)
	}
	first, _, _ := strings.Cut(pidFile, "\n")
	if d.pid, err = strconv.Atoi(first); err != nil {
		return nil, fmt.Errorf("find Postgres' process: %w", err)
	}
	return d, nil
}

func (d *database) stop() error {
	if d.session != nil {
		_ = d.session.Close(context.Background()) // Nothing is written through it.
	}
	return d.postgres.Stop()
}

// create makes an empty database and returns its URL.
func (d *database) create(ctx context.Context, name string) (string, error) {
	if _, err := d.session.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("create database %s: %w", name, err)
	}
	return d.postgres.URL(name), nil
}

func (d *database) describe(out io.Writer) {
	fmt.Fprintf(out, "%s on %s/%s with %d CPUs; Postgres %s with fsync; attestd, the bare loop and the simulator in a process each\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), d.session.PgConn().ParameterStatus("server_version"))
}

// work is how much Postgres has done.
type work struct {
	// transactions are the committed ones of one database. A session reports its own up to ten
	// seconds late, or when it ends.
	transactions int64
	// writing are the transactions of the whole server that have an ID, because they have written.
	writing int64
	// statements are those of one database; 0 if they are not counted.
	statements int64
	// wal is the length of the write-ahead log in bytes.
	wal int64
}

func (w work) since(before work) work {
	return work{w.transactions - before.transactions, w.writing - before.writing, w.statements - before.statements, w.wal - before.wal}
}

func (w work) plus(more work) work {
	return work{w.transactions + more.transactions, w.writing + more.writing, w.statements + more.statements, w.wal + more.wal}
}

// ownMark is in every statement of the bench itself. Such statements are not counted.
const ownMark = "/* attestd bench */"

// work is how much Postgres has done so far for the database with this name.
func (d *database) work(ctx context.Context, name string) (w work, err error) {
	const transactions = `SELECT xact_commit, pg_snapshot_xmax(pg_current_snapshot())::text::bigint, (pg_current_wal_insert_lsn() - '0/0')::bigint
		FROM pg_stat_database WHERE datname = $1`
	if err := d.session.QueryRow(ctx, transactions, name).Scan(&w.transactions, &w.writing, &w.wal); err != nil {
		return work{}, fmt.Errorf("read Postgres' statistics: %w", err)
	}
	if !d.statements {
		return w, nil
	}
	const statements = `SELECT coalesce(sum(s.calls), 0)::bigint FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
		WHERE d.datname = $1 AND position($2 IN s.query) = 0`
	if err := d.session.QueryRow(ctx, statements, name, ownMark).Scan(&w.statements); err != nil {
		return work{}, fmt.Errorf("read Postgres' statistics: %w", err)
	}
	return w, nil
}

// statement is a statement of Postgres without its constants.
type statement struct {
	calls int64
	total time.Duration
	wal   int64
	text  string
}

// top returns the statements with the greatest time in all.
func (d *database) top(ctx context.Context, name string, most int) ([]statement, error) {
	if !d.statements || most == 0 {
		return nil, nil
	}
	const query = `SELECT s.calls, s.total_exec_time, s.wal_bytes::bigint, s.query FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
		WHERE d.datname = $1 AND position($2 IN s.query) = 0 ORDER BY s.total_exec_time DESC LIMIT $3`
	rows, err := d.session.Query(ctx, query, name, ownMark, most)
	if err != nil {
		return nil, fmt.Errorf("read Postgres' statements: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s statement, err error) {
		var milliseconds float64
		err = row.Scan(&s.calls, &milliseconds, &s.wal, &s.text)
		s.total = time.Duration(milliseconds * float64(time.Millisecond))
		return s, err
	})
}

// cpu is the CPU time of all processes of Postgres so far, with those that have ended. It is 0 if
// the kernel does not tell; Linux does, in proc(5).
func (d *database) cpu() time.Duration {
	processes, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0 // It fails only for a pattern that is not this one.
	}
	var hundredths int64
	for _, path := range processes {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // The process has ended: its parent has its time.
		}
		hundredths += d.hundredths(string(stat))
	}
	return time.Duration(hundredths) * 10 * time.Millisecond
}

// hundredths reads the CPU time, in hundredths of a second, from a line of /proc/PID/stat. For the
// first process of Postgres it includes the ended children. For a child it is the own time, for any
// other process 0.
func (d *database) hundredths(stat string) (sum int64) {
	pid, _, _ := strings.Cut(stat, " ")
	// The name, in parentheses, may have any character. After it come the state, the parent and,
	// from the 12th field on, utime, stime, cutime and cstime.
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:])
	if len(fields) < 15 {
		return 0
	}
	var times []string
	switch {
	case pid == strconv.Itoa(d.pid):
		times = fields[11:15]
	case fields[1] == strconv.Itoa(d.pid):
		times = fields[11:13]
	}
	for _, t := range times {
		n, err := strconv.ParseInt(t, 10, 64)
		if err != nil {
			return 0
		}
		sum += n
	}
	return sum
}

// waitUntilLeft returns when the database has no session left. Only then all of its transactions
// are counted.
func (d *database) waitUntilLeft(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		var sessions int
		if err := d.session.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = $1", name).Scan(&sessions); err != nil {
			return fmt.Errorf("wait for Postgres' sessions to end: %w", err)
		}
		if sessions == 0 {
			return nil
		}
		<-ticker.C
	}
}
