package trusthub_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthub"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// crowd is a simulator with many subaccounts, and a client of it without sockets: for virtual time.
type crowd struct {
	sim      *trusthubsim.Simulator
	hub      *trusthub.Client
	accounts []string
}

func newCrowd(t *testing.T, accounts int, cfg trusthubsim.Config) *crowd {
	t.Helper()
	c := &crowd{sim: trusthubsim.New(cfg)}
	t.Cleanup(c.sim.Close)
	for range accounts {
		c.accounts = append(c.accounts,
			post(t, c.sim, "Accounts.json", url.Values{"FriendlyName": {"Example Plumbing LLC"}}))
	}
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	var err error
	c.hub, err = trusthub.New(trusthub.Config{
		AccountSID: trusthubsim.DefaultAccountSID, AuthToken: trusthubsim.DefaultAuthToken,
		Transport: c.sim.Transport(),
		Random:    func() float64 { mu.Lock(); defer mu.Unlock(); return random.Float64() },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, account := range c.accounts { // From here on their tokens are known.
		if _, err := c.hub.FetchAccount(t.Context(), account); err != nil {
			t.Fatal(err)
		}
	}
	c.sim.ResetRequests()
	return c
}

func (c *crowd) createUser(ctx context.Context, account string) error {
	_, err := c.hub.CreateEndUser(ctx, account, representative)
	return err
}

// insist repeats a call until it succeeds: when the failure says, or after a second.
func insist(ctx context.Context, call func() error) error {
	for {
		err := call()
		var remote *onboarding.RemoteError
		if err == nil || !errors.As(err, &remote) {
			return err
		}
		wait := remote.RetryAfter
		if wait == 0 {
			wait = time.Second
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// elapse lets virtual time pass.
func elapse(d time.Duration) { <-time.After(d) }

const (
	outageCallers = 1000
	outageTime    = 10 * time.Minute
	callersApart  = 5 * time.Millisecond
	// tooLong is a delay for which the client does not wait.
	tooLong = trusthubsim.Duration(trusthub.DefaultTimeout + 5*time.Second)
)

// TestAnOutageIsNotHammeredAndItsEndIsFound lets a thousand callers, each of its own account,
// insist on their calls through an outage. Twilio gets the requests that were in flight at its
// beginning, and then one probe after another. At its end all callers get through within minutes,
// spread out.
func TestAnOutageIsNotHammeredAndItsEndIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault trusthubsim.Fault
		// inFlight is how long callers come before the first failures open the breaker.
		inFlight time.Duration
	}{
		"unavailable": {trusthubsim.Fault{Effect: trusthubsim.EffectStatus, Status: 503}, 250 * time.Millisecond},
		"dropped":     {trusthubsim.Fault{Effect: trusthubsim.EffectDropBefore}, 250 * time.Millisecond},
		"no answer": {
			trusthubsim.Fault{Effect: trusthubsim.EffectDelay, Delay: tooLong},
			trusthub.DefaultTimeout + time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				crowd := newCrowd(t, outageCallers, trusthubsim.Config{Latency: 20 * time.Millisecond})
				c.fault.Path = "/v1/**"
				fault(t, crowd.sim, c.fault)
				begun := time.Now()
				through := make([]time.Duration, outageCallers)
				var all sync.WaitGroup
				for i, account := range crowd.accounts {
					all.Go(func() {
						elapse(time.Duration(i) * callersApart)
						call := func() error { return crowd.createUser(t.Context(), account) }
						if err := insist(t.Context(), call); err != nil {
							t.Error(err)
						}
						through[i] = time.Since(begun)
					})
				}
				elapse(outageTime)
				crowd.sim.ClearFaults()
				during := crowd.sim.Requests()
				all.Wait()
				checkDuring(t, during, begun, int(min(outageCallers, c.inFlight/callersApart)))
				checkAfterwards(t, through)
			})
		})
	}
}

// checkDuring checks the requests of the outage. A probe comes after 1 s, 2 s, 4 s and so on, and
// then every 30 s, or 45 s if each has to time out.
func checkDuring(t *testing.T, during []trusthubsim.Request, begun time.Time, inFlight int) {
	t.Helper()
	probes := int(outageTime/(22*time.Second)) + 6
	if n := len(during); n > inFlight+probes || n < 20 {
		t.Errorf("%d requests, want up to %d in flight and %d probes", n, inFlight, probes)
	}
	var late []time.Duration
	for _, r := range during {
		if at := r.StartedAt.Sub(begun); at > time.Minute {
			late = append(late, at.Round(time.Second))
		}
	}
	if len(late) > probes || len(late) < 8 {
		t.Errorf("after the first minute %d requests: %v", len(late), late)
	}
	t.Logf("%d requests during the outage, %d of them after the first minute", len(during), len(late))
}

