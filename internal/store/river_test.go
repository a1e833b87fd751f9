package store

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/attestd/attestd/internal/onboarding"
)

// Some of River's rows are written by statements of this package. Each test here lets River do the
// same with a second job and compares the two: all columns of the row, whatever their names, and
// all notifications. So an upgrade of River that writes a column or a notification differently, or
// one more of them, fails here.

// riverBeside is a store beside which River works with its own code.
type riverBeside struct {
	*testBundle
	t *testing.T
}

// besideRiver opens a store on a database that collects notifications. start also runs workers.
func besideRiver(t *testing.T, start bool) *riverBeside {
	t.Helper()
	b := &riverBeside{&testBundle{url: collectNotifications(t, newDatabase(t)), inbox: newInbox()}, t}
	config := Config{DatabaseURL: b.url, Advance: b.inbox.advance, Workers: 10}
	if start {
		b.store = startStore(t, config)
	} else {
		b.store = openStore(t, config)
	}
	return b
}

// collectNotifications puts a function in front of Postgres' pg_notify that stores what is
// announced and tells nobody. So every channel is seen, also one that this package does not know.
// It returns the URL for connections that use it.
func collectNotifications(t *testing.T, databaseURL string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(conn)
	_, err = conn.Exec(t.Context(), `
		CREATE TABLE announced (id bigserial, channel text, payload text);
		CREATE FUNCTION pg_notify(channel text, payload text) RETURNS void LANGUAGE plpgsql
			AS 'BEGIN INSERT INTO announced (channel, payload) VALUES ($1, $2); END'`)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	query := parsed.Query()
	query.Set("search_path", "public,pg_catalog")
	parsed.RawQuery = query.Encode()
	return parsed.String()
}

// announcement is one notification.
type announcement struct{ Channel, Payload string }

// announcedBy returns what was announced while do ran.
func (b *riverBeside) announcedBy(do func()) []announcement {
	b.t.Helper()
	if _, err := b.store.pool.Exec(b.t.Context(), "DELETE FROM announced"); err != nil {
		b.t.Fatal(err)
	}
	do()
	rows, err := b.store.pool.Query(b.t.Context(), "SELECT channel, payload FROM announced ORDER BY id")
	if err != nil {
		b.t.Fatal(err)
	}
	announced, err := pgx.CollectRows(rows, pgx.RowToStructByPos[announcement])
	if err != nil {
		b.t.Fatal(err)
	}
	return announced
}

// jobRow is a row of river_job: its columns by name.
type jobRow map[string]any

// row reads all columns of a job but its ID. In place of a time between from and the reading there
// is "now": two jobs are never written at one moment.
func (b *riverBeside) row(jobID int64, from time.Time) jobRow {
	b.t.Helper()
	var text []byte
	var until time.Time
	err := b.store.pool.QueryRow(b.t.Context(), "SELECT to_jsonb(j), clock_timestamp() FROM river_job j WHERE id = $1", jobID).
		Scan(&text, &until)
	if err != nil {
		b.t.Fatalf("read job %d: %v", jobID, err)
	}
	var row jobRow
	if err := json.Unmarshal(text, &row); err != nil {
		b.t.Fatal(err)
	}
	delete(row, "id")
	for name, value := range row {
		text, _ := value.(string)
		at, err := time.Parse(time.RFC3339, text)
		if err == nil && !at.Before(from) && !at.After(until) {
			row[name] = "now"
		}
	}
	return row
}

// now is the database's time.
func (b *riverBeside) now() (now time.Time) {
	b.t.Helper()
	if err := b.store.pool.QueryRow(b.t.Context(), "SELECT clock_timestamp()").Scan(&now); err != nil {
		b.t.Fatal(err)
	}
	return now
}

// inserted lets River insert a job.
func (b *riverBeside) inserted(id onboarding.ID, options *river.InsertOpts) int64 {
	b.t.Helper()
	result, err := b.store.river.Insert(b.t.Context(), advanceArgs{OnboardingID: id}, options)
	if err != nil {
		b.t.Fatal(err)
	}
	return result.Job.ID
}

