package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/desk"
	"github.com/attestd/attestd/internal/onboarding/engine"
	"github.com/attestd/attestd/internal/onboarding/memledger"
)

// A bakery has nothing to do with Twilio, and its plan has every kind of step. What is played
// around it is what happens to any plan: answers are lost, calls are refused or not sent, lists
// lag, processes die with calls under way that arrive nevertheless.

const (
	recipeKey    onboarding.Key = "recipe"
	ovenKey      onboarding.Key = "oven"
	doughKey     onboarding.Key = "dough"
	intoOvenKey  onboarding.Key = "dough into the oven"
	tastingKey   onboarding.Key = "tasting"
	bakingKey    onboarding.Key = "baking"
	bakedKey     onboarding.Key = "baked"
	bellKey      onboarding.Key = "bell"
	freshnessKey onboarding.Key = "freshness"

	bakeryID onboarding.ID = "onb_bakery"
	listLag                = 2 * time.Second
)

// thing is what a call has made, and since when lists show it.
type thing struct {
	sid  string
	from time.Time
}

// bakery is the world that the plan is about.
type bakery struct {
	rng    *rand.Rand
	store  *memledger.Store
	mutate func(*onboarding.Effect)
	timing engine.Timing

	processes sync.WaitGroup

	mu     sync.Mutex
	there  map[onboarding.Key][]thing
	made   int
	baked  int
	rung   int
	looks  int
	broken error
}

func (b *bakery) breaks(format string, args ...any) {
	if b.broken == nil {
		b.broken = fmt.Errorf(format, args...)
	}
}

// plan makes bread, and clears up after a cancellation.
func (b *bakery) plan() onboarding.Plan {
	return onboarding.Plan{Explain: inItsWords, Nodes: func(o *onboarding.Onboarding) []onboarding.Node {
		nodes := b.forward()
		if o.CanceledAt.IsZero() {
			return nodes
		}
		onTop := map[onboarding.Key][]onboarding.Key{}
		for _, n := range nodes {
			for _, need := range n.Needs {
				onTop[need] = append(onTop[need], n.Key)
			}
		}
		slices.Reverse(nodes)
		for i := range nodes {
			nodes[i].Aim, nodes[i].Needs = onboarding.AimGone, onTop[nodes[i].Key]
		}
		return nodes
	}}
}

func (b *bakery) forward() []onboarding.Node {
	node := func(key onboarding.Key, kind onboarding.Kind, e onboarding.Effect, needs ...onboarding.Key) onboarding.Node {
		if b.mutate != nil {
			b.mutate(&e)
		}
		return onboarding.Node{
			Key: key, Role: onboarding.Role{Kind: kind, Bundle: ovenKey}, Needs: needs,
			Effect: func(*onboarding.Onboarding) onboarding.Effect { return e },
		}
	}
	dough := b.making(doughKey)
	dough.Update = func(ctx context.Context, _ onboarding.TrustHub, sid string) (onboarding.Outcome, error) {
		return onboarding.Done{}, b.call(ctx, func() {})
	}
	tasting := b.making(tastingKey)
	tasting.Remove = nil
	return []onboarding.Node{
		node(recipeKey, onboarding.KindRead, onboarding.Effect{Look: b.reading(onboarding.Done{})}),
		node(ovenKey, onboarding.KindBundle, b.making(ovenKey), recipeKey),
		node(doughKey, onboarding.KindObject, dough, recipeKey),
		node(intoOvenKey, onboarding.KindAssignment, b.making(intoOvenKey), ovenKey, doughKey),
		node(tastingKey, onboarding.KindEvaluation, tasting, intoOvenKey),
		node(bakingKey, onboarding.KindSubmission, b.baking(), tastingKey),
		node(bakedKey, onboarding.KindReview, onboarding.Effect{Look: b.baking5Times}, bakingKey),
		node(bellKey, onboarding.KindDeed, onboarding.Effect{Do: func(ctx context.Context, _ onboarding.TrustHub) (onboarding.Outcome, error) {
			return onboarding.Done{}, b.call(ctx, func() { b.rung++ })
		}}, bakedKey),
		node(freshnessKey, onboarding.KindCheck, onboarding.Effect{Look: b.reading(onboarding.Done{})}, bakedKey),
	}
}

