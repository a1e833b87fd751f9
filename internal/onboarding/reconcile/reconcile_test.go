package reconcile_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/memledger"
	"github.com/attestd/attestd/internal/onboarding/reconcile"
)

// hand is a repository that somebody else may use right before the Reconciler does.
type hand struct {
	*memledger.Store
	// beforeInterrupt and beforeGet are called first, if set; beforeGet with the number of the
	// call, from 1.
	beforeInterrupt func()
	beforeGet       func(n int)
	gets, stops     int
}

func (h *hand) Interrupt(ctx context.Context, id onboarding.ID, decide func(*onboarding.Onboarding, time.Time) (onboarding.Change, error)) error {
	if h.beforeInterrupt != nil {
		h.beforeInterrupt()
	}
	return h.Update(ctx, id, func(o *onboarding.Onboarding, now time.Time) (onboarding.Change, error) {
		change, err := decide(o, now)
		if err == nil {
			h.stops++
		}
		return change, err
	})
}

func (h *hand) Get(ctx context.Context, id onboarding.ID) (*onboarding.Onboarding, error) {
	h.gets++
	if h.beforeGet != nil {
		h.beforeGet(h.gets)
	}
	return h.Store.Get(ctx, id)
}

// reconcileBundle is an onboarding of two steps, an object and its assignment, and a Twilio that
// holds the SIDs in held.
type reconcileBundle struct {
	t          *testing.T
	reconciler *reconcile.Reconciler
	store      *hand
	held       map[onboarding.Key][]string
	// failures are the errors of the next lookups of a step.
	failures map[onboarding.Key][]error
	lookups  map[onboarding.Key]int
	refuses  map[string]error // to remove
	removed  []string
}

const (
	reconciled  onboarding.ID  = "onb_01890a5d-ac96-774b-bcce-b302099a8057"
	objectKey   onboarding.Key = "object"
	assignedKey onboarding.Key = "bundle.object"
)

