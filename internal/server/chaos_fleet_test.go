package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	fleetSize = 3
	// nobody is the place of a disturbance that befalls no single replica.
	nobody = -1
	// shortPause is the longest of most pauses, and longer than the send window. longPause is the
	// pause of one in eight, if there is time. It is longer than the silence after which the others
	// take a replica for dead.
	shortPause = 3 * time.Second
	longPause  = 12 * time.Second
)

// fleet is the replicas. It starts what dies again, as any orchestrator does.
//
// Each process calls the simulated Twilio at an address of its own. So a call is known to come from
// a process even if it is read after the death of the process.
type fleet struct {
	c        *chaos
	replicas []*place
	keepers  sync.WaitGroup
	end      context.CancelFunc

	mu           sync.Mutex
	logs         []*syncBuffer
	calls        []sighting
	disturbances []*disturbance
	deaths       []*death
}

// place is where a replica runs, and its successor after its death.
type place struct {
	index   int
	url     string
	environ []string
	// The fleet's lock guards these.
	process *process // nil while none runs
	hale    bool     // it serves and is not paused
}

// sighting is a call to Twilio by the process with that process ID.
type sighting struct {
	at      time.Time
	pid     int
	account string
}

// disturbance is something that was done to a replica, or to Postgres.
type disturbance struct {
	what  string
	place int
	from  time.Time
	until time.Time // zero while it lasts
}

// death is a replica that was killed, with the onboardings that it ran.
type death struct {
	at          time.Time
	pid         int
	place       int
	onboardings []string
}

func newFleet(c *chaos) *fleet {
	f := &fleet{c: c}
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.t.Context()))
	f.end = cancel
	c.t.Cleanup(func() {
		cancel()
		f.keepers.Wait()
	})
	callbacks := httptest.NewServer(f.callbackForwarder())
	c.t.Cleanup(callbacks.Close)
	c.environ["PUBLIC_URL"] = callbacks.URL
	for i := range fleetSize {
		addr := lastingAddr(c.t)
		p := &place{index: i, url: "http://" + addr, environ: append(c.env(), "LISTEN_ADDR="+addr)}
		f.replicas = append(f.replicas, p)
		f.keepers.Go(func() { f.keep(ctx, p) })
	}
	f.awaitAll()
	return f
}

// lastingAddr is an address that stays free while nobody listens there. Its port is below those of
// outgoing connections.
func lastingAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(15000+rand.IntN(17000)))
		if listener, err := net.Listen("tcp", addr); err == nil {
			listener.Close()
			return addr
		}
	}
	t.Fatal("no free port")
	return ""
}

// callbackForwarder receives the callbacks of Twilio. It forwards each to one replica, dead or
// alive.
func (f *fleet) callbackForwarder() http.Handler {
	var mu sync.Mutex
	random := f.c.random(forCallbacks)
	client := &http.Client{Timeout: 2 * time.Second}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		to := f.replicas[random.IntN(fleetSize)]
		mu.Unlock()
		request, err := http.NewRequestWithContext(r.Context(), r.Method, to.url+r.URL.RequestURI(), r.Body)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		request.Header = r.Header.Clone()
		request.ContentLength = r.ContentLength
		response, err := client.Do(request)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body)
	})
}

// start starts a process in the place.
func (f *fleet) start(p *place) (*process, error) {
	var pid atomic.Int64
	twilio := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		account, _, _ := r.BasicAuth()
		if rest, ok := strings.CutPrefix(r.URL.Path, "/2010-04-01/Accounts/"); ok && len(rest) >= len(account) {
			account = rest[:len(account)]
		}
		f.mu.Lock()
		f.calls = append(f.calls, sighting{time.Now(), int(pid.Load()), account})
		f.mu.Unlock()
		f.c.sim.ServeHTTP(w, r)
	}))
	f.c.t.Cleanup(twilio.Close)
	started, err := startProgram(slices.Concat(p.environ, []string{"TWILIO_API_URL=" + twilio.URL, "TWILIO_TRUSTHUB_URL=" + twilio.URL}))
	if err != nil {
		return nil, err
	}
	pid.Store(int64(started.cmd.Process.Pid))
	f.mu.Lock()
	defer f.mu.Unlock()
	p.process = started
	f.logs = append(f.logs, started.log)
	return started, nil
}

// keep runs a replica in the place until ctx ends, and then kills it.
func (f *fleet) keep(ctx context.Context, p *place) {
	for failedStarts := 0; ctx.Err() == nil && failedStarts < maxStarts; {
		began := time.Now()
		started, err := f.start(p)
		if err != nil {
			f.c.t.Error(err)
			return
		}
		served := started.serves(ctx, p.url)
		if served {
			f.mu.Lock()
			p.hale = p.process == started
			f.mu.Unlock()
		}
		select {
		case <-started.ended:
		case <-ctx.Done():
			started.kill()
		}
		f.mu.Lock()
		byItself := p.process == started && ctx.Err() == nil && (p.hale || !f.postgresWasDown(began))
		p.process, p.hale = nil, false
		f.mu.Unlock()
		if byItself && !served {
			failedStarts++
		} else {
			failedStarts = 0
		}
		if byItself && served || failedStarts == maxStarts {
			f.c.t.Errorf("a replica ended by itself:\n%s", started.log)
		}
		wait(ctx, 100*time.Millisecond)
	}
}

