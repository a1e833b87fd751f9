package store

import (
	"flag"
	"os"
	"testing"

	"github.com/attestd/attestd/internal/onboarding/ledgermodel"
)

// TestMain has rapid draw fewer sequences of calls than by default, unless it is told how many: here each waits for real jobs and take-overs.
func TestMain(m *testing.M) {
	flag.Parse()
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		if err := checks.Value.Set("10"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func TestPostgresKeepsToTheModel(t *testing.T) {
	t.Parallel()
	ledgermodel.Check(t, harness)
}