// checkAfterwards checks when the callers got through, since the beginning of the outage.
func checkAfterwards(t *testing.T, through []time.Duration) {
	t.Helper()
	slices.Sort(through)
	first, middle, last := through[0]-outageTime, through[len(through)/2]-outageTime, through[len(through)-1]-outageTime
	if first < 0 || last > 2*time.Minute {
		t.Errorf("they got through from %v to %v after the end of the outage", first, last)
	}
	perSecond := make(map[time.Duration]int)
	for _, d := range through {
		perSecond[d/time.Second]++
	}
	for second, n := range perSecond {
		if n > len(through)/5 {
			t.Errorf("%d of %d got through in second %d", n, len(through), second)
		}
	}
	t.Logf("after its end the first got through in %v, the middle one in %v, the last in %v", first, middle, last)
}

func TestTheTroubleOfOneAccountIsItsOwn(t *testing.T) {
	t.Parallel()
	const latency = 20 * time.Millisecond
	for name, f := range map[string]trusthubsim.Fault{
		"too many requests": {Effect: trusthubsim.EffectStatus, Status: 429,
			Headers: map[string]string{"Retry-After": "60"}},
		"suspended": {Effect: trusthubsim.EffectStatus, Status: 401,
			Body: `{"code": 20005, "message": "Account not active", "status": 401}`},
		"wrong credentials": {Effect: trusthubsim.EffectStatus, Status: 401},
		"server errors":     {Effect: trusthubsim.EffectStatus, Status: 500},
		"no answer":         {Effect: trusthubsim.EffectDelay, Delay: tooLong},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				crowd := newCrowd(t, 2, trusthubsim.Config{Latency: latency})
				troubled, other := crowd.accounts[0], crowd.accounts[1]
				f.Account, f.Path = troubled, "/v1/**"
				fault(t, crowd.sim, f)
				ctx, stop := context.WithCancel(t.Context())
				var all sync.WaitGroup
				for range 30 { // more than have a permit
					all.Go(func() {
						insist(ctx, func() error { return crowd.createUser(ctx, troubled) })
					})
				}
				for i := range 40 {
					elapse(time.Second)
					begun := time.Now()
					if err := crowd.createUser(t.Context(), other); err != nil {
						t.Errorf("call %d of the other account: %v", i, err)
					}
					if took := time.Since(begun); took != latency {
						t.Errorf("call %d of the other account took %v", i, took)
					}
				}
				stop()
				all.Wait()
				elapse(time.Minute) // The simulator finishes requests that were given up.
			})
		})
	}
}

// TestAnAccountFindsTheLimitThatTwilioDoesNotPublish has a Twilio that allows five requests at a
// time, where the client begins with twenty.
func TestAnAccountFindsTheLimitThatTwilioDoesNotPublish(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const (
			calls   = 500
			latency = 100 * time.Millisecond
			limit   = 5
		)
		crowd := newCrowd(t, 1, trusthubsim.Config{Latency: latency, MaxConcurrent: limit})
		begun := time.Now()
		queue := make(chan struct{}, calls)
		for range calls {
			queue <- struct{}{}
		}
		close(queue)
		var all sync.WaitGroup
		for range 10 { // as many as an onboarding has in flight
			all.Go(func() {
				for range queue {
					call := func() error { return crowd.createUser(t.Context(), crowd.accounts[0]) }
					if err := insist(t.Context(), call); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		throttled := 0
		for _, r := range crowd.sim.Requests() {
			if r.Status == http.StatusTooManyRequests {
				throttled++
			}
		}
		took := time.Since(begun)
		t.Logf("%d calls took %v, with %d 429s", calls, took, throttled)
		if throttled == 0 || throttled > calls/20 {
			t.Errorf("%d of %d calls got a 429", throttled, calls)
		}
		if ideal := calls / limit * latency; took > 5*ideal {
			t.Errorf("%d calls took %v, where %v would be the best", calls, took, ideal)
		}
	})
}
