package store

import (
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// stranding is how an onboarding comes to have no job, by statements that take its ID.
type stranding struct {
	id         onboarding.ID
	statements []string
}

func TestTheSweepWakesOnboardingsThatNoJobWouldRun(t *testing.T) {
	t.Parallel()
	b := &testBundle{store: openStore(t, Config{DatabaseURL: newDatabase(t)})}
	const (
		noJob     = "UPDATE onboardings SET job_id = NULL WHERE id = $1"
		jobGone   = "DELETE FROM river_job WHERE id = (SELECT job_id FROM onboardings WHERE id = $1)"
		jobEnded  = "UPDATE river_job SET state = 'completed', finalized_at = now() WHERE id = (SELECT job_id FROM onboardings WHERE id = $1)"
		inReview  = "UPDATE onboardings SET status = 'in_review' WHERE id = $1"
		forPeople = "UPDATE onboardings SET status = 'action_required' WHERE id = $1"
		canceled  = "UPDATE onboardings SET status = 'canceled', canceled_at = now(), cleanup = true WHERE id = $1"
	)
	made := func(all map[string]*stranding) map[string]*stranding {
		for _, s := range all {
			s.id = newOnboarding(t, b.store)
			for _, sql := range s.statements {
				b.exec(t, sql, string(s.id))
			}
		}
		return all
	}
	stranded := made(map[string]*stranding{
		"in review without a job":            {statements: []string{noJob, inReview}},
		"whose job is gone":                  {statements: []string{jobGone}},
		"whose job has ended":                {statements: []string{jobEnded}},
		"for people, whose job has ended":    {statements: []string{jobEnded, forPeople}},
		"canceled, whose cleanup has no job": {statements: []string{jobGone, canceled}},
	})
	well := made(map[string]*stranding{
		"with its job":               {},
		"for people, without a job":  {statements: []string{noJob, forPeople}},
		"canceled and without a job": {statements: []string{noJob, canceled}},
	})
	jobs := make(map[string]int64)
	for name, s := range well {
		jobs[name] = b.jobID(t, s.id)
	}

	if woken, err := b.store.sweep(t.Context()); err != nil || woken != len(stranded) {
		t.Errorf("woke %d, %v, want %d", woken, err, len(stranded))
	}
	for name, s := range stranded {
		if _, scheduled := b.due(t, s.id); !scheduled {
			t.Errorf("one %s has no job", name)
		}
		if o, err := b.store.Get(t.Context(), s.id); err != nil || !o.Woken {
			t.Errorf("one %s is not woken, %v", name, err)
		}
	}
	for name, s := range well {
		if got := b.jobID(t, s.id); got != jobs[name] {
			t.Errorf("one %s has job %d, want %d", name, got, jobs[name])
		}
	}
	if woken, err := b.store.sweep(t.Context()); err != nil || woken != 0 {
		t.Errorf("woke %d the second time, %v, want none", woken, err)
	}
}

func TestOneReplicaSweepsAtATime(t *testing.T) {
	t.Parallel()
	b := &testBundle{store: openStore(t, Config{DatabaseURL: newDatabase(t)})}
	b.exec(t, "UPDATE onboardings SET job_id = NULL WHERE id = $1", string(newOnboarding(t, b.store)))
	err := b.store.inTx(t.Context(), func(q *db.Queries) error {
		if mine, err := q.TrySweepLock(t.Context(), sweepLockClass); err != nil || !mine {
			t.Fatalf("the lock is mine: %t, %v", mine, err)
		}
		woken, err := b.store.sweep(t.Context())
		if woken != 0 {
			t.Errorf("woke %d beside another sweep", woken)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if woken, err := b.store.sweep(t.Context()); err != nil || woken != 1 {
		t.Errorf("woke %d, %v, want 1", woken, err)
	}
}
