package trusthub

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	oneAccount   = "AC0000000000000000000000000000001a"
	otherAccount = "AC0000000000000000000000000000002b"
)

// newTestBreaker opens after three failures.
func newTestBreaker() *breaker {
	return &breaker{failures: 3, least: time.Second, most: 30 * time.Second, parent: parentSID}
}

// try sends a request about the account, if the breaker lets it pass, and says whether it did.
func try(b *breaker, now time.Time, account string, h health) bool {
	p, wait := b.allow(now, 0)
	if wait > 0 {
		return false
	}
	b.report(p, sample{health: h, account: account}, now, 0)
	return true
}

// openBreaker is a breaker that three failures have opened at someTime.
func openBreaker() *breaker {
	b := newTestBreaker()
	for range 3 {
		try(b, someTime, parentSID, failing)
	}
	return b
}

func TestFailuresInARowOpenTheBreaker(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		run  []health
		open bool
	}{
		{"three", []health{failing, failing, failing}, true},
		{"two", []health{failing, failing}, false},
		{"an answer in between", []health{failing, failing, healthy, failing, failing}, false},
		{"one in between that tells nothing", []health{failing, failing, healthUnknown, failing}, true},
		{"no connection", []health{unreachable, unreachable, unreachable}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newTestBreaker()
			for i, h := range c.run {
				try(b, someTime, []string{oneAccount, otherAccount}[i%2], h)
			}
			if b.open != c.open {
				t.Errorf("open is %v, want %v", b.open, c.open)
			}
		})
	}
}

func TestTheTroubleOfOneAccountDoesNotOpenTheBreaker(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		account string
		health  health
		open    bool
	}{
		{"a subaccount's", oneAccount, failing, false},
		{"the parent's", parentSID, failing, true},
		{"no account is the cause", oneAccount, unreachable, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newTestBreaker()
			for range 100 {
				try(b, someTime, c.account, c.health)
			}
			if b.open != c.open {
				t.Errorf("open is %v after 100 failures, want %v", b.open, c.open)
			}
		})
	}
	t.Run("another account failed before the last answer", func(t *testing.T) {
		t.Parallel()
		b := newTestBreaker()
		try(b, someTime, oneAccount, failing)
		try(b, someTime, otherAccount, failing)
		try(b, someTime, oneAccount, healthy)
		for range 3 {
			try(b, someTime, otherAccount, failing)
		}
		if b.open {
			t.Error("the failures of one account opened it")
		}
	})
}

func TestAnOpenBreakerLetsOneProbePassAfterWaitsThatDouble(t *testing.T) {
	t.Parallel()
	b, now := openBreaker(), someTime
	for _, seconds := range []int{1, 2, 4, 8, 16, 30, 30} {
		now = now.Add(time.Duration(seconds)*time.Second - 1)
		if try(b, now, parentSID, failing) {
			t.Fatalf("a request passed before %d s were over", seconds)
		}
		now = now.Add(1)
		if requests, wait := b.capacity(now, 0); requests != 1 || wait <= 0 {
			t.Errorf("at the time of the probe the capacity is %d, %v", requests, wait)
		}
		if !try(b, now, parentSID, failing) {
			t.Fatalf("no probe passed after %d s", seconds)
		}
	}
	now = now.Add(30 * time.Second)
	probe, _ := b.allow(now, 0)
	if _, wait := b.allow(now, 0); wait != 30*time.Second {
		t.Errorf("a request beside the probe waits %v, want 30s", wait)
	}
	b.report(probe, sample{health: healthy, account: parentSID}, now, 0)
	if requests, wait := b.capacity(now, 0); requests < 1000 || wait != 0 {
		t.Errorf("after a healthy probe the capacity is %d, %v", requests, wait)
	}
}

func TestABreakerThatOpensSoonAfterItClosedStaysOpenAsLong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		closed, period time.Duration
	}{
		{"closed for less than its last period", 3 * time.Second, 8 * time.Second},
		{"closed for its last period", 4 * time.Second, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, now := openBreaker(), someTime
			for _, h := range []health{failing, failing, healthy} { // after 1 s, 2 s and 4 s
				now = b.until
				try(b, now, parentSID, h)
			}
			now = now.Add(c.closed)
			try(b, now, parentSID, healthy)
			for range 3 {
				try(b, now, parentSID, failing)
			}
			if left := b.until.Sub(now); !b.open || left != c.period {
				t.Errorf("it is open (%v) for %v, want %v", b.open, left, c.period)
			}
		})
	}
}

func TestTheRetriesOfOneOutageDoNotDelayThoseOfTheNext(t *testing.T) {
	t.Parallel()
	b, now := openBreaker(), someTime
	for range 10_000 {
		b.allow(now, 0)
	}
	now = now.Add(time.Second)
	try(b, now, parentSID, healthy)
	for range 3 {
		try(b, now, parentSID, failing)
	}
	if _, wait := b.allow(now, 0); wait > 3*time.Second {
		t.Errorf("the breaker opened for %v, and the first caller waits %v", b.until.Sub(now), wait)
	}
}

