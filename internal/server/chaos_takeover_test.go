package server_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// takeoverLimit is how long a killed replica may delay its onboardings, if nothing else is wrong.
const takeoverLimit = 5 * time.Second

// takeover is how an onboarding went on after the death of the replica that ran it.
type takeover struct {
	onboarding string
	death      *death
	// claimed is the time from the SIGKILL until another replica had the onboarding. acted is the
	// time until that replica called Twilio for it or wrote to its ledger. It may be later for good
	// reason, because the onboarding was waiting.
	claimed, acted time.Duration
	// claimedAlone and actedAlone tell that nothing else was wrong until then.
	claimedAlone, actedAlone bool
}

// running are the onboardings that the process with that process ID runs, by the table of jobs.
// There are none if Postgres does not answer.
func (f *fleet) running(pid int) []string {
	ctx, cancel := context.WithTimeout(f.c.t.Context(), 300*time.Millisecond)
	defer cancel()
	rows, err := f.c.db.Query(ctx, `
		SELECT args ->> 'onboarding_id' FROM river_job
		WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] LIKE $1`, byProcess(pid))
	if err != nil {
		return nil
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil
	}
	return ids
}

// byProcess matches the names of a replica.
func byProcess(pid int) string { return fmt.Sprintf("%%-%d-%%", pid) }

// takeovers measures how the onboardings of the dead replicas went on.
func (c *chaos) takeovers() []takeover {
	accounts := make(map[string]string)
	for _, o := range c.orders {
		accounts[o.id] = o.customer.sid
	}
	var all []takeover
	for _, d := range c.fleet.deaths {
		for _, id := range d.onboardings {
			var claimed, wrote *time.Time
			err := c.db.QueryRow(c.t.Context(), `
				SELECT (SELECT min(attempted_at) FROM river_job WHERE args ->> 'onboarding_id' = $1 AND attempted_at > $2),
					(SELECT min(at) FROM events WHERE onboarding_id = $1 AND at > $2 AND actor LIKE 'replica:%' AND actor NOT LIKE $3)`,
				id, d.at, byProcess(d.pid)).Scan(&claimed, &wrote)
			if err != nil {
				c.t.Fatal(err)
			}
			acted := c.fleet.firstCall(accounts[id], d)
			if wrote != nil && (acted.IsZero() || wrote.Before(acted)) {
				acted = *wrote
			}
			if claimed == nil || acted.IsZero() {
				continue // Its end had been written down when the process died.
			}
			all = append(all, takeover{
				onboarding:   id,
				death:        d,
				claimed:      claimed.Sub(d.at),
				acted:        acted.Sub(d.at),
				claimedAlone: c.fleet.nothingElse(d, *claimed),
				actedAlone:   c.fleet.nothingElse(d, acted),
			})
		}
	}
	return all
}

// firstCall is when Twilio was first called for the account after the death; zero if never.
func (f *fleet) firstCall(account string, d *death) time.Time {
	for _, call := range f.calls {
		if call.account == account && call.pid != d.pid && call.at.After(d.at) {
			return call.at
		}
	}
	return time.Time{}
}

// nothingElse tells whether nothing but the death was wrong from shortly before it until then. A
// restart of Postgres counts for longer, because a server that has just started does not know who
// is dead.
func (f *fleet) nothingElse(d *death, until time.Time) bool {
	for _, other := range f.disturbances {
		before := 100 * time.Millisecond
		if other.place == nobody {
			before = 5 * time.Second
		}
		own := other.place == d.place && other.from.Sub(d.at).Abs() < 100*time.Millisecond
		if !own && other.from.Before(until) && (other.until.IsZero() || other.until.After(d.at.Add(-before))) {
			return false
		}
	}
	return true
}

// typicalAndWorst are the median and the maximum.
func typicalAndWorst(times []time.Duration) (typical, worst time.Duration) {
	if len(times) == 0 {
		return 0, 0
	}
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2].Round(time.Millisecond), sorted[len(sorted)-1].Round(time.Millisecond)
}
