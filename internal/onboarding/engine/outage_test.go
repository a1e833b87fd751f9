package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/desk"
	"github.com/attestd/attestd/internal/onboarding/engine"
	"github.com/attestd/attestd/internal/onboarding/memledger"
	"github.com/attestd/attestd/internal/onboarding/plan"
	"github.com/attestd/attestd/internal/trusthub"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// town is a replica with a simulator, a ledger in memory that counts, and many onboardings.
type town struct {
	sim    *trusthubsim.Simulator
	store  *memledger.Store
	runner *engine.Runner
	ids    []onboarding.ID

	claims, records, busy atomic.Int64
}

// counting is a ledger that counts what it is asked.
type counting struct {
	*memledger.Job
	town *town
}

func (c counting) Claim(ctx context.Context, id onboarding.ID) (*onboarding.Onboarding, error) {
	c.town.claims.Add(1)
	return c.Job.Claim(ctx, id)
}

func (c counting) Record(ctx context.Context, change onboarding.Change) error {
	c.town.records.Add(1)
	return c.Job.Record(ctx, change)
}

func newTown(t *testing.T, onboardings int) *town {
	t.Helper()
	w := &town{sim: trusthubsim.New(trusthubsim.Config{Latency: 100 * time.Millisecond}), store: memledger.New()}
	t.Cleanup(w.sim.Close)
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	seeded := func() float64 { mu.Lock(); defer mu.Unlock(); return random.Float64() }
	hub, err := trusthub.New(trusthub.Config{
		AccountSID: trusthubsim.DefaultAccountSID, AuthToken: trusthubsim.DefaultAuthToken, Transport: w.sim.Transport(), Random: seeded,
	})
	if err != nil {
		t.Fatal(err)
	}
	trustHub := plan.TrustHub(plan.Config{
		Now: time.Now,
	})
	w.runner = &engine.Runner{
		Hub: hub, Plan: trustHub, Name: "r1", Now: time.Now, Random: seeded, Logger: slog.New(slog.DiscardHandler),
		Timing: engine.Timing{PollMin: 10 * time.Second, PollMax: time.Minute},
	}
	service := &desk.Service{
		Repository: w.store, Plan: trustHub, Now: time.Now,
		NewID:    func() onboarding.ID { return onboarding.ID(fmt.Sprintf("onb_%036d", len(w.ids)+1)) },
		NewToken: func() string { return fmt.Sprintf("token%d", len(w.ids)+1) },
	}
	for range onboardings {
		account := w.post(t, "/2010-04-01/Accounts.json", url.Values{"FriendlyName": {"Example Plumbing LLC"}})
		number := fmt.Sprintf("+1500555%04d", len(w.ids))
		w.post(t, "/2010-04-01/Accounts/"+account+"/IncomingPhoneNumbers.json", url.Values{"PhoneNumber": {number}})
		o, err := service.Create(t.Context(), "test", onboarding.Request{
			SubaccountSID: account, PrimaryProfileSID: trusthubsim.DefaultPrimaryProfileSID, NotificationEmail: "trust@example.com",
			Business: onboarding.Business{
				Name: "Example Plumbing LLC", Identity: "direct_customer", Type: "Limited Liability Corporation", Industry: "CONSTRUCTION",
				RegistrationIdentifier: "EIN", RegistrationNumber: "123456789", RegionsOfOperation: "USA_AND_CANADA", WebsiteURL: "https://example.com",
			},
			Address: onboarding.Address{
				CustomerName: "Example Plumbing LLC", Street: "1 Main St", City: "Springfield", Region: "IL", PostalCode: "62701", ISOCountry: "US",
			},
			AuthorizedRepresentatives: []onboarding.Representative{{
				FirstName: "Example", LastName: "Representative", Email: "one@example.com", PhoneNumber: "+15005550101",
				BusinessTitle: "Owner", JobPosition: "CEO",
			}},
			PhoneNumbers: []string{number},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.ids = append(w.ids, o.ID)
	}
	w.sim.ResetRequests()
	return w
}

// post makes what a test needs at the simulator and returns its SID.
func (w *town) post(t *testing.T, path string, form url.Values) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.twilio.com"+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(trusthubsim.DefaultAccountSID, trusthubsim.DefaultAuthToken)
	response, err := w.sim.Transport().RoundTrip(r)
	if err != nil || response.StatusCode > 299 {
		t.Fatalf("POST %s: %v, %v", path, response, err)
	}
	response.Body.Close()
	requests := w.sim.Requests()
	return requests[len(requests)-1].SID
}

// work has that many workers take jobs until ctx ends.
func (w *town) work(ctx context.Context, t *testing.T, workers int) (wait func()) {
	t.Helper()
	var all sync.WaitGroup
	jobs := make(chan *memledger.Job)
	all.Go(func() {
		defer close(jobs)
		for ctx.Err() == nil {
			if job := w.store.Fetch(); job != nil {
				jobs <- job
				continue
			}
			idle := time.Hour
			if due, ok := w.store.NextDue(); ok {
				idle = time.Until(due)
			}
			select {
			case <-time.After(idle):
			case <-w.store.Changed():
			case <-ctx.Done():
			}
		}
	})
	for range workers {
		all.Go(func() {
			for job := range jobs {
				w.busy.Add(1)
				err := w.runner.Advance(ctx, counting{job, w}, job.ID)
				w.busy.Add(-1)
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}
		})
	}
	return all.Wait
}

// attempts is how many attempts the steps of all onboardings have made together.
func (w *town) attempts(t *testing.T) (n int) {
	t.Helper()
	w.each(t, func(o *onboarding.Onboarding) {
		for _, s := range o.Steps {
			n += s.Attempts
		}
	})
	return n
}

func (w *town) approved(t *testing.T) (n int) {
	t.Helper()
	w.each(t, func(o *onboarding.Onboarding) {
		if o.Status() == onboarding.StatusApproved {
			n++
		}
	})
	return n
}

func (w *town) each(t *testing.T, do func(*onboarding.Onboarding)) {
	t.Helper()
	for _, id := range w.ids {
		o, err := w.store.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		w.runner.Plan.Arrange(o)
		do(o)
	}
}

// events is how long the histories of all onboardings are together.
func (w *town) events(t *testing.T) (n int) {
	t.Helper()
	for _, id := range w.ids {
		events, err := w.store.Events(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		n += len(events)
	}
	return n
}

// outages are the ways in which Twilio is away for a while: from before the first call, or in the
// middle of everything.
var outages = map[string]struct {
	begins time.Duration
	fault  trusthubsim.Fault
}{
	"from the start":        {0, trusthubsim.Fault{Effect: trusthubsim.EffectStatus, Status: 503}},
	"in the middle":         {time.Second, trusthubsim.Fault{Effect: trusthubsim.EffectStatus, Status: 503}},
	"in the middle, silent": {time.Second, trusthubsim.Fault{Effect: trusthubsim.EffectDropAfter}},
	"Trust Hub only":        {time.Second, trusthubsim.Fault{Effect: trusthubsim.EffectStatus, Status: 503, Path: "/v1/**"}},
	"the other API only":    {0, trusthubsim.Fault{Effect: trusthubsim.EffectStatus, Status: 503, Path: "/2010-04-01/**"}},
}

const (
	townSize    = 50
	townWorkers = 16
	noticing    = 5 * time.Minute // the outage is noticed meanwhile
	watched     = 15 * time.Minute
)

// The onboardings that wait for the end of an outage hold no worker, write next to nothing, do not
// wear out their steps' patience, and are done soon afterwards.
func TestAnOutageCostsRowsAndNotGoroutines(t *testing.T) {
	t.Parallel()
	for name, outage := range outages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newTown(t, townSize)
				ctx, stop := context.WithCancel(t.Context())
				begin := time.AfterFunc(outage.begins, func() {
					if _, err := w.sim.AddFault(outage.fault); err != nil {
						t.Error(err)
					}
				})
				defer begin.Stop()
				synctest.Wait()
				wait := w.work(ctx, t, townWorkers)
				<-time.After(noticing)
				w.wantLittleDone(t)
				w.sim.ClearFaults()
				w.wantApprovedSoon(t)
				stop()
				wait()
			})
		})
	}
}

