package server_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/desk"
	"github.com/attestd/attestd/internal/onboarding/engine"
	"github.com/attestd/attestd/internal/onboarding/plan"
	"github.com/attestd/attestd/internal/store"
	"github.com/attestd/attestd/internal/trusthub"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// rig is a replica in this process, wired as serve does it but without HTTP. A test gets at its
// runs and the points that they reach, and its durations are short.
type rig struct {
	*world
	store   *store.Store
	service *desk.Service
	log     *syncBuffer
	run     atomic.Pointer[context.Context] // of the newest run
	ended   chan struct{}                   // has room for one: some run has ended
	trap    atomic.Pointer[trap]
}

// trap does something, once, when a run reaches the point of the step.
type trap struct {
	fate
	spring func(run context.Context)
}

// rigTiming lets a lookup believe soon that there is nothing, but later than a call arrives on a
// slow machine.
var rigTiming = engine.Timing{
	SendWindow: time.Second, Settle: 2 * time.Second,
	RetryMin: 50 * time.Millisecond, RetryMax: time.Second, PollMin: 200 * time.Millisecond, PollMax: 400 * time.Millisecond,
}

// rigOptions are what a test may want to differ. The zero values are the defaults of the program,
// and rigTiming.
type rigOptions struct {
	// callTimeout is how long the client waits for an answer of Twilio.
	callTimeout time.Duration
	timing      engine.Timing
}

// newRig starts a replica.
func newRig(t *testing.T, options rigOptions) *rig {
	t.Helper()
	if options.timing == (engine.Timing{}) {
		options.timing = rigTiming
	}
	r := &rig{world: newWorld(t, trusthubsim.Config{Latency: simLatency}), log: &syncBuffer{}, ended: make(chan struct{}, 1)}
	logger := slog.New(slog.NewTextHandler(r.log, nil))
	hub, err := trusthub.New(trusthub.Config{
		AccountSID: trusthubsim.DefaultAccountSID, AuthToken: trusthubsim.DefaultAuthToken,
		APIURL: r.twilioURL, TrustHubURL: r.twilioURL, Timeout: options.callTimeout, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(hub.Close)
	plan := plan.TrustHub(plan.Config{Now: time.Now,
		SecondaryProfilePolicySID: plan.DefaultSecondaryProfilePolicySID,
		ShakenStirPolicySID:       plan.DefaultShakenStirPolicySID,
		Gate:                      plan.GateAuto,
	})
	runner := &engine.Runner{
		Hub: hub, Plan: plan, Name: "rig", Timing: options.timing, Random: rand.Float64, Now: time.Now,
		Stopping: make(chan struct{}), Logger: logger, Reached: r.reached,
	}
	r.store, err = store.Open(t.Context(), store.Config{
		DatabaseURL: r.environ["DATABASE_URL"], Workers: 4, ReplicaName: "rig", Logger: logger,
		StaleAfter: 4 * time.Second, CallbackRetention: time.Hour,
		Advance: func(ctx context.Context, ledger onboarding.Ledger, id onboarding.ID) error {
			r.run.Store(&ctx)
			defer func() {
				select {
				case r.ended <- struct{}{}:
				default:
				}
			}()
			return runner.Advance(ctx, ledger, id)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.store.Close)
	r.service = &desk.Service{
		Repository: r.store, Plan: plan,
		NewID:    func() onboarding.ID { return onboarding.ID("onb_" + uuid.Must(uuid.NewV7()).String()) },
		NewToken: uuid.NewString,
		Now:      time.Now,
	}
	if err := r.start(t); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.store.StopNow(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return r
}

// start starts the replica. Like a process, it is started again if a busy Postgres is too slow.
func (r *rig) start(t *testing.T) (err error) {
	t.Helper()
	for range maxStarts {
		if err = r.store.Start(t.Context()); err == nil {
			break
		}
	}
	return err
}

// cutShort cancels the run as a stop does that has waited long enough, and then starts the replica
// again. It returns when the run is cancelled, and calls over when the replica runs again.
func (r *rig) cutShort(run context.Context, t *testing.T, over func()) {
	t.Helper()
	go func() { // The stop waits for the run, which may wait for us.
		defer over()
		if err := r.store.StopNow(t.Context()); err != nil {
			t.Error(err)
		}
		if err := r.start(t); err != nil {
			t.Error(err)
		}
	}()
	<-run.Done()
}

// reached is the hook of the runner.
func (r *rig) reached(point engine.Point, key onboarding.Key) {
	set := r.trap.Load()
	if set == nil || !matchesStep(string(key), set.step) {
		return
	}
	if point == set.point && r.trap.CompareAndSwap(set, nil) {
		set.spring(*r.run.Load())
	}
}

// interrupt posts an onboarding and calls spring when it reaches the point of the step. It checks
// that the onboarding is finished all the same: each SID is the one that was recorded before, there
// is one of everything, and nothing was made twice and deleted.
func (r *rig) interrupt(t *testing.T, point engine.Point, step string, spring func(t *testing.T, run context.Context)) {
	t.Helper()
	customer := r.subaccount(1)
	sprung := make(chan struct{})
	id := make(chan onboarding.ID, 1)
	var before map[string]string
	springOnce := func(run context.Context) {
		defer close(sprung)
		before = r.sids(t, <-id)
		spring(t, run)
	}
	if point == pointSent {
		sent := r.holdStep(beforeWork, step)
		go func() {
			select {
			case <-sent.arrived:
				springOnce(*r.run.Load())
				sent.letGo()
			case <-t.Context().Done():
			}
		}()
	} else {
		r.trap.Store(&trap{fate: fate{point, step}, spring: springOnce})
	}
	o, err := r.service.Create(t.Context(), "test", r.rigRequest(t, customer))
	if err != nil {
		t.Fatal(err)
	}
	id <- o.ID
	waitFor(t, sprung, "a run to reach the point")
	r.awaitApproved(t, o.ID)
	wantKept(t, before, r.sids(t, o.ID))
	wantEachOnce(t, r.held(customer), 2, 1)
	wantNothingDeleted(t, r.held(customer))
}

// awaitApproved looks at the onboarding after each run until it is approved.
func (r *rig) awaitApproved(t *testing.T, id onboarding.ID) {
	t.Helper()
	for deadline := time.After(patience); ; {
		// An error is possible while connections are cut.
		if o, err := r.service.Get(t.Context(), id); err == nil && o.Status() == onboarding.StatusApproved {
			return
		}
		select {
		case <-r.ended:
		case <-time.After(time.Second): // The look after the last run may have failed.
		case <-deadline:
			t.Fatalf("waited in vain for the onboarding to be approved\n%s", r.log)
		}
	}
}

// rigRequest is a request as the API passes it on.
func (r *rig) rigRequest(t *testing.T, customer subaccount) onboarding.Request {
	t.Helper()
	body, err := json.Marshal(customer.request(map[string]any{
		"authorized_representatives": []any{representative("first"), representative("second")},
		"primary_profile_sid":        trusthubsim.DefaultPrimaryProfileSID,
	}))
	if err != nil {
		t.Fatal(err)
	}
	var request onboarding.Request
	if err := json.Unmarshal(body, &request); err != nil {
		t.Fatal(err)
	}
	return request
}

// sids are the SIDs in the ledger.
func (r *rig) sids(t *testing.T, id onboarding.ID) map[string]string {
	t.Helper()
	o, err := r.service.Get(t.Context(), id)
	if err != nil {
		t.Error(err)
		return nil
	}
	all := make(map[string]string)
	for _, s := range o.Steps {
		if s.SID != "" {
			all[string(s.Key)] = s.SID
		}
	}
	return all
}