// ledger is that of an onboarding's job as if a worker had fetched it. No worker runs.
func (b *riverBeside) ledger(id onboarding.ID) (*Ledger, *onboarding.Onboarding) {
	b.t.Helper()
	jobID := b.jobID(b.t, id)
	_, err := b.store.pool.Exec(b.t.Context(),
		"UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = '{test}' WHERE id = $1", jobID)
	if err != nil {
		b.t.Fatal(err)
	}
	job, err := b.store.river.JobGet(b.t.Context(), jobID)
	if err != nil {
		b.t.Fatal(err)
	}
	l := &Ledger{store: b.store, job: &river.Job[advanceArgs]{JobRow: job}}
	claimed, err := l.Claim(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return l, claimed
}

func same[T any](t *testing.T, what string, river, ours T) {
	t.Helper()
	if diff := cmp.Diff(river, ours); diff != "" {
		t.Errorf("%s (-River's +ours):\n%s", what, diff)
	}
}

func TestAFirstJobIsInsertedAndAnnouncedAsByRiver(t *testing.T) {
	t.Parallel()
	b := besideRiver(t, false)
	from := b.now()
	var id onboarding.ID
	oursAnnounced := b.announcedBy(func() { id = newOnboarding(t, b.store) })
	ours := b.row(b.jobID(t, id), from)
	from = b.now()
	var jobID int64
	riverAnnounced := b.announcedBy(func() { jobID = b.inserted(id, nil) })
	same(t, "the job", b.row(jobID, from), ours)
	same(t, "what is announced", riverAnnounced, oursAnnounced)
	if len(riverAnnounced) == 0 {
		t.Error("River announces nothing: the notifications are not collected")
	}
}

func TestANextJobIsInsertedAsByRiver(t *testing.T) {
	t.Parallel()
	for after, scheduledByNow := range map[time.Duration]bool{time.Hour: false, 3 * time.Second: true} {
		t.Run(fmt.Sprint("due after ", after), func(t *testing.T) {
			t.Parallel()
			b := besideRiver(t, false)
			id := newOnboarding(t, b.store)
			l, claimed := b.ledger(id)
			next := claimed.ReadAt.Add(after)
			from := b.now()
			oursAnnounced := b.announcedBy(func() {
				if woken, err := l.Release(t.Context(), nothing(claimed), next); err != nil || woken {
					t.Fatalf("woken %t, %v", woken, err)
				}
			})
			ours := b.row(b.jobID(t, id), from)
			from = b.now()
			var jobID int64
			riverAnnounced := b.announcedBy(func() { jobID = b.inserted(id, &river.InsertOpts{ScheduledAt: next}) })
			if scheduledByNow { // River's scheduler looks 5 s ahead.
				b.schedule(next)
			}
			same(t, "the job", b.row(jobID, from), ours)
			same(t, "what is announced", riverAnnounced, oursAnnounced)
		})
	}
}

// schedule is what River's scheduler does with the jobs that are due by then.
func (b *riverBeside) schedule(by time.Time) {
	b.t.Helper()
	scheduled, err := riverpgxv5.New(b.store.pool).GetExecutor().
		JobSchedule(b.t.Context(), &riverdriver.JobScheduleParams{Max: 10, Now: &by})
	if err != nil || len(scheduled) != 1 {
		b.t.Fatalf("scheduled %d jobs, %v, want 1", len(scheduled), err)
	}
}

func TestAJobIsBroughtForwardAsByRiver(t *testing.T) {
	t.Parallel()
	b := besideRiver(t, false)
	scheduled := func() (onboarding.ID, int64) {
		id := newOnboarding(t, b.store)
		l, claimed := b.ledger(id)
		if _, err := l.Release(t.Context(), nothing(claimed), claimed.ReadAt.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		return id, b.jobID(t, id)
	}
	ours, oursJob := scheduled()
	_, riversJob := scheduled()
	from := b.now()
	oursAnnounced := b.announcedBy(func() {
		if err := b.wake(t.Context(), ours); err != nil {
			t.Fatal(err)
		}
	})
	riverAnnounced := b.announcedBy(func() {
		if _, err := b.store.river.JobRetry(t.Context(), riversJob); err != nil {
			t.Fatal(err)
		}
	})
	byRiver, byUs := b.row(riversJob, from), b.row(oursJob, from)
	// The jobs are of two onboardings that were made at two moments.
	for _, other := range []string{"args", "created_at"} {
		delete(byRiver, other)
		delete(byUs, other)
	}
	same(t, "the job", byRiver, byUs)
	same(t, "what is announced", riverAnnounced, oursAnnounced)
}

func TestAJobForNowIsInsertedAndAnnouncedAsByRiver(t *testing.T) {
	t.Parallel()
	for name, insert := range map[string]func(b *riverBeside, id onboarding.ID) error{
		"of a wake-up": func(b *riverBeside, id onboarding.ID) error {
			l, claimed := b.ledger(id)
			if _, err := l.Release(b.t.Context(), nothing(claimed), time.Time{}); err != nil {
				return err
			}
			return b.wake(b.t.Context(), id)
		},
		"of a rescue": func(b *riverBeside, id onboarding.ID) error {
			b.ledger(id) // Its worker is not on the list of replicas.
			return (&replica{store: b.store}).rescue(b.t.Context())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := besideRiver(t, false)
			id := newOnboarding(t, b.store)
			from := b.now()
			oursAnnounced := b.announcedBy(func() {
				if err := insert(b, id); err != nil {
					t.Fatal(err)
				}
			})
			ours := b.row(b.jobID(t, id), from)
			from = b.now()
			var jobID int64
			riverAnnounced := b.announcedBy(func() { jobID = b.inserted(id, nil) })
			same(t, "the job", b.row(jobID, from), ours)
			same(t, "what is announced", riverAnnounced, oursAnnounced)
		})
	}
}

func TestAJobIsCompletedAsByRiver(t *testing.T) {
	t.Parallel()
	b := besideRiver(t, true)
	// changed are the columns that complete changes, with their new values.
	changed := func(complete func(r run, claimed *onboarding.Onboarding)) jobRow {
		r, claimed := b.claimNew(t)
		from := b.now()
		before := b.row(r.ledger.job.ID, from)
		if announced := b.announcedBy(func() { complete(r, claimed) }); len(announced) > 0 {
			t.Errorf("announced: %v", announced)
		}
		after := b.row(r.ledger.job.ID, from)
		for name, value := range before {
			if cmp.Equal(after[name], value) {
				delete(after, name)
			}
		}
		return after
	}
	ours := changed(func(r run, claimed *onboarding.Onboarding) {
		if woken, err := r.ledger.Release(r.ctx, nothing(claimed), time.Time{}); err != nil || woken {
			t.Fatalf("woken %t, %v", woken, err)
		}
	})
	byRiver := changed(func(r run, _ *onboarding.Onboarding) {
		err := pgx.BeginFunc(r.ctx, b.store.pool, func(tx pgx.Tx) error {
			_, err := river.JobCompleteTx[*riverpgxv5.Driver](r.ctx, tx, r.ledger.job)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	same(t, "what is changed", byRiver, ours)
}

func TestADeadLeadersTermIsEndedAndAnnouncedAsByRiver(t *testing.T) {
	t.Parallel()
	b := besideRiver(t, false)
	resigned := func(resign func() error) []announcement {
		var electedAt time.Time
		err := b.store.pool.QueryRow(t.Context(), `INSERT INTO river_leader (leader_id, elected_at, expires_at)
			VALUES ('dead', now(), now() + interval '1 hour') RETURNING elected_at`).Scan(&electedAt)
		if err != nil {
			t.Fatal(err)
		}
		announced := b.announcedBy(func() {
			if err := resign(); err != nil {
				t.Fatal(err)
			}
		})
		var leaders int
		if err := b.store.pool.QueryRow(t.Context(), "SELECT count(*) FROM river_leader").Scan(&leaders); err != nil || leaders != 0 {
			t.Errorf("%d leaders are left, %v", leaders, err)
		}
		return announced
	}
	ours := resigned(func() error { return (&replica{store: b.store}).removeDeadLeader(t.Context()) })
	byRiver := resigned(func() error {
		leader, err := riverpgxv5.New(b.store.pool).GetExecutor().LeaderGetElectedLeader(t.Context(), &riverdriver.LeaderGetElectedLeaderParams{})
		if err != nil {
			return err
		}
		_, err = riverpgxv5.New(b.store.pool).GetExecutor().LeaderResign(t.Context(), &riverdriver.LeaderResignParams{
			ElectedAt: leader.ElectedAt, LeaderID: leader.LeaderID, LeadershipTopic: "river_leadership",
		})
		return err
	})
	// The text of a JSON object is not compared: the members may be in any order, with any spaces.
	same(t, "what is announced", decoded(t, byRiver), decoded(t, ours))
	if !slices.ContainsFunc(byRiver, func(a announcement) bool { return a.Channel == "public.river_leadership" }) {
		t.Errorf("River announces %v", byRiver)
	}
}

// decoded are announcements with their payloads as values.
func decoded(t *testing.T, all []announcement) (values []any) {
	t.Helper()
	for _, a := range all {
		var payload any
		if err := json.Unmarshal([]byte(a.Payload), &payload); err != nil {
			t.Fatal(err)
		}
		values = append(values, a.Channel, payload)
	}
	return values
}
