package trusthub

import (
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// throttling is a Twilio that gives some accounts a 429.
type throttling struct {
	*twilio
	mu         sync.Mutex
	throttled  map[string]bool
	retryAfter string
	served     map[string]int // requests by the account that signed
}

func newThrottling(accounts ...string) *throttling {
	tw := &throttling{throttled: make(map[string]bool), served: make(map[string]int)}
	for _, account := range accounts {
		tw.throttled[account] = true
	}
	tw.twilio = answering(func(w http.ResponseWriter, r *http.Request) {
		account, _, _ := r.BasicAuth()
		tw.mu.Lock()
		tw.served[account]++
		throttled, header := tw.throttled[account], tw.retryAfter
		tw.mu.Unlock()
		if !throttled {
			answer(w, 201, endUserAnswer)
			return
		}
		if header != "" {
			w.Header().Set("Retry-After", header)
		}
		answer(w, 429, `{"code": 20429, "message": "Too Many Requests", "status": 429}`)
	})
	return tw
}

func (tw *throttling) relax(account string) {
	tw.mu.Lock()
	defer tw.mu.Unlock()
	delete(tw.throttled, account)
}

func (tw *throttling) count(account string) int {
	tw.mu.Lock()
	defer tw.mu.Unlock()
	return tw.served[account]
}

func TestA429StopsEveryCallerOfTheAccountAndNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tw := newThrottling(subSID)
		tw.retryAfter = "7"
		c := connect(t, tw, "")
		begun := time.Now()
		_, err := c.CreateEndUser(t.Context(), subSID, anEndUser)
		r := wantClass(t, err, onboarding.ClassRepeatable)
		if r.NotSent || r.HTTPStatus != 429 || r.RetryAfter < 7*time.Second {
			t.Errorf("the call with the 429: %+v", r)
		}
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() {
				_, err := c.CreateEndUser(t.Context(), subSID, anEndUser)
				r := wantClass(t, err, onboarding.ClassRepeatable)
				if !r.NotSent || r.Outage || r.RetryAfter < 7*time.Second || r.RetryAfter > 12*time.Second {
					t.Errorf("another caller: %+v", r)
				}
			})
		}
		callers.Wait()
		if n := tw.count(subSID); n != 1 {
			t.Errorf("Twilio got %d requests of the account, want only the one with the 429", n)
		}
		if calls, wait := c.Capacity(subSID); calls != 0 || wait < 7*time.Second {
			t.Errorf("Capacity is %d, %v", calls, wait)
		}
		if calls, _ := c.Capacity(parentSID); calls == 0 {
			t.Error("Capacity is 0 for another account")
		}
		if _, err := c.FetchBundle(t.Context(), parentSID, onboarding.CustomerProfile, profileSID); err != nil {
			t.Errorf("another account: %v", err)
		}

		tw.relax(subSID)
		for {
			_, err := c.CreateEndUser(t.Context(), subSID, anEndUser)
			if err == nil {
				break
			}
			elapse(t, remote(t, err).RetryAfter)
		}
		if took := time.Since(begun); took < 7*time.Second || took > 10*time.Second {
			t.Errorf("the account got through after %v", took)
		}
	})
}

func TestA429OfTheParentStopsAllThatNeedTheParent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, newThrottling(parentSID), "")
		ctx := t.Context()
		_, err := c.FetchBundle(ctx, parentSID, onboarding.CustomerProfile, profileSID)
		wantClass(t, err, onboarding.ClassRepeatable)
		// The preflight of another onboarding.
		_, err = c.FindPhoneNumbers(ctx, otherAccount, []string{"+15005550100"})
		if r := wantClass(t, err, onboarding.ClassRepeatable); !r.NotSent {
			t.Errorf("a lookup of numbers: %+v", r)
		}
		// A call that first needs a token.
		_, err = c.CreateEndUser(ctx, subSID, anEndUser)
		if r := wantClass(t, err, onboarding.ClassRepeatable); !r.NotSent {
			t.Errorf("a call without a token: %+v", r)
		}
		if calls, wait := c.Capacity(subSID); calls != 0 || wait <= 0 {
			t.Errorf("Capacity is %d, %v for an account without a token", calls, wait)
		}
		c.tokens.put(subSID, subToken)
		if calls, _ := c.Capacity(subSID); calls == 0 {
			t.Error("Capacity is 0 for an account that needs nothing of the parent")
		}
	})
}

func TestWithoutRetryAfterTheWaitGrowsWithEach429UpToAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, newThrottling(parentSID), "", func(cfg *Config) {
			cfg.Random = func() float64 { return 0 }
		})
		for _, seconds := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
			_, err := c.FetchBundle(t.Context(), parentSID, onboarding.CustomerProfile, profileSID)
			r := wantClass(t, err, onboarding.ClassRepeatable)
			if want := time.Duration(seconds) * time.Second; r.NotSent || r.RetryAfter != want {
				t.Fatalf("not sent %v, wait %v, want %v", r.NotSent, r.RetryAfter, want)
			}
			elapse(t, r.RetryAfter)
		}
	})
}

func TestALostConnectionIsNoAnswerBetweenTwo429s(t *testing.T) {
	t.Parallel()
	now, lost := someTime, false
	tw := newThrottling(parentSID)
	c := connect(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		if lost {
			return nil, io.EOF
		}
		return tw.RoundTrip(r)
	}), "", func(cfg *Config) {
		cfg.Now = func() time.Time { return now }
		cfg.Random = func() float64 { return 0 }
	})
	var err error
	for _, lost = range []bool{false, true, false} {
		_, err = c.CreateEndUser(t.Context(), parentSID, anEndUser)
		now = now.Add(time.Minute)
	}
	if r := remote(t, err); r.RetryAfter != 2*time.Second {
		t.Errorf("after the second 429 the wait is %v, want 2s", r.RetryAfter)
	}
}