// wantLittleDone watches the town wait.
func (w *town) wantLittleDone(t *testing.T) {
	t.Helper()
	w.claims.Store(0)
	w.records.Store(0)
	w.sim.ResetRequests()
	attempts, events := w.attempts(t), w.events(t)
	busy := 0
	for range watched / time.Second {
		<-time.After(time.Second)
		busy += int(w.busy.Load())
	}
	perMinute := func(n int64) float64 { return float64(n) / townSize / watched.Minutes() }
	claims, records := perMinute(w.claims.Load()), perMinute(w.records.Load())
	attempts, events = w.attempts(t)-attempts, w.events(t)-events
	requests, working := len(w.sim.Requests()), float64(busy)/watched.Seconds()
	t.Logf("per onboarding and minute: %.2f claims with their releases, %.2f other writes; in all %d attempts, %d events, %d requests; %.2f of %d workers busy",
		claims, records, attempts, events, requests, working, townWorkers)
	if claims > 3 {
		t.Errorf("%.2f claims per onboarding and minute", claims)
	}
	if records > 0.1 {
		t.Errorf("%.2f writes per onboarding and minute beside the claims and releases", records)
	}
	if attempts > requests || events > requests {
		t.Errorf("%d attempts and %d events, with %d requests made", attempts, events, requests)
	}
	if working > 1 {
		t.Errorf("%.2f workers are busy with waiting", working)
	}
}

// wantApprovedSoon waits, in virtual time, until all are done.
func (w *town) wantApprovedSoon(t *testing.T) {
	t.Helper()
	ended := time.Now()
	for w.approved(t) < townSize && time.Since(ended) < time.Hour {
		<-time.After(time.Second)
	}
	took := time.Since(ended)
	t.Logf("all were approved %v after the end", took)
	if took > 3*time.Minute {
		t.Errorf("%d of %d were approved %v after the end of the outage", w.approved(t), townSize, took)
	}
}
