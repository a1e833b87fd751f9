package trusthub_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthub"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// town is a simulator with subaccounts, and a client of it, without sockets: for virtual time.
type town struct {
	sim      *trusthubsim.Simulator
	hub      *trusthub.Client
	accounts []string
}

func newTown(t *testing.T, accounts int, cfg trusthubsim.Config, edit ...func(*trusthub.Config)) *town {
	t.Helper()
	sim := trusthubsim.New(cfg)
	t.Cleanup(sim.Close)
	b := &town{sim: sim}
	for range accounts {
		form := url.Values{"FriendlyName": {"Example Plumbing LLC"}}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.twilio.com/2010-04-01/Accounts.json", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(trusthubsim.DefaultAccountSID, trusthubsim.DefaultAuthToken)
		response, err := sim.Transport().RoundTrip(r)
		if err != nil || response.StatusCode > 299 {
			t.Fatalf("making a subaccount: %v, %v", response, err)
		}
		response.Body.Close()
	}
	for _, r := range sim.Requests() {
		b.accounts = append(b.accounts, r.SID)
	}
	sim.ResetRequests()
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	config := trusthub.Config{
		AccountSID: trusthubsim.DefaultAccountSID, AuthToken: trusthubsim.DefaultAuthToken, Transport: sim.Transport(),
		Random: func() float64 { mu.Lock(); defer mu.Unlock(); return random.Float64() },
	}
	for _, e := range edit {
		e(&config)
	}
	var err error
	if b.hub, err = trusthub.New(config); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *town) fault(t *testing.T, f trusthubsim.Fault) {
	t.Helper()
	if _, err := b.sim.AddFault(f); err != nil {
		t.Fatal(err)
	}
}

// insist makes a call again and again until it succeeds, coming back when it is told to, or after a second.
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

func elapse(d time.Duration) { <-time.After(d) }

func (b *town) createUser(ctx context.Context, account string) error {
	_, err := b.hub.CreateEndUser(ctx, account, onboarding.EndUser{
		FriendlyName: "tag", Type: "authorized_representative_1", Attributes: representative.Attributes(),
	})
	return err
}

// TestAnOutageIsNotHammeredAndItsEndIsFound lets a thousand callers, each of an account of its own, insist on their calls through an
// outage of ten minutes. What reaches Twilio meanwhile is what was under way when it began and one trial after another; when it ends
// they all get through within minutes, spread and not at once.
func TestAnOutageIsNotHammeredAndItsEndIsFound(t *testing.T) {
	t.Parallel()
	const (
		callers = 1000
		outage  = 10 * time.Minute
	)
	for name, f := range map[string]trusthubsim.Fault{
		"unavailable": {Effect: trusthubsim.EffectStatus, Status: 503},
		"broken off":  {Effect: trusthubsim.EffectDropBefore},
		"no answer":   {Effect: trusthubsim.EffectDelay, Delay: trusthubsim.Duration(20 * time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newTown(t, callers, trusthubsim.Config{Latency: 20 * time.Millisecond})
				for _, account := range b.accounts { // their tokens are known
					if _, err := b.hub.FetchAccount(t.Context(), account); err != nil {
						t.Fatal(err)
					}
				}
				b.sim.ResetRequests()
				f.Path = "/v1/**"
				b.fault(t, f)
				begun := time.Now()
				done := make([]time.Duration, callers)
				var all sync.WaitGroup
				for i, account := range b.accounts {
					all.Go(func() {
						elapse(time.Duration(i) * 5 * time.Millisecond) // five seconds' worth of onboardings
						if err := insist(t.Context(), func() error { return b.createUser(t.Context(), account) }); err != nil {
							t.Error(err)
						}
						done[i] = time.Since(begun)
					})
				}
				elapse(outage)
				b.sim.ClearFaults()
				during := b.sim.Requests()
				all.Wait()

				// All that had left before ten had failed, and then one try after 1, 2, 4, … and every 30 s, or 45 s where each takes its 15 s.
				underWay := int(min(callers, (trusthub.DefaultTimeout+time.Second)/(5*time.Millisecond)))
				if f.Effect != trusthubsim.EffectDelay {
					underWay = 50
				}
				trials := int(outage/(22*time.Second)) + 6
				if n := len(during); n > underWay+trials || n < 20 {
					t.Errorf("%d requests reached Twilio during the outage, want up to %d under way and %d trials", n, underWay, trials)
				}
				var late []string
				for _, r := range during {
					if at := r.StartedAt.Sub(begun); at > time.Minute {
						late = append(late, at.Round(time.Second).String())
					}
				}
				if len(late) > trials {
					t.Errorf("after the first minute %d requests: %v", len(late), late)
				}
				slices.Sort(done)
				last := done[callers-1] - outage
				if done[0] < outage || last > 2*time.Minute {
					t.Errorf("they got through from %v to %v after the end of the outage", done[0]-outage, last)
				}
				t.Logf("%d requests during the outage, %d of them after the first minute; after its end the first got through in %v, the middle one in %v, the last in %v",
					len(during), len(late), (done[0] - outage).Round(time.Millisecond), (done[callers/2] - outage).Round(time.Millisecond), last.Round(time.Millisecond))
				perSecond := make(map[time.Duration]int)
				for _, d := range done {
					perSecond[d/time.Second]++
				}
				for second, n := range perSecond {
					if n > callers/5 {
						t.Errorf("%d of %d came back in second %d", n, callers, second)
					}
				}
			})
		})
	}
}

