package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/engine"
	"github.com/attestd/attestd/internal/onboarding/memledger"
)

// inFlight is a plan of one step whose first call is still on its way when its process dies: the
// object is there 2 s later.
type inFlight struct {
	die func()
	// looks is how long the answer of the first lookup takes.
	looks time.Duration

	mu    sync.Mutex
	calls int
	made  int
}

func (f *inFlight) nodes(*onboarding.Onboarding) []onboarding.Node {
	return []onboarding.Node{{Key: "object", Role: onboarding.Role{Kind: onboarding.KindObject}, Effect: func(*onboarding.Onboarding) onboarding.Effect {
		return onboarding.Effect{Do: f.do, Find: f.find}
	}}}
}

func (f *inFlight) do(context.Context, onboarding.TrustHub) (onboarding.Outcome, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls++; f.calls > 1 {
		f.made++
		return onboarding.Done{Seen: onboarding.Seen{SID: "again"}}, nil
	}
	time.AfterFunc(2*time.Second, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.made++
	})
	f.die()
	return onboarding.Done{}, errors.New("nobody hears of this")
}

func (f *inFlight) find(context.Context, onboarding.TrustHub) ([]onboarding.Outcome, error) {
	f.mu.Lock()
	var found []onboarding.Outcome
	if f.made > 0 {
		found = append(found, onboarding.Done{Seen: onboarding.Seen{SID: "first"}})
	}
	wait := f.looks
	f.looks = 0
	f.mu.Unlock()
	<-time.After(wait)
	return found, nil
}

func (f *inFlight) runner() *engine.Runner {
	return &engine.Runner{
		Hub: boundlessHub{}, Plan: onboarding.Plan{Nodes: f.nodes, Explain: inItsWords}, Name: "model", Now: time.Now, Random: func() float64 { return 0 }, Logger: slog.New(slog.DiscardHandler),
	}
}

// slowly is a ledger that a claim takes some time to reach.
type slowly struct {
	onboarding.Ledger
	takes time.Duration
}

func (l slowly) Claim(ctx context.Context, id onboarding.ID) (*onboarding.Onboarding, error) {
	<-time.After(l.takes)
	return l.Ledger.Claim(ctx, id)
}

func newOnboarding(t *testing.T) *memledger.Store {
	t.Helper()
	store := memledger.New()
	o := &onboarding.Onboarding{ID: modelID, SubaccountSID: "AC", CallbackToken: "token"}
	if err := store.Create(t.Context(), o, onboarding.Event{}); err != nil {
		t.Fatal(err)
	}
	return store
}

// A lookup tells what was there when it was made. That its answer comes when everything has settled
// makes it no better.
func TestLookupIsAsOldAsItsQuestion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newOnboarding(t)
		ctx, die := context.WithCancel(t.Context())
		f := &inFlight{die: die, looks: 10 * time.Second}
		if err := f.runner().Advance(ctx, store, modelID); err == nil {
			t.Fatal("the first process lives on")
		}
		if err := f.runner().Advance(t.Context(), store, modelID); err != nil {
			t.Fatal(err)
		}
		if f.made != 1 {
			t.Errorf("made %d times", f.made)
		}
	})
}

// How long a claim was on its way must not count as time that has passed since an intent.
func TestSlowClaimDoesNotMakeTimePass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newOnboarding(t)
		ctx, die := context.WithCancel(t.Context())
		f := &inFlight{die: die}
		var second error
		var running sync.WaitGroup
		running.Go(func() { second = f.runner().Advance(t.Context(), slowly{store, 8 * time.Second}, modelID) })
		<-time.After(7900 * time.Millisecond)
		if err := f.runner().Advance(ctx, store, modelID); err == nil {
			t.Fatal("the first process lives on")
		}
		running.Wait()
		<-time.After(3 * time.Second) // whatever is on its way has arrived
		if second != nil || f.made != 1 {
			t.Errorf("made %d times, %v", f.made, second)
		}
	})
}
