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

// troubles are the ends of a request that stop other calls, and why those are not sent.
var troubles = map[string]struct {
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
}

func TestACallThatCannotBeSentDoesNotWaitInTheQueue(t *testing.T) {
	t.Parallel()
	for name, c := range troubles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				gate, sent := make(chan struct{}), 0
				client := connect(t, roundTripper(func(*http.Request) (*http.Response, error) {
					if sent++; sent == 1 { // This one is stuck with the account's only permit.
						<-gate
					}
					return c.end()
				}), "", func(cfg *Config) { cfg.MaxConcurrentPerAccount, cfg.CircuitFailures = 2, 1 })
				var stuck sync.WaitGroup
				stuck.Go(func() { client.CreateEndUser(t.Context(), parentSID, anEndUser) })
				synctest.Wait()
				client.CreateEndUser(t.Context(), parentSID, anEndUser)
				client.limiters.of(parentSID).limit = 1 // As it is after a 429.

				begun := time.Now()
				_, err := client.CreateEndUser(t.Context(), parentSID, anEndUser)
				if r := wantClass(t, err, onboarding.ClassRepeatable); !r.NotSent || !errors.Is(err, c.reason) {
					t.Errorf("the call: %+v", r)
				}
				if waited := time.Since(begun); waited != 0 {
					t.Errorf("the call waited %v", waited)
				}
				close(gate)
				stuck.Wait()
			})
		})
	}
}

// A call can wait for its permit while the account gets a 429, or while the breaker opens.
func TestCallsInTheQueueAreCheckedBeforeTheyAreSent(t *testing.T) {
	t.Parallel()
	for name, c := range troubles {
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
						if r.NotSent != (i > 0) || errors.Is(err, c.reason) != (i > 0) {
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
			sent, outage := i < defaultFailures, i >= defaultFailures-1
			if last.NotSent == sent || last.Outage != outage || last.RetryAfter > 0 != outage {
				t.Errorf("failure %d: %+v", i, last)
			}
		}
		if !errors.Is(last, errBreakerOpen) {
			t.Errorf("the last call: %+v", last)
		}
		if n := down.asked.Load(); n != defaultFailures {
			t.Errorf("the host got %d requests, want %d", n, defaultFailures)
		}
		if calls, wait := c.Capacity(subSID); calls != 0 || wait <= 0 {
			t.Errorf("Capacity is %d, %v", calls, wait)
		}
		if _, err := c.FetchAccount(t.Context(), subSID); err != nil {
			t.Errorf("the other host: %v", err)
		}

		down.repaired.Store(true)
		elapse(t, last.RetryAfter)
		if calls, _ := c.Capacity(subSID); calls != 1 {
			t.Errorf("Capacity is %d at the time of the probe, want 1", calls)
		}
		if _, err := c.CreateEndUser(t.Context(), subSID, anEndUser); err != nil {
			t.Errorf("the probe: %v", err)
		}
		if calls, wait := c.Capacity(subSID); calls != DefaultMaxConcurrentPerAccount || wait <= 0 {
			t.Errorf("after the probe Capacity is %d, %v", calls, wait)
		}
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "level=WARN") ||
			!strings.Contains(lines[0], "host=trusthub.twilio.com") ||
			!strings.Contains(lines[1], "level=INFO") {
			t.Errorf("the log is\n%s", &log)
		}
	})
}

// The parent's calls about one subaccount are the subaccount's trouble.
func TestTheTroubleOfASubaccountIsNotTheParents(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(*Client) error{
		"its account": func(c *Client) error { _, err := c.FetchAccount(t.Context(), otherAccount); return err },
		"its name": func(c *Client) error {
			_, err := c.RenameSubaccount(t.Context(), otherAccount, "x")
			return err
		},
		"its numbers": func(c *Client) error { _, err := c.ListPhoneNumbers(t.Context(), otherAccount); return err },
		"a number of its": func(c *Client) error {
			_, err := c.FindPhoneNumbers(t.Context(), otherAccount, []string{numberSID})
			return err
		},
	} {
		c := connect(t, answering(always(500, "")), "")
		for range 2 * defaultFailures {
			if err := call(c); err == nil {
				t.Fatalf("%s: no error", name)
			}
		}
		if c.breakers[0].open {
			t.Errorf("%s: its failures opened the breaker", name)
		}
	}
}

func TestTheBreakerStaysOpenAsLongAsAnAnswerAsks(t *testing.T) {
	t.Parallel()
	c := connect(t, roundTripper(func(*http.Request) (*http.Response, error) {
		response := httptest.NewRecorder()
		response.Header().Set("Retry-After", "60")
		answer(response, 503, "")
		return response.Result(), nil
	}), "", func(cfg *Config) { cfg.Now = func() time.Time { return someTime } })
	for range defaultFailures {
		c.CreateEndUser(t.Context(), parentSID, anEndUser)
	}
	if calls, wait := c.Capacity(parentSID); calls != 0 || wait < time.Minute {
		t.Errorf("Capacity is %d, %v, where Twilio asks for a minute", calls, wait)
	}
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
		if r := wantClass(t, err, onboarding.ClassRepeatable); !r.NotSent {
			t.Errorf("the call: %+v", r)
		}
		if calls, wait := c.Capacity(subSID); calls != 0 || wait <= 0 {
			t.Errorf("Capacity is %d, %v", calls, wait)
		}
		if calls, _ := c.Capacity(parentSID); calls == 0 {
			t.Error("Capacity is 0 for calls that need the working host only")
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
		if calls, wait := c.Capacity(parentSID); calls != want || wait != recheck {
			t.Errorf("Capacity is %d, %v beside %d in flight; want %d, %v", calls, wait, l.inFlight, want, recheck)
		}
		if l.inFlight < 3 {
			acquireAll(t, l, 1, someTime)
		}
	}
	unlimited := connect(t, nil, "", func(cfg *Config) { cfg.MaxConcurrentPerAccount = -1 })
	if calls, wait := unlimited.Capacity(parentSID); calls < 1000 || wait != 0 {
		t.Errorf("Capacity is %d, %v without a limit", calls, wait)
	}
}
