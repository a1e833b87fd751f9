package memledger

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// Store is a ledger and a repository in memory. Its own Claim, Record and Release are for tests of
// one runner: they are for whatever job the onboarding has. The ledger of one job is the [Job] that
// [Store.Fetch] returns: with several of them a test plays replicas that die and come back.
type Store struct {
	mu          sync.Mutex
	onboardings map[onboarding.ID]*entry
	lastJob     int64
	changed     chan struct{}
}

var (
	_ onboarding.InterruptibleRepository = (*Store)(nil)
	_ onboarding.Ledger                  = (*Store)(nil)
	_ onboarding.Ledger                  = (*Job)(nil)
)

// entry is an onboarding with what Postgres has in other tables and columns.
type entry struct {
	// whole has its steps in the order of their keys.
	whole  onboarding.Onboarding
	status onboarding.Status
	// attestation is that of the last change.
	attestation string
	// waking says that a claim was told of a wake-up, and that its run has not ended in order.
	waking    bool
	job       *job
	events    []onboarding.Event
	callbacks []onboarding.Callback
}

// New returns an empty store.
func New() *Store {
	return &Store{onboardings: map[onboarding.ID]*entry{}, changed: make(chan struct{}, 1)}
}

// now is the ledger's clock, to the microsecond as Postgres has it.
func now() time.Time { return stored(time.Now()) }

// Create implements [onboarding.Repository].
func (s *Store) Create(_ context.Context, o *onboarding.Onboarding, e onboarding.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.conflict(o); err != nil {
		return err
	}
	created, err := copied(o)
	if err != nil {
		return err
	}
	created.Steps, created.Numbers = nil, nil
	created.Epoch, created.Woken = 0, false
	added := &entry{whole: *created, status: o.Status(), events: []onboarding.Event{storedEvent(e)}}
	s.onboardings[o.ID] = added
	s.schedule(added, now())
	return nil
}

func (s *Store) conflict(o *onboarding.Onboarding) error {
	var external *onboarding.ConflictError
	for _, other := range s.onboardings {
		r := other.whole.Request
		switch {
		case other.whole.ID == o.ID || other.whole.CallbackToken == o.CallbackToken:
			return fmt.Errorf("create onboarding %s: the ID or the callback token is not new", o.ID)
		case other.whole.SubaccountSID == o.SubaccountSID && o.SubaccountSID != "" && other.whole.CanceledAt.IsZero():
			return &onboarding.ConflictError{Field: "subaccount_sid", ID: other.whole.ID}
		case r.ExternalID == o.Request.ExternalID && r.ExternalID != "" && other.whole.CanceledAt.IsZero():
			external = &onboarding.ConflictError{Field: "external_id", ID: other.whole.ID}
		}
	}
	if external != nil {
		return external
	}
	return nil
}

// Get implements [onboarding.Repository]. The steps are in the order of their keys.
func (s *Store) Get(_ context.Context, id onboarding.ID) (*onboarding.Onboarding, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.onboardings[id]
	if e == nil {
		return nil, notFound(id)
	}
	return e.read()
}

// Update implements [onboarding.Repository]. decide is called once and must not use the store.
func (s *Store) Update(_ context.Context, id onboarding.ID, decide func(*onboarding.Onboarding, time.Time) (onboarding.Change, error)) error {
	return s.decided(id, decide, s.wake)
}

// Interrupt implements [onboarding.InterruptibleRepository].
func (s *Store) Interrupt(_ context.Context, id onboarding.ID, decide func(*onboarding.Onboarding, time.Time) (onboarding.Change, error)) error {
	return s.decided(id, decide, func(e *entry) {
		e.whole.Epoch++
		e.whole.Woken = true
		s.schedule(e, now())
	})
}

// decided writes what decide says of the onboarding as it is, and then has it run.
func (s *Store) decided(id onboarding.ID, decide func(*onboarding.Onboarding, time.Time) (onboarding.Change, error), run func(*entry)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.onboardings[id]
	if e == nil {
		return notFound(id)
	}
	o, err := e.read()
	if err != nil {
		return err
	}
	change, err := decide(o, o.ReadAt)
	if err != nil {
		return err
	}
	if err := e.write(change); err != nil {
		return err
	}
	run(e)
	return nil
}

// FindByCallbackToken implements [onboarding.Repository].
func (s *Store) FindByCallbackToken(_ context.Context, token string) (onboarding.ID, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, e := range s.onboardings {
		if e.whole.CallbackToken == token {
			return id, e.whole.SubaccountSID, nil
		}
	}
	return "", "", fmt.Errorf("find the onboarding of a callback: %w", onboarding.ErrNotFound)
}

