package memledger

import (
	"context"
	"fmt"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// job is the one that may run an onboarding.
type job struct {
	number  int64
	due     time.Time
	running bool
}

// Job is a fetched job. It is the [onboarding.Ledger] of its run.
type Job struct {
	// ID is the onboarding to advance.
	ID     onboarding.ID
	store  *Store
	number int64
}

// Fetch begins the job that has been due for longest, as a free worker would. It returns nil if
// none is due. A job ends with the release of its onboarding. If its run ends in any other way,
// [Job.Abandon] or [Job.Retry] gives the onboarding another job.
func (s *Store) Fetch() *Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.next()
	if next == nil || next.job.due.After(now()) {
		return nil
	}
	next.job.running = true
	return &Job{ID: next.whole.ID, store: s, number: next.job.number}
}

// NextDue returns when the next job that does not run yet is due, and false if there is none.
func (s *Store) NextDue() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if next := s.next(); next != nil {
		return next.job.due, true
	}
	return time.Time{}, false
}

// Changed receives a value after a job was scheduled, which [Store.NextDue] may return. One value
// may stand for several jobs.
func (s *Store) Changed() <-chan struct{} { return s.changed }

// Due returns when the onboarding's job is or was due, and false if it has none.
func (s *Store) Due(id onboarding.ID) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.onboardings[id]
	if e == nil || e.job == nil {
		return time.Time{}, false
	}
	return e.job.due, true
}

// next is the entry whose job is due first, of those that do not run. Of several that are due at
// the same time it is the one that was scheduled first. Nil if there is none.
func (s *Store) next() *entry {
	var first *entry
	for _, e := range s.onboardings {
		if e.job == nil || e.job.running {
			continue
		}
		if first == nil || e.job.due.Before(first.job.due) || e.job.due.Equal(first.job.due) && e.job.number < first.job.number {
			first = e
		}
	}
	return first
}

// Abandon does what a rescue does with the job of a dead replica: the onboarding has another job at
// once, and this one can neither claim nor release any more.
func (j *Job) Abandon() { j.Retry(time.Time{}) }

// Retry gives the onboarding another job for that time in place of this one. It does nothing if the
// onboarding has another already.
func (j *Job) Retry(at time.Time) {
	j.store.mu.Lock()
	defer j.store.mu.Unlock()
	if e := j.store.onboardings[j.ID]; e != nil && e.job != nil && e.job.number == j.number {
		j.store.schedule(e, at)
	}
}

// Claim implements [onboarding.Ledger]. It also returns [onboarding.ErrLostPlace]: when the
// onboarding has another job.
func (j *Job) Claim(_ context.Context, id onboarding.ID) (*onboarding.Onboarding, error) {
	j.store.mu.Lock()
	defer j.store.mu.Unlock()
	e := j.store.onboardings[id]
	if e == nil {
		return nil, notFound(id)
	}
	if e.job == nil || e.job.number != j.number {
		return nil, lostPlace(id)
	}
	return e.claim()
}

// Record implements [onboarding.Ledger].
func (j *Job) Record(ctx context.Context, c onboarding.Change) error { return j.store.Record(ctx, c) }

// Release implements [onboarding.Ledger].
func (j *Job) Release(_ context.Context, c onboarding.Change, next time.Time) (woken bool, err error) {
	j.store.mu.Lock()
	defer j.store.mu.Unlock()
	e := j.store.onboardings[c.ID]
	if e == nil || e.job == nil || e.job.number != j.number {
		return false, lostPlace(c.ID)
	}
	return j.store.release(e, c, next)
}

// Claim implements [onboarding.Ledger] for a runner without a job. It claims by the job that the
// onboarding has.
func (s *Store) Claim(_ context.Context, id onboarding.ID) (*onboarding.Onboarding, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.onboardings[id]
	if e == nil {
		return nil, notFound(id)
	}
	if e.job == nil {
		s.schedule(e, now())
	}
	e.job.running = true
	return e.claim()
}

// Record implements [onboarding.Ledger].
func (s *Store) Record(_ context.Context, c onboarding.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.onboardings[c.ID]
	if e == nil || e.whole.Epoch != c.Epoch {
		return lostPlace(c.ID)
	}
	return e.write(c)
}

// Release implements [onboarding.Ledger].
func (s *Store) Release(_ context.Context, c onboarding.Change, next time.Time) (woken bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.onboardings[c.ID]
	if e == nil {
		return false, lostPlace(c.ID)
	}
	return s.release(e, c, next)
}

func (e *entry) claim() (*onboarding.Onboarding, error) {
	e.whole.Epoch++
	e.whole.Woken = e.whole.Woken || e.waking
	o, err := e.read()
	e.waking, e.whole.Woken = e.whole.Woken, false
	return o, err
}

func (s *Store) release(e *entry, c onboarding.Change, next time.Time) (woken bool, err error) {
	if e.whole.Epoch != c.Epoch {
		return false, lostPlace(c.ID)
	}
	if err := e.write(c); err != nil {
		return false, err
	}
	switch {
	case e.whole.Woken:
		return true, nil
	case next.IsZero():
		e.job = nil
	default:
		s.schedule(e, next)
	}
	e.waking = false
	return false, nil
}

// wake makes the onboarding run now, or once more if it is running. A canceled one is not woken.
func (s *Store) wake(e *entry) {
	if !e.whole.CanceledAt.IsZero() {
		return
	}
	e.whole.Woken = true
	if e.job == nil || !e.job.running && e.job.due.After(now()) {
		s.schedule(e, now())
	}
}

// schedule gives the onboarding a new job in place of the one it had, if any.
func (s *Store) schedule(e *entry, due time.Time) {
	s.lastJob++
	e.job = &job{number: s.lastJob, due: stored(due)}
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func lostPlace(id onboarding.ID) error {
	return fmt.Errorf("onboarding %s: %w", id, onboarding.ErrLostPlace)
}
