package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// TestMain lets this test binary be the parts that the bench starts of itself.
func TestMain(m *testing.M) {
	if status, was := runAsPart(); was {
		os.Exit(status)
	}
	os.Exit(m.Run())
}

func TestEverythingIsMeasured(t *testing.T) {
	t.Parallel()
	profiles := t.TempDir()
	var out bytes.Buffer
	if err := run(t.Context(), options{repeat: 1, perPhase: 3, rounds: 1, top: 1, profiles: profiles}, &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, part := range []string{"attestd", "bare", "simulator"} {
		if info, err := os.Stat(profiles + "/" + part + ".pprof"); err != nil || info.Size() == 0 {
			t.Errorf("profile of %s: %v, %v", part, info, err)
		}
	}
	for _, want := range []string{"Latency", "the longest chain, 8 × 100ms", "Throughput", "round 1", "SQL transactions", "WAL"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &out)
		}
	}
}

func TestTheLongestChainIsEightCallsWhateverElseIsAsked(t *testing.T) {
	t.Parallel()
	r := request("AC00000000000000000000000000000009", []string{"+13125550100", "+13125550101"})
	if got := longestChain(r); got != 8 {
		t.Errorf("%d calls, want 8", got)
	}
	r.AuthorizedRepresentatives = r.AuthorizedRepresentatives[:1]
	r.PhoneNumbers = nil
	if got := longestChain(r); got != 8 {
		t.Errorf("%d calls with less to do beside it, want 8", got)
	}
	r.Address.SID = "AD00000000000000000000000000000009"
	if got := longestChain(r); got != 8 {
		t.Errorf("%d calls with an address that is there, which is read, want 8", got)
	}
}

func TestMedianIsTheMiddleOrTheMeanOfTheMiddleTwo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{nil, 0},
		{[]float64{7}, 7},
		{[]float64{9, 1, 2}, 2},
		{[]float64{10, 1, 2, 4}, 3},
	} {
		if got := median(test.values); got != test.want {
			t.Errorf("median of %v is %v, want %v", test.values, got, test.want)
		}
	}
}

func TestSidesThatMadeOtherCallsAreNotCompared(t *testing.T) {
	t.Parallel()
	const profile = "BU00000000000000000000000000000009"
	reads := func(n int) calls {
		var requests []trusthubsim.Request
		for range n {
			requests = append(requests, trusthubsim.Request{Method: "GET", Path: "/v1/CustomerProfiles/" + profile})
		}
		return countCalls(requests)
	}
	if err := sameCalls(reads(1000), reads(1009)); err != nil {
		t.Errorf("hardly different: %v", err)
	}
	for _, other := range []calls{reads(1020), {}, {"POST /v1/TrustProducts": 1000}} {
		if err := sameCalls(reads(1000), other); err == nil {
			t.Errorf("%v passed for the same as %v", other, reads(1000))
		}
	}
	if err := sameCalls(reads(100), reads(150)); err == nil || !strings.Contains(err.Error(), "GET /v1/CustomerProfiles/BU…") {
		t.Errorf("error %v, want one that names the call and no SID", err)
	}
}

func TestBoundsAreWhatCheckAsksFor(t *testing.T) {
	t.Parallel()
	latency := func(d time.Duration) error { return latencyFigures{calls: 8, logged: []time.Duration{d}}.check() }
	if err := latency(919 * time.Millisecond); err != nil {
		t.Errorf("919 ms: %v", err)
	}
	if err := latency(921 * time.Millisecond); err == nil {
		t.Error("921 ms passed for at most 1.15 of 800 ms")
	}
	if err := (throughputFigures{ratios: []float64{0.1, 0.41, 0.9}}).check(); err != nil {
		t.Errorf("0.41: %v", err)
	}
	if err := (throughputFigures{ratios: []float64{0.9, 0.39, 0.1}}).check(); err == nil {
		t.Error("0.39 passed for at least 0.40")
	}
}

func TestTheCPUTimeOfPostgresIsThatOfItsProcessesAlone(t *testing.T) {
	t.Parallel()
	d := &database{pid: 40}
	for stat, want := range map[string]int64{
		// The first, with its ended children.
		"40 (postgres) S 7 40 40 0 -1 4194560 1 2 3 4 100 20 3000 400 20 0 1": 3520,
		// A child, under any name.
		"41 (a ) b (c) S 40 41 41 0 -1 4194560 1 2 3 4 100 20 3000 400 20 0 1": 120,
		// Another server.
		"42 (postgres) S 7 42 42 0 -1 4194560 1 2 3 4 100 20 3000 400 20 0 1": 0,
		"140 (40) S 1 40 40 0 -1 4194560 1 2 3 4 100 20 3000 400 20 0 1":      0,
		"40 (postgres) S 7": 0,
	} {
		if got := d.hundredths(stat); got != want {
			t.Errorf("%q: %d, want %d", stat, got, want)
		}
	}
}
