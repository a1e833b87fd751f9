package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

type explainer struct{ db.DBTX }

func BenchmarkTmp(b *testing.B) {
	bundle := setup(b)
	id := newOnboarding(b, bundle.store)
	r := bundle.fetch(b, id)
	claimed, _ := r.ledger.Claim(r.ctx, id)
	now := time.Now()
	change := onboarding.Change{ID: id, Epoch: claimed.Epoch, Status: onboarding.StatusInProgress}
	for _, key := range []onboarding.Key{"address", "business_information", "customer_profile", "representative_1", "trust_product"} {
		change.Steps = append(change.Steps, onboarding.Step{
			Key: key, State: onboarding.StepSucceeded, SID: random("BU"), RemoteStatus: onboarding.BundleDraft, Attempts: 1,
			IntentAt: now, StartedAt: now, FinishedAt: now,
		})
	}
	for range 8 {
		change.Events = append(change.Events, onboarding.Event{
			At: now, Kind: "step.succeeded", Step: "customer_profile", Actor: "replica:test", Detail: random("BU"),
		})
	}
	b.Run("select1", func(b *testing.B) {
		for b.Loop() {
			var n int
			if err := bundle.store.pool.QueryRow(r.ctx, "select 1").Scan(&n); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("heartbeat", func(b *testing.B) {
		for b.Loop() {
			if _, err := bundle.store.pool.Exec(r.ctx, "UPDATE onboardings SET updated_at=now() WHERE id=$1", string(id)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("record0", func(b *testing.B) {
		c := change
		c.Steps, c.Events = nil, nil
		for b.Loop() {
			if err := r.ledger.Record(r.ctx, c); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("events8", func(b *testing.B) {
		c := change
		c.Steps = nil
		for b.Loop() {
			if err := r.ledger.Record(r.ctx, c); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("steps5", func(b *testing.B) {
		c := change
		c.Events = nil
		for b.Loop() {
			if err := r.ledger.Record(r.ctx, c); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("full", func(b *testing.B) {
		for b.Loop() {
			if err := r.ledger.Record(r.ctx, change); err != nil {
				b.Fatal(err)
			}
		}
	})
	var s string
	_ = bundle.store.pool.QueryRow(r.ctx, "select string_agg(name||'='||setting, ' ') from pg_settings where name in ('fsync','synchronous_commit','full_page_writes','shared_buffers','jit')").Scan(&s)
	fmt.Println(s)
}
