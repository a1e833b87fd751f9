package trusthub

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

const (
	oneAccount   = "AC0000000000000000000000000000001a"
	otherAccount = "AC0000000000000000000000000000002b"
)

// circuitAt is a circuit of three failures, and a clock for it.
func circuitAt() (*circuit, *time.Time) {
	now := time.Unix(1_000_000, 0)
	return &circuit{failures: 3, least: time.Second, most: 30 * time.Second, parent: parentSID}, &now
}

// ask sends a request about the account through the circuit, if it may, and says whether it might.
func ask(c *circuit, now time.Time, about string, v verdict) bool {
	p, wait := c.enter(now, 0)
	if wait > 0 {
		return false
	}
	c.leave(p, v, about, 0, now, 0)
	return true
}

func TestFailuresInARowOpenTheCircuit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		run  []verdict
		open bool
	}{
		{"three", []verdict{failing, failing, failing}, true},
		{"two", []verdict{failing, failing}, false},
		{"an answer between", []verdict{failing, failing, alive, failing, failing}, false},
		{"one between that says nothing", []verdict{failing, failing, noVerdict, failing}, true},
		{"no connection", []verdict{unreachable, unreachable, unreachable}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			circuit, now := circuitAt()
			for i, v := range c.run {
				ask(circuit, *now, []string{oneAccount, otherAccount}[i%2], v)
			}
			if circuit.open != c.open {
				t.Errorf("open is %v, want %v", circuit.open, c.open)
			}
		})
	}
}

func TestOneAccountsTroubleDoesNotOpenTheCircuit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		about string
		v     verdict
		open  bool
	}{
		{"a subaccount's", oneAccount, failing, false},
		{"the parent's", parentSID, failing, true},
		{"a subaccount's that has nothing to do with it", oneAccount, unreachable, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			circuit, now := circuitAt()
			for range 100 {
				ask(circuit, *now, c.about, c.v)
			}
			if circuit.open != c.open {
				t.Errorf("open is %v after 100 failures, want %v", circuit.open, c.open)
			}
		})
	}
	// The failures of one account before those of others do not make it open sooner.
	circuit, now := circuitAt()
	ask(circuit, *now, oneAccount, failing)
	ask(circuit, *now, oneAccount, alive)
	ask(circuit, *now, otherAccount, failing)
	ask(circuit, *now, otherAccount, failing)
	ask(circuit, *now, otherAccount, failing)
	if circuit.open {
		t.Error("one account's failures opened it, because another's had failed before an answer")
	}
}

func TestAnOpenCircuitLetsOneTryAfterWaitsThatDouble(t *testing.T) {
	t.Parallel()
	c, now := circuitAt()
	for range 3 {
		ask(c, *now, parentSID, failing)
	}
	for _, period := range []int{1, 2, 4, 8, 16, 30, 30} {
		*now = now.Add(seconds(period) - 1)
		if ask(c, *now, parentSID, failing) {
			t.Fatalf("one may try before %d s are over", period)
		}
		*now = now.Add(1)
		if calls, wait := c.room(*now, 0); calls != 1 || wait <= 0 {
			t.Errorf("when one may try, room is %d, %v", calls, wait)
		}
		if !ask(c, *now, parentSID, failing) {
			t.Fatalf("none may try after %d s", period)
		}
	}
	*now = now.Add(30 * time.Second)
	ask(c, *now, parentSID, alive)
	if calls, wait := c.room(*now, 0); calls < 1000 || wait != 0 {
		t.Errorf("after a trial that went well room is %d, %v", calls, wait)
	}

	// It opens again soon afterwards: then for as long as it would have stayed open.
	for range 3 {
		ask(c, *now, parentSID, failing)
	}
	if left := c.until.Sub(*now); left != 30*time.Second {
		t.Errorf("opened again at once, it is open for %v", left)
	}
	// And again after a good while: as if it were the first time.
	*now = now.Add(30 * time.Second)
	ask(c, *now, parentSID, alive)
	*now = now.Add(30 * time.Second)
	ask(c, *now, parentSID, alive)
	for range 3 {
		ask(c, *now, parentSID, failing)
	}
	if left := c.until.Sub(*now); left != time.Second {
		t.Errorf("opened again after it has worked for long, it is open for %v", left)
	}
}

