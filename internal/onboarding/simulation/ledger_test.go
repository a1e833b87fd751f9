package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// ledger is the memory's, reached through a connection that breaks: before or after a call did its
// work.
type ledger struct {
	run  *run
	over onboarding.Ledger
}

// ledgerFate is what happens to one call of the ledger.
type ledgerFate struct {
	there, back             time.Duration
	failsBefore, failsAfter bool
}

// through makes a call of the ledger: one turn on the way there, one on the way back.
func (l ledger) through(what string, do func() error) error {
	r, w := l.run.replica, l.run.replica.world
	name := l.run.name + " " + what
	var f ledgerFate
	draw := func(rng *rand.Rand) {
		f = w.ledgerFate(rng)
		if what == "release" && w.rough() && rng.Float64() < 4*w.scenario.mishap {
			w.resume(l.run.job.ID) // in the last moment of the run
		}
	}
	if !w.turns.wait(r, name, draw) {
		return errOver
	}
	err := errLedger
	if !f.failsBefore {
		// What is on its way to the ledger arrives, though its sender die.
		w.pass(f.there)
		err = do()
	}
	w.tracef("%s: %v", name, err)
	w.pass(f.back)
	if f.failsAfter && err == nil {
		err = errLedger
	}
	if !w.turns.wait(r, name+" returns", nil) {
		return errOver
	}
	if err != nil {
		w.tracef("%s returns %v", name, err)
	}
	return err
}

func (w *world) ledgerFate(rng *rand.Rand) ledgerFate {
	var f ledgerFate
	f.there = time.Duration(1 + rng.Int64N(int64(time.Millisecond)))
	f.back = time.Duration(1 + rng.Int64N(int64(time.Millisecond)))
	if !w.rough() {
		return f
	}
	if time.Now().Before(w.ledgerDownUntil) {
		f.failsBefore = true
		return f
	}
	switch chance := rng.Float64() / w.scenario.ledgerFault; {
	case chance < 0.25:
		f.failsBefore = true
	case chance < 0.5:
		f.failsAfter = true
	case chance < 0.75:
		f.there = time.Duration(rng.Int64N(int64(8 * time.Second)))
	case chance < 1:
		f.back = time.Duration(rng.Int64N(int64(8 * time.Second)))
	}
	return f
}

func (l ledger) Claim(ctx context.Context, id onboarding.ID) (*onboarding.Onboarding, error) {
	var o *onboarding.Onboarding
	err := l.through("claim", func() (err error) {
		o, err = l.over.Claim(ctx, id)
		l.run.claimed = time.Now()
		return err
	})
	return o, err
}

func (l ledger) Record(ctx context.Context, c onboarding.Change) error {
	return l.through(fmt.Sprintf("record%s", summary(c)), func() error {
		w := l.run.replica.world
		before := w.get(c.ID)
		err := l.over.Record(ctx, c)
		if err == nil {
			w.recorded(before, c)
		}
		return err
	})
}

func (l ledger) Release(ctx context.Context, c onboarding.Change, next time.Time) (bool, error) {
	var woken bool
	err := l.through("release"+summary(c), func() (err error) {
		w := l.run.replica.world
		before := w.get(c.ID)
		woken, err = l.over.Release(ctx, c, next)
		if err == nil {
			w.recorded(before, c)
		}
		return err
	})
	return woken, err
}

func summary(c onboarding.Change) string {
	text := ""
	for _, s := range c.Steps {
		text += fmt.Sprintf(" %s=%s", s.Key, s.State)
	}
	return text
}
