package store

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/attestd/attestd/internal/onboarding"
)

// onlyConnection opens a store with one connection, and so with one session that caches plans.
func onlyConnection(t *testing.T) *testBundle {
	t.Helper()
	database, err := url.Parse(newDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	query := database.Query()
	query.Set("pool_max_conns", "1")
	database.RawQuery = query.Encode()
	return &testBundle{store: openStore(t, Config{DatabaseURL: database.String()})}
}

// fill inserts onboardings with five steps each. Number n has job n.
func (b *testBundle) fill(t *testing.T, from, to int) {
	t.Helper()
	b.exec(t, fmt.Sprintf(`WITH o AS (
			INSERT INTO onboardings (id, subaccount_sid, primary_profile_sid, callback_token, version, status, job_id, created_at, updated_at)
			SELECT 'onb_' || n, 'AC' || n, 'BU', 'token' || n, 1, 'in_review', n, now(), now() FROM generate_series(%d, %d) n
			RETURNING id
		), r AS (
			INSERT INTO requests SELECT o.id, 1, '{}', now() FROM o
		)
		INSERT INTO steps (onboarding_id, key, state) SELECT o.id, 'step_' || n, 'pending' FROM o, generate_series(1, 5) n`, from, to))
}

// rowsRead is how many rows sequential scans of attestd's tables have read.
func (b *testBundle) rowsRead(t *testing.T) (rows int64) {
	t.Helper()
	b.exec(t, "SELECT pg_stat_force_next_flush()")
	b.queryRow(t, &rows, "SELECT coalesce(sum(seq_tup_read), 0)::bigint FROM pg_stat_user_tables WHERE relname NOT LIKE 'river%'")
	return rows
}

func TestPlansThatWereMadeForFewRowsServeMany(t *testing.T) {
	t.Parallel()
	b := onlyConnection(t)
	// run has one transaction claim five onboardings, and another change them and store callbacks.
	run := func(epoch int64) {
		t.Helper()
		var claims, ends []*pendingWrite
		for n := int64(1); n <= 5; n++ {
			id := onboarding.ID(fmt.Sprintf("onb_%d", n))
			r := run{ledger: &Ledger{job: &river.Job[advanceArgs]{JobRow: &rivertype.JobRow{ID: n}}}}
			end := noting(r, &onboarding.Onboarding{ID: id, Epoch: epoch}, "noted")
			end.requests = append(end.requests, callback(id).requests...)
			claims, ends = append(claims, claiming(id, n)), append(ends, end)
		}
		for _, err := range append(inOneGroup(t, b.store, claims...), inOneGroup(t, b.store, ends...)...) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}

	b.fill(t, 1, 10)
	b.exec(t, "VACUUM ANALYZE")
	for epoch := range int64(8) { // After five executions a plan is cached.
		run(epoch + 1)
	}
	const many = 2000
	b.fill(t, 11, many)
	before := b.rowsRead(t)
	run(9)
	if read := b.rowsRead(t) - before; read > many/2 {
		t.Errorf("it read %d rows of whole tables", read)
	}
}