func TestATrialThatSaysNothingIsLeftToTheNext(t *testing.T) {
	t.Parallel()
	c, now := circuitAt()
	for range 3 {
		ask(c, *now, parentSID, failing)
	}
	*now = now.Add(time.Second)
	p, wait := c.enter(*now, 0)
	if wait != 0 {
		t.Fatal("none may try")
	}
	if _, wait := c.enter(*now, 0); wait <= 0 {
		t.Error("a second may try beside the first")
	}
	c.leave(p, noVerdict, parentSID, 0, *now, 0)
	if !ask(c, *now, parentSID, alive) || c.open {
		t.Error("after one gave up, the next could not try")
	}
}

func TestWhatWasUnderWayWhenTheCircuitOpenedChangesNothing(t *testing.T) {
	t.Parallel()
	c, now := circuitAt()
	var early []pass
	for range 10 {
		p, _ := c.enter(*now, 0)
		early = append(early, p)
	}
	for _, p := range early[:3] {
		c.leave(p, failing, parentSID, 0, *now, 0)
	}
	until := c.until
	for i, p := range early[3:] {
		v := []verdict{failing, alive}[i%2]
		if done, wait := c.leave(p, v, parentSID, 0, *now, 0); done != unchanged || (v == failing) != (wait >= time.Second) {
			t.Errorf("request %d of them: change %d, stay away for %v", i, done, wait)
		}
	}
	if !c.open || c.until != until || c.trying {
		t.Errorf("open %v until %v, want until %v", c.open, c.until, until)
	}
}

func TestTheCircuitStaysOpenForAsLongAsTwilioAsks(t *testing.T) {
	t.Parallel()
	c, now := circuitAt()
	for range 3 {
		p, _ := c.enter(*now, 0)
		c.leave(p, failing, parentSID, 90*time.Second, *now, 0)
	}
	if left := c.until.Sub(*now); left != 90*time.Second {
		t.Errorf("it is open for %v, want 90s", left)
	}
}

func TestACircuitMayBeToldNeverToOpen(t *testing.T) {
	t.Parallel()
	c, now := circuitAt()
	c.failures = -1
	for range 100 {
		ask(c, *now, parentSID, unreachable)
	}
	if c.open {
		t.Error("it opened")
	}
}

func TestOneTriesHoweverManyAsk(t *testing.T) {
	t.Parallel()
	c, now := circuitAt()
	for range 3 {
		ask(c, *now, parentSID, failing)
	}
	for round := range 20 {
		*now = now.Add(time.Minute)
		var passes atomic.Int32
		var all sync.WaitGroup
		start := make(chan struct{})
		for range 64 {
			all.Go(func() {
				<-start
				if _, wait := c.enter(*now, 0); wait == 0 {
					passes.Add(1)
				}
			})
		}
		close(start)
		all.Wait()
		if n := passes.Load(); n != 1 {
			t.Fatalf("round %d: %d were let through", round, n)
		}
		c.leave(pass{era: c.era, trying: true}, failing, parentSID, 0, *now, 0)
	}
}

