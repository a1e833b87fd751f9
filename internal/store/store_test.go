package store

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/pgdev/pgtest"
)

func TestPingTellsTheSchemaApart(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		url     func(testing.TB) string
		prepare string
		want    string
	}{
		"current":         {newDatabase, "", ""},
		"not migrated":    {pgtest.Empty, "", "not migrated"},
		"newer":           {newDatabase, "UPDATE schema_migrations SET version = 999999", "at migration 999999"},
		"failed half-way": {newDatabase, "UPDATE schema_migrations SET dirty = true", "failed half-way"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &testBundle{store: openStore(t, Config{DatabaseURL: test.url(t)})}
			if test.prepare != "" {
				b.exec(t, test.prepare)
			}
			err := b.store.Ping(t.Context())
			if test.want == "" && err != nil {
				t.Errorf("error %v, want none", err)
			}
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("error %v, want one that says %q", err, test.want)
			}
		})
	}
}

func TestAStoreStartsOnlyWithAllThatAReplicaNeeds(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	complete := Config{DatabaseURL: url, Advance: newInbox().advance, Workers: 1, StaleAfter: time.Hour, CallbackRetention: time.Hour}
	for name, without := range map[string]func(*Config){
		"Advance":           func(c *Config) { c.Advance = nil },
		"StaleAfter":        func(c *Config) { c.StaleAfter = 0 },
		"CallbackRetention": func(c *Config) { c.CallbackRetention = 0 },
	} {
		config := complete
		without(&config)
		s := openStore(t, config)
		if err := s.Start(t.Context()); err == nil {
			t.Errorf("started without %s", name)
		}
		newOnboarding(t, s) // All else works.
		if err := s.Stop(t.Context()); err != nil {
			t.Errorf("stop of a store that was not started: %v", err)
		}
	}
	start(t, openStore(t, complete))
}

func TestStopWaitsForRuns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r, claimed := b.claimNew(t)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.store.Stop(ended); err == nil {
		t.Error("stopped before the run ended")
	}
	if r.ctx.Err() != nil {
		t.Error("the run was cut short")
	}
	r.release(t, claimed, time.Time{})
	close(b.inbox.closed)
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	if err := b.store.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
	var replicas int
	b.queryRow(t, &replicas, "SELECT count(*) FROM replicas")
	if replicas != 0 {
		t.Errorf("%d replicas, want none after a stop", replicas)
	}
}

func TestStopNowLeavesTheRunToAnotherReplicaAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r, claimed := b.claimNew(t)
	if err := b.store.StopNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.ctx.Err() == nil {
		t.Error("the run was not cut short")
	}
	// No rescue is needed: the same job is due.
	var due bool
	b.queryRow(t, &due, "SELECT state = 'available' AND scheduled_at <= now() FROM river_job WHERE id = $1", r.ledger.job.ID)
	if !due || b.jobID(t, claimed.ID) != r.ledger.job.ID {
		t.Errorf("its job is due: %t; the onboarding's job is %d, want %d", due, b.jobID(t, claimed.ID), r.ledger.job.ID)
	}
	other := newInbox()
	startStore(t, Config{DatabaseURL: b.url, Advance: other.advance, Workers: 1})
	other.claim(t, claimed.ID)
}
