package trusthub

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestARetryThatWaitsAloneComesSoon(t *testing.T) {
	t.Parallel()
	start := someTime.Add(4 * time.Second)
	for random, want := range map[float64]time.Duration{0: 4 * time.Second, 0.5: 4500 * time.Millisecond} {
		var p pacer
		if wait := p.retryAfter(start, someTime, random); wait != want {
			t.Errorf("random %v: the wait is %v, want %v", random, wait, want)
		}
	}
	var p pacer
	if wait := p.retryAfter(someTime, someTime, 0.5); wait != pacingInterval/2 {
		t.Errorf("the wait from now on is %v", wait)
	}
}

func TestManyRetriesComeFiftyASecondWithinFiveMinutes(t *testing.T) {
	t.Parallel()
	const many = 40_000 // more than fit into five minutes at fifty a second
	start := someTime.Add(4 * time.Second)
	random := rand.New(rand.NewPCG(1, 2))
	var p pacer
	perSecond := make(map[int]int)
	for i := range many {
		wait := p.retryAfter(start, someTime, random.Float64())
		if early, late := 4*time.Second, 5*time.Second+pacingSpan; wait < early || wait > late {
			t.Fatalf("the wait of caller %d is %v, want it from %v to %v", i, wait, early, late)
		}
		if i < 10_000 {
			if slot := 4*time.Second + time.Duration(i)*pacingInterval; wait < slot || wait > slot+time.Second {
				t.Fatalf("the wait of caller %d is %v, want about %v", i, wait, slot)
			}
		}
		perSecond[int(wait/time.Second)]++
	}
	for second, n := range perSecond {
		if n > 3*many/300 {
			t.Errorf("%d callers come in second %d", n, second)
		}
	}
	// Those who come after the rush wait no longer for it.
	if wait := p.retryAfter(start.Add(time.Hour), someTime.Add(time.Hour), 0); wait != 4*time.Second {
		t.Errorf("an hour later the wait is %v, want 4s", wait)
	}
}

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
		if r.Held || r.HTTPStatus != 429 || r.RetryAfter < 7*time.Second {
			t.Errorf("the call with the 429: %+v", r)
		}
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() {
				_, err := c.CreateEndUser(t.Context(), subSID, anEndUser)
				r := wantClass(t, err, onboarding.ClassRepeatable)
				if !r.Held || r.Outage || r.RetryAfter < 7*time.Second || r.RetryAfter > 12*time.Second {
					t.Errorf("another caller: %+v", r)
				}
			})
		}
		callers.Wait()
		if n := tw.count(subSID); n != 1 {
			t.Errorf("Twilio got %d requests of the account, want only the one with the 429", n)
		}
		if calls, wait := c.Room(subSID); calls != 0 || wait < 7*time.Second {
			t.Errorf("Room is %d, %v", calls, wait)
		}
		if calls, _ := c.Room(parentSID); calls == 0 {
			t.Error("Room is 0 for another account")
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
		if r := wantClass(t, err, onboarding.ClassRepeatable); !r.Held {
			t.Errorf("a lookup of numbers: %+v", r)
		}
		// A call that first needs a token.
		_, err = c.CreateEndUser(ctx, subSID, anEndUser)
		if r := wantClass(t, err, onboarding.ClassRepeatable); !r.Held {
			t.Errorf("a call without a token: %+v", r)
		}
		if calls, wait := c.Room(subSID); calls != 0 || wait <= 0 {
			t.Errorf("Room is %d, %v for an account without a token", calls, wait)
		}
		c.tokens.put(subSID, subToken)
		if calls, _ := c.Room(subSID); calls == 0 {
			t.Error("Room is 0 for an account that needs nothing of the parent")
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
			if want := time.Duration(seconds) * time.Second; r.Held || r.RetryAfter != want {
				t.Fatalf("not sent %v, wait %v, want %v", r.Held, r.RetryAfter, want)
			}
			elapse(t, r.RetryAfter)
		}
	})
}

// A call can wait for its permit while the account gets a 429, or while the breaker opens.
func TestCallsInTheQueueAreCheckedBeforeTheyAreSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end    func() (*http.Response, error)
		reason error
	}{
		"a 429": {
			func() (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusTooManyRequests, Body: http.NoBody}, nil
			},
			errBackoff,
		},
		"an outage": {
			func() (*http.Response, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
			},
			errBreakerOpen,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				gate, sent := make(chan struct{}), 0
				client := connect(t, roundTripper(func(*http.Request) (*http.Response, error) {
					sent++
					<-gate
					return c.end()
				}), "", func(cfg *Config) { cfg.MaxConcurrentPerAccount, cfg.CircuitFailures = 1, 1 })
				var callers sync.WaitGroup
				for i := range 5 {
					callers.Go(func() {
						_, err := client.CreateEndUser(t.Context(), parentSID, anEndUser)
						r := wantClass(t, err, onboarding.ClassRepeatable)
						if r.Held != (i > 0) || errors.Is(err, c.reason) != (i > 0) {
							t.Errorf("caller %d: %+v", i, r)
						}
					})
					synctest.Wait()
				}
				close(gate)
				callers.Wait()
				if sent != 1 {
					t.Errorf("%d requests were sent, want the one that was in flight", sent)
				}
				if l := client.limiters.of(parentSID); l.inFlight != 0 {
					t.Errorf("%d permits are not released", l.inFlight)
				}
			})
		})
	}
}