func TestWhatARequestTellsAboutItsHost(t *testing.T) {
	t.Parallel()
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for name, c := range map[string]struct {
		transport http.RoundTripper
		want      verdict
	}{
		"created":                {answering(always(201, endUserAnswer)), alive},
		"unreadable":             {answering(always(201, "<html>")), alive},
		"refused":                {answering(always(400, `{"code": 21628}`)), alive},
		"wrong credentials":      {answering(always(401, `{"code": 20003}`)), alive},
		"account suspended":      {answering(always(401, `{"code": 20005}`)), alive},
		"too many":               {answering(always(429, "")), alive},
		"too many, under a 503":  {answering(always(503, `{"code": 20429}`)), alive},
		"unavailable":            {answering(always(503, "")), failing},
		"internal error":         {answering(always(500, `{"code": 20500}`)), failing},
		"bad gateway":            {answering(always(502, "<html>")), failing},
		"broken off":             {broken{io.EOF}, failing},
		"a connection refused":   {broken{dial}, unreachable},
		"a name without address": {broken{&net.DNSError{Err: "no such host"}}, unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := connect(t, c.transport, "")
			k := client.as(t.Context(), parentSID)
			k.hub().DeleteEndUser(endUserSID)
			if k.verdict != c.want {
				t.Errorf("verdict is %d, want %d", k.verdict, c.want)
			}
		})
	}
	t.Run("given up", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		client := connect(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			cancel()
			return nil, r.Context().Err()
		}), "")
		k := client.as(ctx, parentSID)
		k.hub().DeleteEndUser(endUserSID)
		if k.verdict != noVerdict {
			t.Errorf("verdict is %d, want none", k.verdict)
		}
	})
}

// down is a host that does not answer until it is mended, beside one that does.
type down struct {
	host   string
	mended atomic.Bool
	asked  atomic.Int32
	up     *twilio
}

func (d *down) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == d.host && !d.mended.Load() {
		d.asked.Add(1)
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	return d.up.RoundTrip(r)
}

func TestEachHostHasItsCircuitAndSaysOnceThatItOpened(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		d := &down{host: "trusthub.twilio.com", up: answering(always(201, endUserAnswer))}
		c := connect(t, d, "", func(cfg *Config) { cfg.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		if _, err := c.FetchAccount(t.Context(), subSID); err != nil {
			t.Fatal(err)
		}
		var last *onboarding.RemoteError
		for range 3 * DefaultCircuitFailures {
			_, err := createEndUser(c)
			last = wantClass(t, err, onboarding.ClassRepeatable)
		}
		if !last.Held || last.RetryAfter <= 0 || !errors.Is(last, errCircuitOpen) {
			t.Errorf("the last call: %+v", last)
		}
		if n := d.asked.Load(); n != DefaultCircuitFailures {
			t.Errorf("the host was asked %d times, want %d", n, DefaultCircuitFailures)
		}
		if calls, wait := c.Room(subSID); calls != 0 || wait <= 0 {
			t.Errorf("room is %d, %v", calls, wait)
		}
		if _, err := c.FetchAccount(t.Context(), subSID); err != nil {
			t.Errorf("the other host: %v", err)
		}
		d.mended.Store(true)
		elapse(t, last.RetryAfter)
		if calls, _ := c.Room(subSID); calls != 1 {
			t.Errorf("room is %d for the one that tries", calls)
		}
		if _, err := createEndUser(c); err != nil {
			t.Errorf("the one that tries: %v", err)
		}
		if calls, wait := c.Room(subSID); calls != DefaultMaxConcurrentPerAccount || wait <= 0 {
			t.Errorf("afterwards room is %d, %v", calls, wait)
		}
		if lines := strings.Split(strings.TrimSpace(log.String()), "\n"); len(lines) != 2 ||
			!strings.Contains(lines[0], "level=WARN") || !strings.Contains(lines[0], "host=trusthub.twilio.com") || !strings.Contains(lines[1], "level=INFO") {
			t.Errorf("the log is\n%s", &log)
		}
	})
}

func TestACallWithoutATokenIsHeldBackByTheOtherHostsCircuit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &down{host: "api.twilio.com", up: answering(always(201, endUserAnswer))}
		c := connect(t, d, "")
		for range DefaultCircuitFailures {
			c.FetchAccount(t.Context(), subSID)
		}
		_, err := createEndUser(c)
		if r := wantClass(t, err, onboarding.ClassRepeatable); !r.Held {
			t.Errorf("the call: %+v", r)
		}
		if calls, wait := c.Room(subSID); calls != 0 || wait <= 0 {
			t.Errorf("room is %d, %v", calls, wait)
		}
		if calls, _ := c.Room(parentSID); calls == 0 {
			t.Error("there is no room for calls that need only the host that works")
		}
	})
}
