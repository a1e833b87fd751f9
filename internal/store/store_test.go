package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/pgdev/pgtest"
)

func newDatabase(t testing.TB) string {
	t.Helper()
	return pgtest.New(t, Migrate)
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// openStore opens a store that ends with the test.
func openStore(t testing.TB, config Config) *Store {
	t.Helper()
	if config.Logger == nil {
		config.Logger = quiet()
	}
	s, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// startStore opens and starts a store that stops with the test.
func startStore(t testing.TB, config Config) *Store {
	t.Helper()
	s := openStore(t, config)
	// The server of the tests may have started a moment ago.
	s.timing.grace = 0
	start(t, s)
	return s
}

func start(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
		defer cancel()
		if err := s.StopNow(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
}

// eventually waits for what another process or goroutine does to the database.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(testTimeout)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func random(prefix string) string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return prefix + hex.EncodeToString(b)
}

// newOnboarding stores a new onboarding.
func newOnboarding(t testing.TB, s *Store) onboarding.ID {
	t.Helper()
	now := time.Now()
	o := &onboarding.Onboarding{
		ID:            onboarding.ID(random("onb_")),
		CallbackToken: random(""),
		Version:       1,
		CreatedAt:     now,
		UpdatedAt:     now,
		SubaccountSID: random("AC"),
		Request:       onboarding.Request{Business: onboarding.Business{Name: "Example Plumbing LLC"}},
	}
	if err := s.Create(t.Context(), o, onboarding.Event{At: now, Kind: "onboarding.created"}); err != nil {
		t.Fatal(err)
	}
	return o.ID
}

func TestPingTellsTheSchemaApart(t *testing.T) {
	t.Parallel()
	ping := func(t *testing.T, url, prepare string) error {
		t.Helper()
		s := openStore(t, Config{DatabaseURL: url})
		if prepare != "" {
			if _, err := s.pool.Exec(t.Context(), prepare); err != nil {
				t.Fatal(err)
			}
		}
		return s.Ping(t.Context())
	}
	for name, test := range map[string]struct {
		url     func(testing.TB) string
		prepare string
		want    string
	}{
		"current":        {newDatabase, "", ""},
		"not migrated":   {pgtest.Empty, "", "not migrated"},
		"newer":          {newDatabase, "UPDATE schema_migrations SET version = 999999", "at migration 999999"},
		"failed halfway": {newDatabase, "UPDATE schema_migrations SET dirty = true", "failed half-way"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := ping(t, test.url(t), test.prepare)
			if test.want == "" && err != nil {
				t.Errorf("error %v, want none", err)
			}
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("error %v, want one that says %q", err, test.want)
			}
		})
	}
}

func TestStoreWithoutARunnerKeepsButDoesNotStart(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t)})
	newOnboarding(t, s)
	if err := s.Start(t.Context()); err == nil {
		t.Error("started")
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Errorf("stop of what was not started: %v", err)
	}
}

func TestStopWaitsForRunsAndTakesNoNew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	running := newOnboarding(t, b.store)
	r := b.fetch(t, running)

	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() { stopped <- b.store.Stop(ctx) }()
	eventually(t, "nothing is fetched any more", func() bool {
		waiting := newOnboarding(t, b.store)
		select {
		case <-b.desk.of(waiting):
			return false
		case <-time.After(10 * fetchPollInterval):
			return true
		}
	})
	if r.ctx.Err() != nil {
		t.Error("the run was cut short")
	}
	cancel()
	if err := <-stopped; err == nil {
		t.Error("stopped before the run ended")
	}

	claimed, err := r.ledger.Claim(r.ctx, running)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.ledger.Release(r.ctx, nothing(claimed), time.Time{}); err != nil {
		t.Fatal(err)
	}
	close(b.desk.closed)
	ctx, cancel = context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	if err := b.store.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
	var replicas int
	if err := b.store.pool.QueryRow(t.Context(), "SELECT count(*) FROM replicas").Scan(&replicas); err != nil || replicas != 0 {
		t.Errorf("%d replicas, %v, want none after an orderly stop", replicas, err)
	}
}

func TestStopNowLeavesTheRunToOthersAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := newOnboarding(t, b.store)
	r := b.fetch(t, id)
	if _, err := r.ledger.Claim(r.ctx, id); err != nil {
		t.Fatal(err)
	}
	if err := b.store.StopNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.ctx.Err() == nil {
		t.Error("the run was not cut short")
	}
	other := newDesk()
	// It need not wait for the first to be taken for dead.
	startStore(t, Config{DatabaseURL: b.url, Advance: other.advance, Workers: 1, StaleAfter: 24 * time.Hour})
	r = other.fetch(t, id)
	if _, err := r.ledger.Claim(r.ctx, id); err != nil {
		t.Errorf("claim by the other: %v", err)
	}
}

// nothing is the change of a run that has nothing to write.
func nothing(o *onboarding.Onboarding) onboarding.Change {
	return onboarding.Change{ID: o.ID, Epoch: o.Epoch, Status: o.Status()}
}