func TestAProbeThatTellsNothingLeavesTheProbeToTheNext(t *testing.T) {
	t.Parallel()
	b, now := openBreaker(), someTime.Add(time.Second)
	p, wait := b.allow(now, 0)
	if wait != 0 {
		t.Fatal("no probe passed")
	}
	if requests, _ := b.capacity(now, 0); requests != 0 {
		t.Errorf("the capacity beside a probe is %d", requests)
	}
	if _, wait := b.allow(now, 0); wait < b.period {
		t.Errorf("a request beside the probe waits %v, want what it waits if the probe fails", wait)
	}
	b.report(p, sample{health: healthUnknown, account: parentSID}, now, 0)
	if !try(b, now, parentSID, healthy) || b.open {
		t.Error("the next request was not the probe")
	}
}

func TestRequestsInFlightWhenTheBreakerOpensChangeNothing(t *testing.T) {
	t.Parallel()
	b, now := newTestBreaker(), someTime
	var early []pass
	for range 10 {
		p, _ := b.allow(now, 0)
		early = append(early, p)
	}
	for i, p := range early[:3] {
		done, _ := b.report(p, sample{health: failing, account: parentSID}, now, 0)
		if (done == opened) != (i == 2) {
			t.Errorf("failure %d: transition %d", i, done)
		}
	}
	until := b.until
	for i, p := range early[3:] {
		h := []health{failing, healthy}[i%2]
		done, wait := b.report(p, sample{health: h, account: parentSID}, now, 0)
		if done != unchanged || (h == failing) != (wait >= time.Second) {
			t.Errorf("request %d of them: transition %d, wait %v", i, done, wait)
		}
	}
	if !b.open || b.until != until || b.probing {
		t.Errorf("open %v until %v, want until %v", b.open, b.until, until)
	}
	// And those still in flight when it closes do not open it.
	late, _ := b.allow(until, 0)
	b.report(late, sample{health: healthy, account: parentSID}, until, 0)
	b.report(late, sample{health: failing, account: parentSID}, until, 0)
	if b.inARow != 0 {
		t.Errorf("%d failures count after it closed, want none", b.inARow)
	}
}

func TestTheBreakerStaysOpenAsLongAsTwilioAsksWithinTheSpan(t *testing.T) {
	t.Parallel()
	for asked, want := range map[time.Duration]time.Duration{
		0:                0 + time.Second,
		90 * time.Second: 90 * time.Second,
		24 * time.Hour:   pacingSpan,
	} {
		b := newTestBreaker()
		for range 3 {
			p, _ := b.allow(someTime, 0)
			b.report(p, sample{failing, parentSID, asked}, someTime, 0)
		}
		if left := b.until.Sub(someTime); left != want {
			t.Errorf("Twilio asks for %v: it is open for %v, want %v", asked, left, want)
		}
	}
}

func TestABreakerMayBeToldNeverToOpen(t *testing.T) {
	t.Parallel()
	b := newTestBreaker()
	b.failures = -1
	for range 100 {
		try(b, someTime, parentSID, unreachable)
	}
	if b.open {
		t.Error("it opened")
	}
}

func TestOneProbePassesHoweverManyAsk(t *testing.T) {
	t.Parallel()
	b, now := openBreaker(), someTime
	for round := range 20 {
		now = now.Add(time.Minute)
		probes := make(chan pass, 64)
		var all sync.WaitGroup
		start := make(chan struct{})
		for range cap(probes) {
			all.Go(func() {
				<-start
				if p, wait := b.allow(now, 0); wait == 0 {
					probes <- p
				}
			})
		}
		close(start)
		all.Wait()
		if n := len(probes); n != 1 {
			t.Fatalf("round %d: %d requests passed", round, n)
		}
		b.report(<-probes, sample{health: failing, account: parentSID}, now, 0)
	}
}

func TestWhatARequestTellsAboutItsHost(t *testing.T) {
	t.Parallel()
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for name, c := range map[string]struct {
		transport http.RoundTripper
		want      health
	}{
		"created":               {answering(always(201, endUserAnswer)), healthy},
		"unreadable":            {answering(always(201, "<html>")), healthy},
		"refused":               {answering(always(400, `{"code": 21628}`)), healthy},
		"wrong credentials":     {answering(always(401, `{"code": 20003}`)), healthy},
		"account suspended":     {answering(always(401, `{"code": 20005}`)), healthy},
		"too many":              {answering(always(429, "")), healthy},
		"too many, under a 503": {answering(always(503, `{"code": 20429}`)), healthy},
		"unavailable":           {answering(always(503, "")), failing},
		"internal error":        {answering(always(500, `{"code": 20500}`)), failing},
		"bad gateway":           {answering(always(502, "<html>")), failing},
		"connection lost":       {failingWith(io.EOF), failing},
		"connection refused":    {failingWith(dial), unreachable},
		"unknown host":          {failingWith(&net.DNSError{Err: "no such host"}), unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := connect(t, c.transport, "").as(t.Context(), parentSID)
			k.hub().DeleteEndUser(endUserSID)
			if k.health != c.want {
				t.Errorf("health is %d, want %d", k.health, c.want)
			}
		})
	}
	t.Run("given up", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		k := connect(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			cancel()
			return nil, r.Context().Err()
		}), "").as(ctx, parentSID)
		k.hub().DeleteEndUser(endUserSID)
		if k.health != healthUnknown {
			t.Errorf("health is %d, want none", k.health)
		}
	})
}

// brokenHost is a host without a connection until it is repaired, beside one that works.
type brokenHost struct {
	host     string
	repaired atomic.Bool
	asked    atomic.Int32
	working  http.RoundTripper
}

func (b *brokenHost) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == b.host && !b.repaired.Load() {
		b.asked.Add(1)
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	return b.working.RoundTrip(r)
}
