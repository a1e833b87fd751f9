package trusthub

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

var someTime = time.Unix(1_000_000, 0)

// acquireAll acquires n permits that are free.
func acquireAll(t *testing.T, l *limiter, n int, now time.Time) []permit {
	t.Helper()
	permits := make([]permit, 0, n)
	for range n {
		p, err := l.acquire(t.Context(), now, 0)
		if err != nil {
			t.Fatalf("permit %d of %d: %v", len(permits)+1, n, err)
		}
		permits = append(permits, p)
	}
	return permits
}

func TestRequestsAboveTheLimitWaitForAPermit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		transport := silent{make(chan struct{}, 10)}
		c := connect(t, transport, "", func(cfg *Config) {
			cfg.MaxConcurrentPerAccount, cfg.Timeout = 2, time.Second
		})
		failures := make(chan error, 5)
		for range 5 {
			go func() {
				_, err := c.CreateEndUser(t.Context(), parentSID, anEndUser)
				failures <- err
			}()
		}
		for second, want := range []int{2, 4, 5} {
			synctest.Wait()
			if n := len(transport.asked); n != want {
				t.Errorf("after %d s %d requests were sent, want %d", second, n, want)
			}
			elapse(t, time.Second)
		}
		for range 5 {
			wantClass(t, <-failures, onboarding.ClassUnknown)
		}
		if free := c.limiters.of(parentSID).free(time.Now()); free != 2 {
			t.Errorf("at the end %d permits are free, want 2", free)
		}
	})
}

func TestACallThatGivesUpInTheQueueIsNotSent(t *testing.T) {
	t.Parallel()
	for name, within := range map[string]func(context.Context) (context.Context, context.CancelFunc){
		"its deadline for sending passes": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return onboarding.WithSendBy(ctx, time.Now().Add(time.Second)), func() {}
		},
		"its context ends": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				transport := silent{make(chan struct{}, 10)}
				c := connect(t, transport, "", func(cfg *Config) { cfg.MaxConcurrentPerAccount = 1 })
				ctx, cancel := context.WithCancel(t.Context())
				var first sync.WaitGroup
				first.Go(func() { c.CreateEndUser(ctx, parentSID, anEndUser) })
				synctest.Wait()

				begun := time.Now()
				limited, done := within(t.Context())
				defer done()
				_, err := c.CreateEndUser(limited, parentSID, anEndUser)
				if r := wantClass(t, err, onboarding.ClassRepeatable); r.NotSent {
					t.Errorf("the call counts as not admitted: %+v", r)
				}
				if waited := time.Since(begun); waited != time.Second {
					t.Errorf("it waited %v, want no longer than it could be sent", waited)
				}
				if n := len(transport.asked); n != 1 {
					t.Errorf("%d requests were sent, want the first only", n)
				}
				cancel()
				first.Wait()
			})
		})
	}
}

func TestTheQueueIsFirstComeFirstServed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1)
		first := acquireAll(t, l, 1, time.Now())[0]
		var order []int
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range 5 {
			all.Go(func() {
				maxWait := time.Hour
				if i == 2 {
					maxWait = time.Second // This one gives up, and the others move up.
				}
				p, err := l.acquire(t.Context(), time.Now(), maxWait)
				if (i == 2) != errors.Is(err, errQueueTimeout) {
					t.Errorf("caller %d: %v", i, err)
				}
				if err != nil {
					return
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				l.release(p, true)
			})
			synctest.Wait()
		}
		elapse(t, 2*time.Second)
		l.release(first, true)
		all.Wait()
		if want := []int{0, 1, 3, 4}; !slices.Equal(order, want) {
			t.Errorf("permits went to %v, want %v", order, want)
		}
	})
}

// endingContext calls atEnd when its end is first seen.
type endingContext struct {
	context.Context
	atEnd func()
}

func (c endingContext) Err() error {
	err := c.Context.Err()
	if err != nil {
		c.atEnd()
	}
	return err
}

func TestAPermitForACallerThatHasJustGivenUpGoesToTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1)
		first := acquireAll(t, l, 1, someTime)[0]
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ending := endingContext{ctx, func() { l.release(first, true) }}
		var callers sync.WaitGroup
		for i, ctx := range []context.Context{ending, t.Context()} {
			callers.Go(func() {
				p, err := l.acquire(ctx, someTime, time.Hour)
				if (i == 0) != errors.Is(err, context.Canceled) {
					t.Errorf("caller %d: %v", i, err)
				}
				if err == nil {
					l.release(p, true)
				}
			})
			synctest.Wait()
		}
		begun := time.Now()
		cancel() // The first caller gives up, and in that moment it is granted the permit.
		callers.Wait()
		if waited := time.Since(begun); waited != 0 || l.inFlight != 0 {
			t.Errorf("the next caller waited %v, and at the end %d are in flight", waited, l.inFlight)
		}
	})
}

func TestThe429OfACallerFromTheQueueIsOneOfItsOwnRound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1)
		first := acquireAll(t, l, 1, someTime)[0]
		permits := make(chan permit, 1)
		go func() {
			p, err := l.acquire(t.Context(), someTime, time.Hour)
			if err != nil {
				t.Error(err)
			}
			permits <- p
		}()
		synctest.Wait()
		if wait := l.releaseThrottled(first, 0, someTime, 0); wait != time.Second {
			t.Errorf("the wait of the first caller is %v, want 1s", wait)
		}
		l.releaseThrottled(<-permits, 0, someTime, 0)
		if wait := l.backoff.until.Sub(someTime); wait != 2*time.Second {
			t.Errorf("after the second 429 the backoff is %v, want 2s", wait)
		}
	})
}

