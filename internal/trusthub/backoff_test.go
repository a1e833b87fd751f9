package trusthub

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestWaitsDoubleUpToACeilingAndJitterShortensThem(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]time.Duration{
		1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 6: 32 * time.Second, 7: time.Minute, 1000: time.Minute,
	} {
		if got := exponential(n, time.Second, time.Minute, 0); got != want {
			t.Errorf("wait %d is %v, want %v", n, got, want)
		}
		if got := exponential(n, time.Second, time.Minute, 1); got != want*3/4 {
			t.Errorf("wait %d is %v with full jitter, want %v", n, got, want*3/4)
		}
	}
}

func TestThoseWhoWereTurnedAwayComeBackOneByOne(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	from := now.Add(4 * time.Second)
	var one turns
	if wait := one.after(from, now, 0.5); wait < 4*time.Second || wait > 5*time.Second {
		t.Errorf("one who waits alone comes back after %v", wait)
	}

	const many = 40_000
	var all turns
	random := rand.New(rand.NewPCG(1, 2))
	seconds := make(map[int]int)
	for range many {
		wait := all.after(from, now, random.Float64())
		if wait < 4*time.Second || wait > 4*time.Second+turnsWithin+2*time.Second {
			t.Fatalf("one of many comes back after %v", wait)
		}
		seconds[int(wait/time.Second)]++
	}
	if len(seconds) < 295 {
		t.Errorf("%d come back within %d different seconds", many, len(seconds))
	}
	for second, n := range seconds {
		if n > 3*many/300 {
			t.Errorf("%d come back in second %d", n, second)
		}
	}
}

func TestRefusalsOfOneRoundCountOnce(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	var b backoff
	for range 20 {
		b.refused(0, 0, now, 0)
	}
	if wait := b.wait(now, 0); wait != time.Second {
		t.Errorf("after one round of refusals the wait is %v, want 1s", wait)
	}
	now = now.Add(time.Second)
	if wait := b.wait(now, 0); wait != 0 {
		t.Errorf("when it is over the wait is %v", wait)
	}
	b.answered(0) // of the first round: no news
	b.refused(b.round, 0, now, 0)
	if wait := b.until.Sub(now); wait != 2*time.Second {
		t.Errorf("after a second round the wait is %v, want 2s", wait)
	}
	b.answered(b.round)
	b.refused(b.round, 0, now, 0)
	if b.inARow != 1 {
		t.Errorf("after an answer the refusal is number %d", b.inARow)
	}
}

// crowd is a Twilio that refuses an account, with the given Retry-After, while refusing is set.
type crowd struct {
	*twilio
	mu         sync.Mutex
	refusing   map[string]bool
	retryAfter string
	served     map[string]int // per account that signed
}

func newCrowd() *crowd {
	c := &crowd{refusing: make(map[string]bool), served: make(map[string]int)}
	c.twilio = answering(func(w http.ResponseWriter, r *http.Request) {
		account, _, _ := r.BasicAuth()
		c.mu.Lock()
		c.served[account]++
		refuse, header := c.refusing[account], c.retryAfter
		c.mu.Unlock()
		if !refuse {
			answer(w, 201, endUserAnswer)
			return
		}
		if header != "" {
			w.Header().Set("Retry-After", header)
		}
		answer(w, 429, `{"code": 20429, "message": "Too Many Requests", "status": 429}`)
	})
	return c
}

func (c *crowd) refuse(account string, on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusing[account] = on
}

func (c *crowd) count(account string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.served[account]
}

func TestRetryAfterHoldsBackEveryCallerOfTheAccountAndNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tw := newCrowd()
		tw.refuse(subSID, true)
		tw.retryAfter = "7"
		c := connect(t, tw, "")
		ctx := t.Context()
		begun := time.Now()
		_, err := c.CreateEndUser(ctx, subSID, anEndUser)
		if r := wantClass(t, err, onboarding.ClassRepeatable); r.Held || r.HTTPStatus != 429 || r.RetryAfter < 7*time.Second {
			t.Errorf("the refused call: %+v", r)
		}
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() {
				_, err := c.CreateEndUser(ctx, subSID, anEndUser)
				r := wantClass(t, err, onboarding.ClassRepeatable)
				if !r.Held || r.RetryAfter < 7*time.Second || r.RetryAfter > 12*time.Second {
					t.Errorf("another caller: held %v, come again after %v", r.Held, r.RetryAfter)
				}
			})
		}
		callers.Wait()
		if n := tw.count(subSID); n != 1 {
			t.Errorf("Twilio saw %d requests of the account, want the refused one only", n)
		}
		if calls, wait := c.Room(subSID); calls != 0 || wait < 7*time.Second {
			t.Errorf("Room is %d, %v", calls, wait)
		}
		if calls, _ := c.Room(parentSID); calls == 0 {
			t.Error("there is no room for another account")
		}
		if _, err := c.FetchBundle(ctx, parentSID, onboarding.CustomerProfile, profileSID); err != nil {
			t.Errorf("another account: %v", err)
		}

		tw.refuse(subSID, false)
		for {
			_, err := c.CreateEndUser(ctx, subSID, anEndUser)
			if err == nil {
				break
			}
			elapse(t, remote(t, err).RetryAfter)
		}
		if took := time.Since(begun); took < 7*time.Second || took > 10*time.Second {
			t.Errorf("the account was held back for %v", took)
		}
	})
}

func TestTheParentIsHeldBackAcrossOnboardings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tw := newCrowd()
		tw.refuse(parentSID, true)
		c := connect(t, tw, "")
		_, err := c.FetchBundle(t.Context(), parentSID, onboarding.CustomerProfile, profileSID)
		wantClass(t, err, onboarding.ClassRepeatable)
		// Any other onboarding's preflight, and a call that would need a token first.
		_, err = c.FindPhoneNumbers(t.Context(), "AC0000000000000000000000000000000c", []string{"+15005550100"})
		if r := wantClass(t, err, onboarding.ClassRepeatable); !r.Held {
			t.Errorf("a lookup of numbers: %+v", r)
		}
		_, err = createEndUser(c)
		if r := wantClass(t, err, onboarding.ClassRepeatable); !r.Held {
			t.Errorf("a call without a token: %+v", r)
		}
		if calls, wait := c.Room(subSID); calls != 0 || wait <= 0 {
			t.Errorf("Room is %d, %v for an account whose token is not known", calls, wait)
		}
		c.tokens.put(subSID, subToken)
		if calls, _ := c.Room(subSID); calls == 0 {
			t.Error("there is no room for an account that needs nothing of the parent")
		}
	})
}

func TestWithoutRetryAfterTheWaitGrowsWithEachRoundUpToAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tw := newCrowd()
		tw.refuse(parentSID, true)
		c := connect(t, tw, "", func(cfg *Config) { cfg.Random = func() float64 { return 0 } })
		for _, want := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
			_, err := c.FetchBundle(t.Context(), parentSID, onboarding.CustomerProfile, profileSID)
			r := wantClass(t, err, onboarding.ClassRepeatable)
			if r.Held || r.RetryAfter != seconds(want) {
				t.Fatalf("held %v, wait %v, want %v", r.Held, r.RetryAfter, seconds(want))
			}
			elapse(t, r.RetryAfter)
		}
	})
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

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
