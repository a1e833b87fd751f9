package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/pgdev/pgtest"
)

func TestMain(m *testing.M) {
	serveIfAsked() // The demo starts its own program as the server: here this test binary.
	os.Exit(m.Run())
}

// Every scenario ends in attestation A, and shows what it is about.
func TestEveryScenarioEndsInAttestationA(t *testing.T) {
	t.Parallel()
	shown := map[string][]string{
		"happy":    {"stopping the server", "The server is back"},
		"rejected": {"Rejected with 18602: /business/business_registration_number", "PATCH /onboardings/onb_[0-9a-f-]+ answered 202"},
		"numbers":  {"phone-numbers .* answered 202", "DELETE .* answered 202"},
		"crash":    {"killing the server with SIGKILL(.|\n)*killing the server with SIGKILL(.|\n)*killing the server with SIGKILL"},
	}
	// All scenarios get the URL of one database, which none may touch: it could be in use.
	given := pgtest.Empty(t)
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.Background(), given)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		var tables, databases int
		const count = `SELECT (SELECT count(*) FROM pg_tables WHERE schemaname = 'public'), (SELECT count(*) FROM pg_database WHERE datname LIKE 'attestd_sandbox_%')`
		if err := conn.QueryRow(context.Background(), count).Scan(&tables, &databases); err != nil || tables != 0 || databases != 0 {
			t.Errorf("%d tables in the database that was given, %d databases left, error %v", tables, databases, err)
		}
	})
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			out := output(t)
			quick := pace{latency: 30 * time.Millisecond, review: 300 * time.Millisecond}
			if err := play(t.Context(), s, quick, given, out.file, false); err != nil {
				t.Fatalf("%v\n%s", err, out.text(t))
			}
			text := out.text(t)
			if len(shown[s.name]) == 0 {
				t.Error("nothing is said of what it has to show")
			}
			for _, part := range append(shown[s.name], `customer profile  BU[0-9a-f]{32}  twilio-approved`, `trust product     BU[0-9a-f]{32}  twilio-approved`, `attestation: A`) {
				if !regexp.MustCompile(part).MatchString(text) {
					t.Errorf("it does not show %q:\n%s", part, text)
				}
			}
		})
	}
}

// An environment that configures another server does no harm.
func TestAServerThatDoesNotComeUpIsNotWaitedFor(t *testing.T) {
	t.Setenv("DATABASE_URL_FILE", "/nowhere")
	t.Setenv("WORKERS", "none")
	out := output(t)
	err := play(t.Context(), scenarios[0], pace{}, pgtest.Empty(t), out.file, false)
	if err == nil || !strings.Contains(err.Error(), "the server has not come up") {
		t.Errorf("error %v, want one that says that the server has not come up", err)
	}
}

func TestFlagsThatAreNotUnderstood(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-scenario", "tragic"}, {"-nothing"}, {"happy"}} {
		var said bytes.Buffer
		out := output(t)
		err := run(t.Context(), args, out.file, &said)
		if err == nil {
			t.Errorf("%q is accepted", args)
		}
		if args[0] == "-scenario" && err != nil && !strings.Contains(err.Error(), "rejected") {
			t.Errorf("the refusal does not say which scenarios there are: %v", err)
		}
		if text := out.text(t); text != "" {
			t.Errorf("%q begins with %q", args, text)
		}
	}
}

// outputFile is where a scenario is shown. It is no terminal.
type outputFile struct{ file *os.File }

func output(t *testing.T) outputFile {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return outputFile{file}
}

func (o outputFile) text(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(o.file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