// An onboarding with 500 numbers lets the parent look them up. While its pages are slow, the other
// onboardings' preflights must not wait.
func TestAnOnboardingWithManyNumbersDoesNotFillTheParentsQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var wanted []string
		for i := range 500 {
			wanted = append(wanted, fmt.Sprintf("+1500555%04d", i))
		}
		gate := make(chan struct{})
		c := connect(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			body := `{"sid": "` + subSID + `", "incoming_phone_numbers": []}`
			if strings.Contains(r.URL.Path, "IncomingPhoneNumbers") {
				<-gate
			}
			response := httptest.NewRecorder()
			answer(response, 200, body)
			return response.Result(), nil
		}), "", func(cfg *Config) { cfg.MaxConcurrentPerAccount = 2 })
		var many sync.WaitGroup
		many.Go(func() { c.FindPhoneNumbers(t.Context(), subSID, wanted) })
		synctest.Wait()
		if _, err := c.FetchAccount(t.Context(), subSID); err != nil {
			t.Errorf("beside many slow lookups: %v", err)
		}
		close(gate)
		many.Wait()
	})
}

func TestEachHostHasItsBreakerAndLogsOnceThatItOpened(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		down := &brokenHost{host: "trusthub.twilio.com", working: answering(always(201, endUserAnswer))}
		c := connect(t, down, "", func(cfg *Config) {
			cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		if _, err := c.FetchAccount(t.Context(), subSID); err != nil {
			t.Fatal(err)
		}
		var last *onboarding.RemoteError
		for i := range 3 * defaultFailures {
			_, err := c.CreateEndUser(t.Context(), subSID, anEndUser)
			last = wantClass(t, err, onboarding.ClassRepeatable)
			if sent, outage := i < defaultFailures, i >= defaultFailures-1; last.Held == sent || last.Outage != outage {
				t.Errorf("failure %d: %+v", i, last)
			}
		}
		if last.RetryAfter <= 0 || !errors.Is(last, errBreakerOpen) {
			t.Errorf("the last call: %+v", last)
		}
		if n := down.asked.Load(); n != defaultFailures {
			t.Errorf("the host got %d requests, want %d", n, defaultFailures)
		}
		if calls, wait := c.Room(subSID); calls != 0 || wait <= 0 {
			t.Errorf("Room is %d, %v", calls, wait)
		}
		if _, err := c.FetchAccount(t.Context(), subSID); err != nil {
			t.Errorf("the other host: %v", err)
		}

		down.repaired.Store(true)
		elapse(t, last.RetryAfter)
		if calls, _ := c.Room(subSID); calls != 1 {
			t.Errorf("Room is %d at the time of the probe, want 1", calls)
		}
		if _, err := c.CreateEndUser(t.Context(), subSID, anEndUser); err != nil {
			t.Errorf("the probe: %v", err)
		}
		if calls, wait := c.Room(subSID); calls != DefaultMaxConcurrentPerAccount || wait <= 0 {
			t.Errorf("after the probe Room is %d, %v", calls, wait)
		}
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "level=WARN") ||
			!strings.Contains(lines[0], "host=trusthub.twilio.com") ||
			!strings.Contains(lines[1], "level=INFO") {
			t.Errorf("the log is\n%s", &log)
		}
	})
}

func TestACallWithoutATokenNeedsTheOtherHostToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := &brokenHost{host: "api.twilio.com", working: answering(always(201, endUserAnswer))}
		c := connect(t, down, "")
		for range defaultFailures {
			c.FetchAccount(t.Context(), subSID)
		}
		_, err := c.CreateEndUser(t.Context(), subSID, anEndUser)
		if r := wantClass(t, err, onboarding.ClassRepeatable); !r.Held {
			t.Errorf("the call: %+v", r)
		}
		if calls, wait := c.Room(subSID); calls != 0 || wait <= 0 {
			t.Errorf("Room is %d, %v", calls, wait)
		}
		if calls, _ := c.Room(parentSID); calls == 0 {
			t.Error("Room is 0 for calls that need the working host only")
		}
	})
}

func TestRoomCountsTheFreePermits(t *testing.T) {
	t.Parallel()
	c := connect(t, answering(always(200, endUserAnswer)), "", func(cfg *Config) {
		cfg.MaxConcurrentPerAccount = 3
	})
	l := c.limiters.of(parentSID)
	for _, want := range []int{3, 2, 1, 1} { // With none free, one caller may wait in the queue.
		if calls, wait := c.Room(parentSID); calls != want || wait != recheck {
			t.Errorf("Room is %d, %v beside %d in flight; want %d, %v", calls, wait, l.inFlight, want, recheck)
		}
		if l.inFlight < 3 {
			acquireAll(t, l, 1, someTime)
		}
	}
	unlimited := connect(t, nil, "", func(cfg *Config) { cfg.MaxConcurrentPerAccount = -1 })
	if calls, wait := unlimited.Room(parentSID); calls < 1000 || wait != 0 {
		t.Errorf("Room is %d, %v without a limit", calls, wait)
	}
}