// making is the effect of a step that makes a thing.
func (b *bakery) making(key onboarding.Key) onboarding.Effect {
	return onboarding.Effect{
		Do: func(ctx context.Context, _ onboarding.TrustHub) (onboarding.Outcome, error) {
			var sid string
			err := b.call(ctx, func() {
				b.made++
				sid = fmt.Sprintf("%s %d", key, b.made)
				b.there[key] = append(b.there[key], thing{sid, time.Now().Add(time.Duration(b.rng.Int64N(int64(listLag))))})
				if key != tastingKey && len(b.there[key]) > 1 {
					b.breaks("made twice: %s", key)
				}
			})
			return onboarding.Done{Seen: onboarding.Seen{SID: sid}}, err
		},
		Find: func(ctx context.Context, _ onboarding.TrustHub) ([]onboarding.Outcome, error) {
			var found []onboarding.Outcome
			err := b.call(ctx, func() {
				for _, t := range b.there[key] {
					if !t.from.After(time.Now()) {
						found = append(found, onboarding.Done{Seen: onboarding.Seen{SID: t.sid}})
					}
				}
				if key == tastingKey && len(found) > 0 {
					found = found[len(found)-1:]
				}
			})
			return found, err
		},
		Remove: func(ctx context.Context, _ onboarding.TrustHub, sid string) error {
			return b.call(ctx, func() {
				b.there[key] = slices.DeleteFunc(b.there[key], func(t thing) bool { return t.sid == sid })
			})
		},
	}
}

// baking is done or not done: nothing is made, and a status tells.
func (b *bakery) baking() onboarding.Effect {
	return onboarding.Effect{
		Do: func(ctx context.Context, _ onboarding.TrustHub) (onboarding.Outcome, error) {
			return onboarding.Done{Seen: onboarding.Seen{Status: "baking"}}, b.call(ctx, func() {
				if b.baked++; b.baked > 1 {
					b.breaks("made twice: baking")
				}
			})
		},
		Find: func(ctx context.Context, _ onboarding.TrustHub) ([]onboarding.Outcome, error) {
			var found []onboarding.Outcome
			return found, b.call(ctx, func() {
				if b.baked > 0 {
					found = []onboarding.Outcome{onboarding.Done{Seen: onboarding.Seen{Status: "baking"}}}
				}
			})
		},
	}
}

// baking5Times finds the bread in the oven five times, then burnt, then done.
func (b *bakery) baking5Times(ctx context.Context, _ onboarding.TrustHub) (outcome onboarding.Outcome, err error) {
	outcome = onboarding.Done{}
	err = b.call(ctx, func() {
		switch b.looks++; {
		case b.looks <= 5:
			outcome = onboarding.Reviewing{}
		case b.looks == 6:
			outcome = onboarding.Wanting{Requirements: []onboarding.Requirement{{Code: "burnt"}}, Final: true}
		}
	})
	return outcome, err
}

func (b *bakery) reading(outcome onboarding.Outcome) effectFunc {
	return func(ctx context.Context, _ onboarding.TrustHub) (onboarding.Outcome, error) {
		return outcome, b.call(ctx, func() {})
	}
}

// call is a request on its way: it may not be sent, be refused, arrive late, arrive without its
// sender, and lose its answer.
func (b *bakery) call(ctx context.Context, arrives func()) error {
	b.mu.Lock()
	way, fate := time.Duration(b.rng.Int64N(int64(400*time.Millisecond))), b.rng.Float64()
	b.mu.Unlock()
	switch {
	case fate < 0.05:
		return &onboarding.RemoteError{Class: onboarding.ClassRepeatable, NotSent: true, RetryAfter: 2 * time.Second}
	case fate < 0.10:
		return &onboarding.RemoteError{Class: onboarding.ClassRepeatable, HTTPStatus: 429, RetryAfter: time.Second}
	case fate < 0.15:
		<-time.After(5 * time.Second) // It is paused before it sends.
	}
	if by, ok := onboarding.SendBy(ctx); ok && time.Now().After(by) {
		return &onboarding.RemoteError{Class: onboarding.ClassRepeatable, Err: errors.New("too late to send")}
	}
	<-time.After(way)
	b.mu.Lock()
	defer b.mu.Unlock()
	if fate >= 0.95 {
		return &onboarding.RemoteError{Class: onboarding.ClassUnknown}
	}
	arrives()
	if fate >= 0.85 || ctx.Err() != nil {
		return &onboarding.RemoteError{Class: onboarding.ClassUnknown}
	}
	return nil
}