// RecordCallback implements [onboarding.Repository]. Errors: [onboarding.ErrNotFound].
func (s *Store) RecordCallback(_ context.Context, c onboarding.Callback, wake bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.onboardings[c.OnboardingID]
	if e == nil {
		return notFound(c.OnboardingID)
	}
	for _, before := range e.callbacks {
		if c.IdempotencyToken != "" && before.IdempotencyToken == c.IdempotencyToken {
			return nil
		}
	}
	c.Body = slices.Clone(c.Body)
	c.ReceivedAt = stored(c.ReceivedAt)
	e.callbacks = append(e.callbacks, c)
	if wake {
		s.wake(e)
	}
	return nil
}

// Events returns an onboarding's history, oldest first; none for an onboarding that does not exist.
func (s *Store) Events(_ context.Context, id onboarding.ID) ([]onboarding.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.onboardings[id]
	if e == nil {
		return nil, nil
	}
	return slices.Clone(e.events), nil
}

// Callbacks returns the callbacks that are stored for an onboarding, oldest first.
func (s *Store) Callbacks(_ context.Context, id onboarding.ID) ([]onboarding.Callback, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.onboardings[id]
	if e == nil {
		return nil, nil
	}
	callbacks := slices.Clone(e.callbacks)
	for i := range callbacks {
		callbacks[i].Body = slices.Clone(callbacks[i].Body)
	}
	return callbacks, nil
}

// read returns a copy with the ledger's time.
func (e *entry) read() (*onboarding.Onboarding, error) {
	o, err := copied(&e.whole)
	if err != nil {
		return nil, err
	}
	o.ReadAt = now()
	return o, nil
}

// write applies a change.
func (e *entry) write(c onboarding.Change) error {
	if c.Request != nil {
		request, err := copiedRequest(*c.Request)
		if err != nil {
			return err
		}
		e.whole.Request, e.whole.Version = request, c.Version
	}
	for _, step := range c.Steps {
		step = storedStep(step)
		if have := e.whole.Step(step.Key); have != nil {
			*have = step
		} else {
			e.whole.Steps = append(e.whole.Steps, step)
		}
	}
	sortSteps(e.whole.Steps)
	if c.SubaccountSID != "" {
		e.whole.SubaccountSID = c.SubaccountSID
	}
	if c.Canceled != nil {
		e.whole.CanceledAt, e.whole.Cleanup, e.status = stored(c.Canceled.At), c.Canceled.Cleanup, onboarding.StatusCanceled
	}
	if c.Numbers != nil {
		e.whole.Numbers = slices.Clone(c.Numbers)
	}
	for _, event := range c.Events {
		e.events = append(e.events, storedEvent(event))
	}
	if e.whole.CanceledAt.IsZero() {
		e.status = c.Status
	}
	e.attestation = c.Attestation
	e.whole.UpdatedAt = now()
	return nil
}

func notFound(id onboarding.ID) error {
	return fmt.Errorf("onboarding %s: %w", id, onboarding.ErrNotFound)
}

func sortSteps(steps []onboarding.Step) {
	slices.SortFunc(steps, func(a, b onboarding.Step) int { return cmp.Compare(a.Key, b.Key) })
}

// copied is o as it would come back from Postgres: nothing shared with o, times to the microsecond
// and in UTC.
func copied(o *onboarding.Onboarding) (*onboarding.Onboarding, error) {
	c := *o
	var err error
	if c.Request, err = copiedRequest(o.Request); err != nil {
		return nil, err
	}
	c.Numbers = slices.Clone(o.Numbers)
	c.Steps = make([]onboarding.Step, len(o.Steps))
	for i, step := range o.Steps {
		c.Steps[i] = storedStep(step)
	}
	c.CreatedAt, c.UpdatedAt, c.CanceledAt = stored(o.CreatedAt), stored(o.UpdatedAt), stored(o.CanceledAt)
	return &c, nil
}

// copiedRequest encodes and decodes the request, as Postgres has it in JSON.
func copiedRequest(r onboarding.Request) (c onboarding.Request, err error) {
	text, err := json.Marshal(r)
	if err != nil {
		return c, fmt.Errorf("encode the request: %w", err)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("decode the request: %w", err)
	}
	return c, nil
}

func storedStep(step onboarding.Step) onboarding.Step {
	if step.Error != nil {
		clone := *step.Error
		step.Error = &clone
	}
	step.Role = onboarding.Role{} // It comes from the plan.
	step.Requirements = slices.Clone(step.Requirements)
	step.IntentAt, step.NextAttemptAt = stored(step.IntentAt), stored(step.NextAttemptAt)
	step.StartedAt, step.FinishedAt = stored(step.StartedAt), stored(step.FinishedAt)
	return step
}

func storedEvent(e onboarding.Event) onboarding.Event {
	e.At = stored(e.At)
	return e
}

func stored(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