// TestOneAccountsTroubleIsItsOwn gives one account each kind of trouble, and sees another's calls go as if nothing were the matter.
func TestOneAccountsTroubleIsItsOwn(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]trusthubsim.Fault{
		"too many requests": {Effect: trusthubsim.EffectStatus, Status: 429, Headers: map[string]string{"Retry-After": "60"}},
		"suspended":         {Effect: trusthubsim.EffectStatus, Status: 401, Body: `{"code": 20005, "message": "Account not active", "status": 401}`},
		"wrong credentials": {Effect: trusthubsim.EffectStatus, Status: 401},
		"server errors":     {Effect: trusthubsim.EffectStatus, Status: 500},
		"no answer":         {Effect: trusthubsim.EffectDelay, Delay: trusthubsim.Duration(20 * time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newTown(t, 2, trusthubsim.Config{Latency: 20 * time.Millisecond})
				troubled, other := b.accounts[0], b.accounts[1]
				f.Account, f.Path = troubled, "/v1/**"
				b.fault(t, f)
				ctx, stop := context.WithCancel(t.Context())
				var all sync.WaitGroup
				for range 30 {
					all.Go(func() { insist(ctx, func() error { return b.createUser(ctx, troubled) }) })
				}
				for i := range 100 {
					elapse(time.Second)
					begun := time.Now()
					if err := b.createUser(t.Context(), other); err != nil {
						t.Errorf("call %d of the other account: %v", i, err)
					}
					if took := time.Since(begun); i > 0 && took != 20*time.Millisecond {
						t.Errorf("call %d of the other account took %v", i, took)
					}
				}
				stop()
				all.Wait()
				elapse(time.Minute) // The simulator goes on with requests that were given up.
			})
		})
	}
}

// TestAnAccountFindsTheLimitThatTwilioKeepsSecret has Twilio take five requests at a time where the client begins with twenty.
func TestAnAccountFindsTheLimitThatTwilioKeepsSecret(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const calls = 500
		b := newTown(t, 1, trusthubsim.Config{Latency: 100 * time.Millisecond, MaxConcurrent: 5})
		if _, err := b.hub.FetchAccount(t.Context(), b.accounts[0]); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		queue := make(chan struct{}, calls)
		for range calls {
			queue <- struct{}{}
		}
		close(queue)
		var all sync.WaitGroup
		for range 10 { // as many as an onboarding has under way
			all.Go(func() {
				for range queue {
					if err := insist(t.Context(), func() error { return b.createUser(t.Context(), b.accounts[0]) }); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		refused := 0
		for _, r := range b.sim.Requests() {
			if r.Status == http.StatusTooManyRequests {
				refused++
			}
		}
		took := time.Since(begun)
		t.Logf("%d calls took %v, with %d refusals", calls, took, refused)
		if refused == 0 || refused > calls/20 {
			t.Errorf("%d of %d calls were refused", refused, calls)
		}
		if ideal := calls / 5 * 100 * time.Millisecond; took > 5*ideal {
			t.Errorf("%d calls took %v, where %v would be the best", calls, took, ideal)
		}
	})
}