// play takes the bread to its end, and then the bakery.
func (b *bakery) play(ctx context.Context) error {
	b.store = memledger.New()
	service := &desk.Service{
		Repository: b.store, Plan: b.plan(), Now: time.Now,
		NewID: func() onboarding.ID { return bakeryID }, NewToken: func() string { return "token" },
	}
	if _, err := service.Create(ctx, "key:baker", onboarding.Request{}); err != nil {
		return err
	}
	for range 2000 {
		if b.broken != nil {
			return b.broken
		}
		if job := b.store.Fetch(); job != nil {
			b.run(ctx, job)
			continue
		}
		o, err := service.Get(ctx, bakeryID)
		if err != nil {
			return err
		}
		switch o.Status() {
		case onboarding.StatusActionRequired:
			_, err = service.Resume(ctx, "key:baker", bakeryID)
		case onboarding.StatusApproved:
			if err = b.isServed(o); err == nil {
				_, err = service.Cancel(ctx, "key:baker", bakeryID, true)
			}
		case onboarding.StatusCanceled:
			if !slices.ContainsFunc(o.Steps, func(s onboarding.Step) bool { return s.State != onboarding.StepCanceled }) {
				return b.isCleared()
			}
		case onboarding.StatusInProgress, onboarding.StatusInReview:
		}
		if err != nil {
			return err
		}
		if due, ok := b.store.NextDue(); ok {
			<-time.After(time.Until(due))
		}
	}
	return errors.New("forgotten: it does not end")
}

// run is a process that works on one job, and may die in the middle of its calls: another takes the
// job at once, while what the first has sent is still on its way.
func (b *bakery) run(ctx context.Context, job *memledger.Job) {
	ctx, die := context.WithCancel(ctx)
	ended := make(chan error, 1)
	b.mu.Lock()
	left := 1 + b.rng.IntN(40)
	b.mu.Unlock()
	runner := &engine.Runner{
		Hub: boundlessHub{}, Plan: b.plan(), Name: "baker", Now: time.Now, Random: func() float64 { return 0.5 }, Logger: slog.New(slog.DiscardHandler),
		Timing: b.timing,
		Reached: func(engine.Point, onboarding.Key) {
			b.mu.Lock()
			defer b.mu.Unlock()
			if left--; left == 0 {
				die()
			}
		},
	}
	b.processes.Go(func() {
		ended <- runner.Advance(ctx, dyingLedger{job}, job.ID)
		die()
	})
	select {
	case err := <-ended:
		if err != nil {
			job.Abandon()
		}
	case <-ctx.Done():
		job.Abandon()
	}
}

// dyingLedger is out of a dead process's reach.
type dyingLedger struct{ onboarding.Ledger }

func (l dyingLedger) Record(ctx context.Context, c onboarding.Change) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return l.Ledger.Record(ctx, c)
}

// isServed checks that there is one of each, and that the ledger knows it.
func (b *bakery) isServed(o *onboarding.Onboarding) error {
	for _, key := range []onboarding.Key{ovenKey, doughKey, intoOvenKey} {
		if there := b.there[key]; len(there) != 1 || there[0].sid != o.SID(key) {
			return fmt.Errorf("lost: of %s there is %v, and the ledger has %q", key, there, o.SID(key))
		}
	}
	if b.baked != 1 || b.rung < 1 {
		return fmt.Errorf("lost: baked %d times, the bell rang %d times", b.baked, b.rung)
	}
	return nil
}

// isCleared checks that nothing is left but tastings, which cannot be undone.
func (b *bakery) isCleared() error {
	for key, there := range b.there {
		if key != tastingKey && len(there) > 0 {
			return fmt.Errorf("left behind: %v", there)
		}
	}
	return nil
}

func playBakery(t *testing.T, seed uint64, mutate func(*bakery)) (err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bakery{
			rng: rand.New(rand.NewPCG(seed, 1)), there: map[onboarding.Key][]thing{},
			timing: engine.Timing{CheckInterval: -1, Settle: listLag + time.Second},
		}
		mutate(b)
		err = b.play(t.Context())
		b.processes.Wait()
	})
	return err
}

func TestAPlanThatHasNothingToDoWithTwilioIsWalked(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		if err := playBakery(t, seed, func(*bakery) {}); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

// TestABakeryNoticesABrokenRule: without any of the rules the bakery finds out.
func TestABakeryNoticesABrokenRule(t *testing.T) {
	t.Parallel()
	for name, mutate := range map[string]func(*bakery){
		"a lookup finds nothing": func(b *bakery) {
			b.mutate = func(e *onboarding.Effect) {
				if e.Find != nil {
					e.Find = func(context.Context, onboarding.TrustHub) ([]onboarding.Outcome, error) { return nil, nil }
				}
			}
		},
		"a lookup is believed while lists lag": func(b *bakery) { b.timing.Settle = 1 },
		"a call leaves however late it is": func(b *bakery) {
			b.mutate = func(e *onboarding.Effect) {
				if do := e.Do; do != nil {
					e.Do = func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
						return do(onboarding.WithSendBy(ctx, time.Now().Add(time.Hour)), hub)
					}
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(400) {
				if err := playBakery(t, seed, mutate); err != nil {
					t.Logf("seed %d: %v", seed, err)
					return
				}
			}
			t.Error("nothing was noticed in 400 bakeries")
		})
	}
}