func reconcileSetup(t *testing.T, object, assigned onboarding.Step) *reconcileBundle {
	t.Helper()
	b := &reconcileBundle{
		t: t, store: &hand{Store: memledger.New()}, held: map[onboarding.Key][]string{}, failures: map[onboarding.Key][]error{},
		lookups: map[onboarding.Key]int{}, refuses: map[string]error{},
	}
	b.reconciler = &reconcile.Reconciler{Repository: b.store, Plan: onboarding.Plan{Nodes: b.nodes}, Concurrency: 1}
	object.Key, assigned.Key = objectKey, assignedKey
	o := &onboarding.Onboarding{ID: reconciled, SubaccountSID: "AC", CallbackToken: "token", Version: 1}
	if err := b.store.Create(t.Context(), o, onboarding.Event{Kind: "onboarding.created"}); err != nil {
		t.Fatal(err)
	}
	o.Steps = []onboarding.Step{object, assigned}
	if err := b.store.Record(t.Context(), onboarding.Change{ID: o.ID, Status: o.Status(), Steps: o.Steps}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *reconcileBundle) nodes(*onboarding.Onboarding) []onboarding.Node {
	node := func(key onboarding.Key, place func(o *onboarding.Onboarding) onboarding.Key, needs ...onboarding.Key) onboarding.Node {
		return onboarding.Node{Key: key, Role: onboarding.Role{Kind: onboarding.KindObject}, Needs: needs, Effect: func(o *onboarding.Onboarding) onboarding.Effect {
			at := place(o)
			return onboarding.Effect{
				Do: func(context.Context, onboarding.TrustHub) (onboarding.Outcome, error) {
					b.t.Errorf("%s was done", key)
					return onboarding.Done{}, nil
				},
				Find: func(context.Context, onboarding.TrustHub) ([]onboarding.Outcome, error) {
					b.lookups[key]++
					if failures := b.failures[key]; len(failures) > 0 {
						b.failures[key] = failures[1:]
						return nil, failures[0]
					}
					var found []onboarding.Outcome
					for _, sid := range b.held[at] {
						found = append(found, onboarding.Done{Seen: onboarding.Seen{SID: sid}})
					}
					return found, nil
				},
				Remove: func(_ context.Context, _ onboarding.TrustHub, sid string) error {
					if err := b.refuses[sid]; err != nil {
						return err
					}
					b.removed = append(b.removed, sid)
					b.held[at] = slices.DeleteFunc(b.held[at], func(s string) bool { return s == sid })
					return nil
				},
			}
		}}
	}
	return []onboarding.Node{
		node(objectKey, func(*onboarding.Onboarding) onboarding.Key { return objectKey }),
		// What is assigned is found under the object's SID.
		node(assignedKey, func(o *onboarding.Onboarding) onboarding.Key { return onboarding.Key(o.SID(objectKey)) }, objectKey),
	}
}

// set changes a step as a runner would.
func (b *reconcileBundle) set(step onboarding.Step) {
	b.t.Helper()
	err := b.store.Update(b.t.Context(), reconciled, func(*onboarding.Onboarding, time.Time) (onboarding.Change, error) {
		return onboarding.Change{ID: reconciled, Status: onboarding.StatusInProgress, Steps: []onboarding.Step{step}}, nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *reconcileBundle) verdicts(r reconcile.Report) map[string]reconcile.Verdict {
	verdicts := map[string]reconcile.Verdict{}
	for _, f := range r.Findings {
		sid := f.Remote.SID
		if sid == "" {
			sid = f.SID
		}
		verdicts[string(f.Step)+" "+sid] = f.Verdict
	}
	return verdicts
}

func (b *reconcileBundle) compare() map[string]reconcile.Verdict {
	b.t.Helper()
	report, err := b.reconciler.Compare(b.t.Context(), reconciled)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.verdicts(report)
}

func (b *reconcileBundle) fix() (after map[string]reconcile.Verdict, done []string) {
	b.t.Helper()
	_, report, actions, err := b.reconciler.Fix(b.t.Context(), reconciled)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, a := range actions {
		done = append(done, string(a.Kind)+" "+string(a.Step)+" "+a.SID)
	}
	return b.verdicts(report), done
}

func (b *reconcileBundle) sid(key onboarding.Key) string {
	b.t.Helper()
	o, err := b.store.Store.Get(b.t.Context(), reconciled)
	if err != nil {
		b.t.Fatal(err)
	}
	return o.SID(key)
}

var (
	pending = onboarding.Step{State: onboarding.StepPending}
	lost    = onboarding.Step{State: onboarding.StepSucceeded}
)

func made(sid string) onboarding.Step {
	return onboarding.Step{State: onboarding.StepSucceeded, SID: sid}
}

func TestOneComparisonShowsAllThatALedgerLacks(t *testing.T) {
	t.Parallel()
	b := reconcileSetup(t, lost, pending)
	b.held = map[onboarding.Key][]string{objectKey: {"IT1"}, "IT1": {"BV1"}}
	want := map[string]reconcile.Verdict{"object IT1": reconcile.VerdictUnrecorded, "bundle.object BV1": reconcile.VerdictUnrecorded}
	if diff := cmp.Diff(want, b.compare()); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	if _, done := b.fix(); !slices.Equal(done, []string{"adopted object IT1", "adopted bundle.object BV1"}) {
		t.Errorf("fix did %q", done)
	}
	if b.store.stops != 1 {
		t.Errorf("runners were interrupted %d times, want once for all", b.store.stops)
	}
}

func TestTheOldestIsAdoptedAndThenTheOthersGoWithWhatHangsOnThem(t *testing.T) {
	t.Parallel()
	b := reconcileSetup(t, lost, made("BV1"))
	b.held = map[onboarding.Key][]string{objectKey: {"IT1", "IT2", "IT3"}, "IT1": {"BV1"}, "IT2": {"BV2"}}
	after, done := b.fix()
	if want := []string{"adopted object IT1", "removed bundle.object BV2", "removed object IT3", "removed object IT2"}; !slices.Equal(done, want) {
		t.Errorf("fix did %q, want %q", done, want)
	}
	want := map[string]reconcile.Verdict{"object IT1": reconcile.VerdictSame, "bundle.object BV1": reconcile.VerdictSame}
	if diff := cmp.Diff(want, after); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
}

// What a runner began between the lookup and the lock is its own: the object that was found may be
// the one that its call made.
func TestAStepThatARunnerHasBegunMeanwhileIsNotAdopted(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]onboarding.Step{
		"running":         {Key: objectKey, State: onboarding.StepRunning, Attempts: 1, IntentAt: time.Now()},
		"done":            {Key: objectKey, State: onboarding.StepSucceeded, SID: "IT2", Attempts: 1},
		"begun and ended": {Key: objectKey, State: onboarding.StepPending, Attempts: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := reconcileSetup(t, pending, pending)
			b.held[objectKey] = []string{"IT1"}
			b.store.beforeInterrupt = func() {
				b.store.beforeInterrupt = nil
				b.set(step)
				b.held[objectKey] = nil // so that the next pass has nothing to adopt
			}
			if _, done := b.fix(); len(done) != 0 {
				t.Errorf("fix did %q", done)
			}
			if got := b.sid(objectKey); got != step.SID || b.store.stops != 0 {
				t.Errorf("the ledger has %q and runners were interrupted %d times, want %q and never", got, b.store.stops, step.SID)
			}
		})
	}
}

func TestAStepThatMovedDuringTheComparisonIsNotJudged(t *testing.T) {
	t.Parallel()
	b := reconcileSetup(t, pending, pending)
	b.held[objectKey] = []string{"IT1"}
	b.store.beforeGet = func(n int) {
		if n == 2 { // The second look at the ledger is after those at Twilio.
			b.set(onboarding.Step{Key: objectKey, State: onboarding.StepSucceeded, SID: "IT1", Attempts: 1})
		}
	}
	if got := b.compare()["object IT1"]; got != reconcile.VerdictUnknown {
		t.Errorf("verdict %q, want %q", got, reconcile.VerdictUnknown)
	}
}

func TestARunningStepIsNotEvenLookedUp(t *testing.T) {
	t.Parallel()
	b := reconcileSetup(t, onboarding.Step{State: onboarding.StepRunning, Attempts: 1}, pending)
	b.held[objectKey] = []string{"IT1"}
	after, done := b.fix()
	want := map[string]reconcile.Verdict{"object ": reconcile.VerdictUnknown, "bundle.object ": reconcile.VerdictNotBegun}
	if diff := cmp.Diff(want, after); diff != "" || len(done) != 0 || len(b.lookups) != 0 {
		t.Errorf("fix did %q and looked up %v; verdicts (-want +got):\n%s", done, b.lookups, diff)
	}
}

func TestNothingIsRemovedOnceTheRecordedOneIsGone(t *testing.T) {
	t.Parallel()
	b := reconcileSetup(t, made("IT1"), pending)
	b.held[objectKey] = []string{"IT1", "IT2"}
	b.store.beforeGet = func(n int) {
		if n == 4 { // Fix asks for the onboarding, its comparison before and after the lookups, and the removal right before it.
			b.held[objectKey] = []string{"IT2"}
		}
	}
	if _, done := b.fix(); !slices.Equal(done, []string{"kept object IT2"}) || len(b.removed) != 0 {
		t.Errorf("fix did %q and removed %q", done, b.removed)
	}
	b.store.beforeGet = nil
	if _, done := b.fix(); len(done) != 0 || len(b.removed) != 0 || b.sid(objectKey) != "IT1" {
		t.Errorf("fix did %q, removed %q, and the ledger has %q", done, b.removed, b.sid(objectKey))
	}
}

func TestWhatTwilioDoesNotLetGoIsKept(t *testing.T) {
	t.Parallel()
	b := reconcileSetup(t, made("IT1"), pending)
	b.held[objectKey] = []string{"IT1", "IT2"}
	b.refuses["IT2"] = &onboarding.RemoteError{Class: onboarding.ClassPermanent, HTTPStatus: 400, Code: 21644}
	after, done := b.fix()
	if after["object IT2"] != reconcile.VerdictSurplus || !slices.Equal(done, []string{"kept object IT2"}) {
		t.Errorf("fix did %q, verdicts %v", done, after)
	}
}

func TestALookupIsMadeAgainWhereThatHelps(t *testing.T) {
	t.Parallel()
	busy := &onboarding.RemoteError{Class: onboarding.ClassRepeatable, HTTPStatus: 429}
	gone := &onboarding.RemoteError{Class: onboarding.ClassPermanent, HTTPStatus: 404}
	refused := &onboarding.RemoteError{Class: onboarding.ClassCredentials, HTTPStatus: 401}
	far := &onboarding.RemoteError{Class: onboarding.ClassRepeatable, HTTPStatus: 503, RetryAfter: time.Hour}
	for name, tt := range map[string]struct {
		failures []error
		want     reconcile.Verdict
		lookups  int
	}{
		"busy once":              {[]error{busy}, reconcile.VerdictSame, 2},
		"not there":              {[]error{gone}, reconcile.VerdictMissing, 1},
		"credentials":            {[]error{refused}, reconcile.VerdictNotCompared, 1},
		"down for a long time":   {[]error{far}, reconcile.VerdictNotCompared, 1},
		"some other trouble":     {[]error{errors.New("trouble")}, reconcile.VerdictNotCompared, 1},
		"no answer to a reading": {[]error{&onboarding.RemoteError{Class: onboarding.ClassUnknown}}, reconcile.VerdictSame, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := reconcileSetup(t, made("IT1"), made("BV1"))
			b.held = map[onboarding.Key][]string{objectKey: {"IT1"}, "IT1": {"BV1"}}
			b.failures[objectKey] = tt.failures
			got := b.compare()
			if got["object IT1"] != tt.want || b.lookups[objectKey] != tt.lookups {
				t.Errorf("verdict %q after %d lookups, want %q after %d", got["object IT1"], b.lookups[objectKey], tt.want, tt.lookups)
			}
			if got["bundle.object BV1"] != reconcile.VerdictSame {
				t.Errorf("the other step: %q", got["bundle.object BV1"])
			}
		})
	}
}
