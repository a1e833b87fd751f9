package server_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/server"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// With these set the test binary is the program, and dies by SIGKILL when it reaches the point of the step.
const (
	envProgram = "ATTESTD_TEST_PROGRAM"
	envPoint   = "ATTESTD_TEST_DIE_AT"
	envStep    = "ATTESTD_TEST_DIE_STEP"
)

func TestMain(m *testing.M) {
	if os.Getenv(envProgram) == "" {
		os.Exit(m.Run())
	}
	program := server.Program{Args: os.Args[1:], Environ: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr, Reached: die}
	os.Exit(program.Main(context.Background()))
}

// pointSent is the moment between the request's departure and its answer: Twilio does the work after this process is dead.
const pointSent onboarding.Point = "sent"

// died makes the process die once: what comes after is another process's.
var died atomic.Bool

func die(point onboarding.Point, key onboarding.Key) {
	want, step := onboarding.Point(os.Getenv(envPoint)), os.Getenv(envStep)
	if step == "" || !matchesStep(string(key), step) {
		return
	}
	switch {
	case point == want:
		kill()
	case want == pointSent && point == onboarding.AfterIntent && died.CompareAndSwap(false, true):
		time.AfterFunc(simLatency/2, kill)
	}
}

// matchesStep lets "…number.PN" stand for any number: its SID is not known before the process starts.
func matchesStep(key, want string) bool {
	return key == want || strings.HasSuffix(want, ".PN") && strings.HasPrefix(key, want)
}

func kill() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // Nothing more may happen, not even until the signal arrives.
}

const simLatency = 60 * time.Millisecond

// process is the program as a process of its own.
type process struct {
	cmd  *exec.Cmd
	log  *syncBuffer
	done chan error
}

// spawn starts serve as a process of its own that dies at the point of the step, if one is given.
func (w *world) spawn(point onboarding.Point, step string) *process {
	w.t.Helper()
	p := &process{cmd: exec.Command(os.Args[0], "serve"), log: &syncBuffer{}, done: make(chan error, 1)} //nolint:gosec,noctx // This very test binary; it is killed below.
	p.cmd.Env = append(w.env(), envProgram+"=1", envPoint+"="+string(point), envStep+"="+step)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	w.t.Cleanup(func() { p.kill() })
	return p
}

// kill kills the process, if it is not dead yet, and waits for its end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	if _, open := <-p.done; open {
		close(p.done)
	}
}

// steps are all steps of an onboarding with one number and two representatives.
var steps = []string{
	"preflight", "customer_profile", "customer_profile.primary", "address", "address_document", "customer_profile.address_document",
	"business_information", "customer_profile.business_information", "representative_1", "customer_profile.representative_1",
	"representative_2", "customer_profile.representative_2", "customer_profile.number.PN", "customer_profile.evaluation",
	"customer_profile.submission", "customer_profile.review", "trust_product", "trust_product.customer_profile", "trust_product.number.PN",
	"trust_product.evaluation", "trust_product.submission", "trust_product.review",
}

// readOnly are the steps that leave nothing behind at Twilio and so have no intent and no answer that could be lost.
var readOnly = map[string]bool{"preflight": true, "customer_profile.review": true, "trust_product.review": true}

// The process is killed with SIGKILL at every point of every step; another finishes the same onboarding. What was recorded before the
// death is what is there at the end, and Twilio holds one of everything.
func TestKilledAtAnyPointOfAnyStepAnotherProcessFinishes(t *testing.T) {
	t.Parallel()
	slots := make(chan struct{}, 16) // Each has two processes and a database.
	for _, step := range steps {
		for _, point := range []onboarding.Point{onboarding.BeforeIntent, onboarding.AfterIntent, pointSent, onboarding.AfterAnswer, onboarding.AfterCommit} {
			if readOnly[step] && point != onboarding.AfterCommit {
				continue
			}
			t.Run(fmt.Sprintf("%s/%s", step, point), func(t *testing.T) {
				t.Parallel()
				slots <- struct{}{}
				defer func() { <-slots }()
				killAndFinish(t, point, step)
			})
		}
	}
}

func killAndFinish(t *testing.T, point onboarding.Point, step string) {
	w := newWorld(t, trusthubsim.Config{Latency: simLatency})
	w.environ["DATABASE_URL"] += "&pool_max_conns=6"
	w.environ["REVIEW_POLL_MIN"] = "1s" // A callback that comes while no process lives is lost.
	customer := w.subaccount(1)
	doomed := w.spawn(point, step)
	w.ready(doomed.log)
	id := w.post(customer.request(map[string]any{"authorized_representatives": []any{representative("first"), representative("second")}})).ID
	select {
	case <-doomed.done:
		close(doomed.done)
	case <-time.After(60 * time.Second):
		t.Fatalf("the process did not die; the onboarding:\n%+v", w.get(id))
	}

	heir := w.spawn("", "")
	w.ready(heir.log)
	before := w.get(id).sids()
	after := w.await(id, "approved").sids()
	for key, sid := range before {
		if strings.HasSuffix(key, ".evaluation") {
			continue // The product is evaluated a second time when its profile is approved.
		}
		if after[key] != sid {
			t.Errorf("%s was %s before the death and %s after", key, sid, after[key])
		}
	}
	wantEachOnce(t, w.held(customer), 2, 1)
	wantNothingDeleted(t, w.held(customer))
}

// wantNothingDeleted checks that there never was a second of anything, not even for a moment.
func wantNothingDeleted(t *testing.T, held trusthubsim.AccountState) {
	t.Helper()
	if diff := cmp.Diff(trusthubsim.DeletedState{}, held.Deleted, cmp.Comparer(func(a, b trusthubsim.DeletedState) bool {
		return len(a.CustomerProfiles)+len(a.TrustProducts)+len(a.EndUsers)+len(a.SupportingDocuments)+len(a.Addresses) ==
			len(b.CustomerProfiles)+len(b.TrustProducts)+len(b.EndUsers)+len(b.SupportingDocuments)+len(b.Addresses)
	})); diff != "" {
		t.Errorf("objects were made twice and deleted:\n%s", diff)
	}
}