func TestThe429HalvesTheLimitAndAnswersRaiseIt(t *testing.T) {
	t.Parallel()
	l, now := newLimiter(20), someTime
	permits := acquireAll(t, l, 16, now)
	for _, p := range permits[:8] {
		l.releaseThrottled(p, 0, now, 0)
	}
	for _, p := range permits[8:] {
		l.release(p, true)
	}
	if free := l.free(now); free != 8 {
		t.Fatalf("16 in flight were too many; the limit is %d, want half", free)
	}
	now = now.Add(time.Minute)
	for answers := 9; answers <= 3*raiseAfter; answers++ { // Eight came with the 429s.
		l.release(acquireAll(t, l, 1, now)[0], true)
		l.release(acquireAll(t, l, 1, now)[0], false) // A request without an answer does not count.
		if want := 8 + answers/raiseAfter; l.free(now) != want {
			t.Fatalf("after %d answers without a 429 the limit is %d, want %d", answers, l.free(now), want)
		}
	}
}

func TestTheLimitIsNeverBelowOneOrAboveItsMaximum(t *testing.T) {
	t.Parallel()
	l, now := newLimiter(3), someTime
	for range 10 {
		l.releaseThrottled(acquireAll(t, l, 1, now)[0], 0, now, 0)
		now = now.Add(backoffMax)
	}
	if free := l.free(now); free != 1 {
		t.Errorf("after many 429s the limit is %d, want 1", free)
	}
	for range 10 * raiseAfter {
		l.release(acquireAll(t, l, 1, now)[0], true)
	}
	if free := l.free(now); free != 3 {
		t.Errorf("after many answers the limit is %d, want 3", free)
	}
}

func TestAnIdleAccountGetsItsFullLimitBack(t *testing.T) {
	t.Parallel()
	l, now := newLimiter(20), someTime
	l.releaseThrottled(acquireAll(t, l, 1, now)[0], time.Minute, now, 0)
	now = now.Add(time.Minute)
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{recovery - 1, 1}, {recovery, 20}} {
		if free := l.free(now.Add(c.after)); free != c.want {
			t.Errorf("%v after the backoff the limit is %d, want %d", c.after, free, c.want)
		}
	}
	now = now.Add(recovery)
	if wait := l.releaseThrottled(acquireAll(t, l, 1, now)[0], 0, now, 0); wait != backoffMin {
		t.Errorf("the next 429 counts as a repeated one: the wait is %v", wait)
	}
}

func TestAnAccountWithoutALimitGetsOneByA429(t *testing.T) {
	t.Parallel()
	l := newLimiter(-1)
	permits := acquireAll(t, l, 100, someTime)
	l.releaseThrottled(permits[0], 0, someTime, 0)
	if _, err := l.acquire(t.Context(), someTime, 0); !errors.Is(err, errQueueTimeout) {
		t.Errorf("100 in flight were too many, and with 99 one more got a permit: %v", err)
	}
}

func TestThe429sOfOneRoundCountOnce(t *testing.T) {
	t.Parallel()
	now := someTime
	var b backoff
	for range 20 {
		b.throttled(0, 0, now, 0)
	}
	if wait := b.retryAfter(now, 0); wait != time.Second {
		t.Errorf("after one round of 429s the wait is %v, want 1s", wait)
	}
	now = now.Add(time.Second)
	if wait := b.retryAfter(now, 0); wait != 0 {
		t.Errorf("after the backoff the wait is %v", wait)
	}
	b.answered(0) // An answer of the first round counts for nothing.
	b.throttled(b.round, 0, now, 0)
	if wait := b.until.Sub(now); wait != 2*time.Second {
		t.Errorf("after a second round the wait is %v, want 2s", wait)
	}
	now = b.until
	b.answered(b.round)
	b.throttled(b.round, 0, now, 0)
	if wait := b.until.Sub(now); wait != time.Second {
		t.Errorf("after an answer and a 429 the wait is %v, want 1s", wait)
	}
}

func TestTheBackoffLastsAsLongAsTwilioAsksOrLonger(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		asked []time.Duration // one for each 429 of a new round
		want  time.Duration
	}{
		{"longer than ours", []time.Duration{7 * time.Second}, 7 * time.Second},
		{"shorter than ours", []time.Duration{0, 0, 0, time.Second}, 8 * time.Second},
		{"a long one before a short one", []time.Duration{time.Hour, time.Second}, time.Hour},
		{"nothing, for ever", make([]time.Duration, 30), time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var b backoff
			for _, asked := range c.asked {
				b.throttled(b.round, asked, someTime, 0)
			}
			if wait := b.until.Sub(someTime); wait != c.want {
				t.Errorf("the backoff lasts %v, want %v", wait, c.want)
			}
		})
	}
	var late backoff
	late.throttled(0, 0, someTime, 0)
	late.throttled(0, time.Minute, someTime, 0) // of the same round, but Twilio asks for more
	if wait := late.until.Sub(someTime); wait != time.Minute {
		t.Errorf("the second 429 of a round asks for 1m, and the backoff lasts %v", wait)
	}
}

// elapse lets virtual time pass.
func elapse(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	<-ctx.Done()
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Fatal(ctx.Err())
	}
}
