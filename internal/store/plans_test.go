package store

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

// A session keeps the plans that it has made. Those that were made while there were few onboardings must serve many.
func TestPlansThatWereMadeForFewRowsReadNotAllOfMany(t *testing.T) {
	t.Parallel()
	database, err := url.Parse(newDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	query := database.Query()
	query.Set("pool_max_conns", "1")
	database.RawQuery = query.Encode()
	s := openStore(t, Config{DatabaseURL: database.String()})
	exec := func(sql string) {
		t.Helper()
		if _, err := s.pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	fill := func(from, to int) {
		t.Helper()
		exec(fmt.Sprintf(`WITH o AS (
				INSERT INTO onboardings (id, subaccount_sid, primary_profile_sid, callback_token, version, status, job_id, created_at, updated_at)
				SELECT 'onb_' || n, 'AC' || n, 'BU', 'token' || n, 1, 'in_review', n, now(), now() FROM generate_series(%d, %d) n
				RETURNING id
			), r AS (
				INSERT INTO requests SELECT o.id, 1, '{}', now() FROM o
			)
			INSERT INTO steps (onboarding_id, key, state) SELECT o.id, 'step_' || n, 'pending' FROM o, generate_series(1, 5) n`, from, to))
	}
	// run has one transaction claim five, and another change them and keep a callback of each.
	run := func(epoch int64) {
		t.Helper()
		var claims, ends []*pendingWrite
		for n := range 5 {
			id := onboarding.ID(fmt.Sprintf("onb_%d", n+1))
			claims = append(claims, claiming(id, int64(n+1)))
			ends = append(ends, noting(&onboarding.Onboarding{ID: id, Epoch: epoch}, int64(n+1), "noted"))
			ends[n].requests = append(ends[n].requests, callback(id).requests...)
		}
		for _, err := range append(inOneGroup(t, s, claims...), inOneGroup(t, s, ends...)...) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	rowsRead := func() (rows int64) {
		t.Helper()
		exec("SELECT pg_stat_force_next_flush()")
		err := s.pool.QueryRow(t.Context(), "SELECT coalesce(sum(seq_tup_read), 0)::bigint FROM pg_stat_user_tables WHERE relname NOT LIKE 'river%'").Scan(&rows)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}

	fill(1, 10)
	exec("VACUUM ANALYZE")
	for epoch := range int64(8) { // After five, plans are kept.
		run(epoch + 1)
	}
	const many = 2000
	fill(11, many)
	before := rowsRead()
	run(9)
	if read := rowsRead() - before; read > many/2 {
		t.Errorf("it read %d rows of whole tables", read)
	}
}
