package server_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/engine"
	"github.com/attestd/attestd/internal/server"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// With this set the test binary is the program. What it reads from its standard input, a point and a step in one line, is where it dies by
// SIGKILL; it says "armed" and the same when it knows.
const envProgram = "ATTESTD_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(envProgram) == "" {
		runInParallel()
		os.Exit(m.Run())
	}
	go arm(os.Stdin)
	program := server.Program{Args: os.Args[1:], Environ: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr, Reached: die}
	os.Exit(program.Main(context.Background()))
}

// runInParallel lets more tests run at once than there are processors, unless the command line says otherwise: the tests of this package
// wait for processes to die and for reviews to end most of their time.
func runInParallel() {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", "16") // It is a number.
	}
}

// fate is where the program dies.
type fate struct {
	point engine.Point
	step  string
}

var armed atomic.Pointer[fate]

func arm(orders io.Reader) {
	lines := bufio.NewScanner(orders)
	for lines.Scan() {
		point, step, _ := strings.Cut(lines.Text(), " ")
		armed.Store(&fate{engine.Point(point), step})
		fmt.Println("armed", lines.Text())
	}
}

func die(point engine.Point, key onboarding.Key) {
	if f := armed.Load(); f != nil && point == f.point && matchesStep(string(key), f.step) {
		kill()
	}
}

func kill() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // Nothing more may happen, not even until the signal arrives.
}

// simLatency is how long each call is at Twilio, so that several are there when something happens.
const simLatency = 60 * time.Millisecond

// process is the program as a process of its own.
type process struct {
	cmd   *exec.Cmd
	stdin io.Writer
	log   *syncBuffer
	ended chan struct{} // closed when it has ended and was waited for
}

// startProgram starts serve in a process of its own with that environment.
func startProgram(environ []string) (*process, error) {
	p := &process{cmd: exec.Command(os.Args[0], "serve"), log: &syncBuffer{}, ended: make(chan struct{})}
	p.cmd.Env = append(environ, envProgram+"=1")
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // That it was killed is no news.
		close(p.ended)
	}()
	return p, nil
}

// kill kills the process, if it is not dead yet, and waits for its end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// maxStarts is how often a program is started that cannot start, as any orchestrator does: where very much runs at once, Postgres may be too slow
// for it.
const maxStarts = 3

// spawn starts serve in a process of its own and returns when it is ready.
func (w *world) spawn() *process {
	w.t.Helper()
	for attempt := 1; ; attempt++ {
		p, err := startProgram(w.env())
		if err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(p.kill)
		switch {
		case w.serves(w.t.Context(), w.url, p):
			return p
		case attempt == maxStarts:
			w.t.Fatalf("the program does not start:\n%s", p.log)
		}
	}
}

// serves waits until the process that listens at that URL says that it is ready. It says false if that ended, or ctx did, first.
func (w *world) serves(ctx context.Context, url string, p *process) bool {
	client := &http.Client{Timeout: time.Second}
	for {
		if status, _ := w.callAt(client, url, http.MethodGet, "/readyz", nil); status == http.StatusOK {
			return true
		}
		select {
		case <-p.ended:
			return false
		default:
		}
		if !wait(ctx, 20*time.Millisecond) {
			return false
		}
	}
}

// dieAt makes the process die when it next reaches the point of the step.
func (p *process) dieAt(w *world, point engine.Point, step string) {
	w.t.Helper()
	order := fmt.Sprintf("%s %s\n", point, step)
	if _, err := io.WriteString(p.stdin, order); err != nil {
		w.t.Fatal(err)
	}
	w.eventually("the process to be armed", func() bool { return strings.Contains(p.log.String(), "armed "+order) }, p.log.String)
}

// The process is killed with SIGKILL at every point of every step; another finishes the same onboarding. What was recorded before the
// death is what is there at the end, and Twilio holds one of everything.
//
// The points of one step share a world, in which the heir of one death is the next to die: half as many processes, and a fifth of the
// databases.
func TestKilledAtAnyPointOfAnyStepAnotherProcessFinishes(t *testing.T) {
	t.Parallel()
	for _, step := range steps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, trusthubsim.Config{Latency: simLatency})
			w.environ["REVIEW_POLL_MIN"] = "200ms" // A callback that comes while no process lives is lost.
			living := w.spawn()
			for _, point := range pointsOf(step) {
				t.Run(string(point), func(t *testing.T) { living = w.killAndFinish(t, living, point, step) })
			}
		})
	}
}

// killAndFinish posts an onboarding that the process dies of when it reaches the point of the step, and returns the process that finished
// it.
func (w *world) killAndFinish(t *testing.T, doomed *process, point engine.Point, step string) (heir *process) {
	t.Helper()
	customer := w.subaccount(1)
	request := customer.request(map[string]any{"authorized_representatives": []any{representative("first"), representative("second")}})
	var id string
	if point == pointSent {
		sent := w.holdStep(beforeWork, step)
		id = w.post(request).ID
		sent.await()
		doomed.kill()
		sent.letGo()
	} else {
		doomed.dieAt(w, point, step)
		id = w.post(request).ID
		waitFor(t, doomed.ended, "the process to die")
	}
	w.awaitCallsOfTheDead()
	heir = w.spawn()
	before := w.get(id).sids()
	after := w.await(id, "approved").sids()
	wantKept(t, before, after)
	wantEachOnce(t, w.held(customer), 2, 1)
	wantNothingDeleted(t, w.held(customer))
	return heir
}

// wantKept checks that every SID that was known before something went wrong is still the step's at the end.
func wantKept(t *testing.T, before, after map[string]string) {
	t.Helper()
	for key, sid := range before {
		if strings.HasSuffix(key, ".evaluation") {
			continue // The product is evaluated a second time when its profile is approved.
		}
		if after[key] != sid {
			t.Errorf("%s was %s before and is %s at the end", key, sid, after[key])
		}
	}
}

// wantNothingDeleted checks that there never was a second of anything, not even for a moment.
func wantNothingDeleted(t *testing.T, held trusthubsim.AccountState) {
	t.Helper()
	if n := deletions(held); n > 0 {
		t.Errorf("%d objects were made twice and deleted:\n%+v", n, held.Deleted)
	}
}

// deletions is how many objects and assignments were deleted.
func deletions(held trusthubsim.AccountState) int {
	d := held.Deleted
	return len(d.CustomerProfiles) + len(d.TrustProducts) + len(d.EndUsers) + len(d.SupportingDocuments) + len(d.Addresses) +
		len(d.EntityAssignments) + len(d.ChannelEndpointAssignments)
}