// postgresWasDown tells whether Postgres was down at some moment since then. A replica that starts
// at such a moment ends. The caller holds the lock of the fleet.
func (f *fleet) postgresWasDown(since time.Time) bool {
	for _, d := range f.disturbances {
		if d.place == nobody && (d.until.IsZero() || d.until.After(since)) {
			return true
		}
	}
	return false
}

func (f *fleet) anyURL(random *rand.Rand) string { return f.replicas[random.IntN(fleetSize)].url }

// awaitAll waits until all replicas serve.
func (f *fleet) awaitAll() {
	f.c.t.Helper()
	eventually(f.c.t, "all replicas to serve", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, p := range f.replicas {
			if !p.hale {
				return false
			}
		}
		return true
	}, func() string { return f.logs[len(f.logs)-1].String() })
}

// storm kills and pauses replicas every 0.2 to 2 s until ctx ends, and always leaves one that is
// well. Its random choices do not depend on the state of the replicas.
func (f *fleet) storm(ctx context.Context, random *rand.Rand) {
	var pauses sync.WaitGroup
	defer pauses.Wait()
	for wait(ctx, 200*time.Millisecond+time.Duration(random.Int64N(int64(1800*time.Millisecond)))) {
		p, kill, long := f.replicas[random.IntN(fleetSize)], random.IntN(2) == 0, random.IntN(8) == 0
		pause := 100*time.Millisecond + time.Duration(random.Int64N(int64(shortPause)))
		if deadline, ok := ctx.Deadline(); ok && long && time.Until(deadline) > longPause {
			pause = longPause
		}
		victim := f.pick(p)
		switch {
		case victim == nil:
		case kill:
			f.kill(p, victim)
		default:
			pauses.Go(func() { f.pause(ctx, p, victim, pause) })
		}
	}
}

// pick returns the process in the place as a victim, or nil if it is a victim already or the last
// one that is well.
func (f *fleet) pick(p *place) *process {
	f.mu.Lock()
	defer f.mu.Unlock()
	well := 0
	for _, other := range f.replicas {
		if other.hale {
			well++
		}
	}
	if !p.hale || well < 2 {
		return nil
	}
	p.hale = false
	return p.process
}

func (f *fleet) kill(p *place, victim *process) {
	over := f.disturb("killed", p.index)
	defer over() // The next process in this place is another replica.
	d := &death{pid: victim.cmd.Process.Pid, place: p.index}
	f.mu.Lock()
	p.process = nil
	f.mu.Unlock()
	d.at = time.Now()
	victim.kill()
	d.onboardings = f.running(d.pid)
	f.mu.Lock()
	f.deaths = append(f.deaths, d)
	f.mu.Unlock()
}

func (f *fleet) pause(ctx context.Context, p *place, victim *process, d time.Duration) {
	over := f.disturb(fmt.Sprintf("paused for %v", d), p.index)
	defer over()
	_ = victim.cmd.Process.Signal(syscall.SIGSTOP)
	wait(ctx, d)
	_ = victim.cmd.Process.Signal(syscall.SIGCONT)
	f.mu.Lock()
	p.hale = p.process == victim
	f.mu.Unlock()
}

// disturb notes a disturbance. It lasts until the returned function is called.
func (f *fleet) disturb(what string, index int) (over func()) {
	d := &disturbance{what: what, place: index, from: time.Now()}
	f.mu.Lock()
	f.disturbances = append(f.disturbances, d)
	f.mu.Unlock()
	return func() {
		f.mu.Lock()
		d.until = time.Now()
		f.mu.Unlock()
	}
}

// logLines are the lines of the logs of all replicas that have the text.
func (f *fleet) logLines(text string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var lines []string
	for _, log := range f.logs {
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, text) {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
	}
	return lines
}

// complaints counts the lines of the replicas at the levels WARN and ERROR, by message.
func (f *fleet) complaints() map[string]int {
	count := make(map[string]int)
	for _, said := range f.complaining() {
		count[said.Level+" "+said.Msg]++
	}
	return count
}

// complaintsBetween are the lines of the replicas at these levels in that time, oldest first.
func (f *fleet) complaintsBetween(from, to time.Time) []string {
	var lines []string
	for _, said := range f.complaining() {
		if said.Time.After(from) && said.Time.Before(to) && said.Msg != "request" {
			lines = append(lines, said.line)
		}
	}
	slices.Sort(lines) // They begin with their time.
	return lines
}

// complaint is a line of a log.
type complaint struct {
	Time       time.Time
	Level, Msg string
	line       string
}

func (f *fleet) complaining() []complaint {
	var all []complaint
	for _, line := range f.logLines(`"level":`) {
		said := complaint{line: line}
		if json.Unmarshal([]byte(line), &said) == nil && (said.Level == "WARN" || said.Level == "ERROR") {
			all = append(all, said)
		}
	}
	return all
}
