package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// TestServesUntilAskedToStop: what is printed is enough to make a request, and the end of the
// context ends the program.
func TestServesUntilAskedToStop(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	output, stdout := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"-listen", "127.0.0.1:0", "-seed", "7"}, nil, stdout, io.Discard) }()

	printed := map[string]string{}
	lines := bufio.NewScanner(output)
	for printed["seed"] == "" && lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) > 1 {
			printed[strings.Join(fields[:len(fields)-1], " ")] = fields[len(fields)-1]
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, printed["url"]+"/v1/CustomerProfiles/"+printed["primary profile SID"], nil)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(printed["account SID"], printed["auth token"])
	response, err := (&http.Client{Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("the primary profile is answered with %s", response.Status)
	}

	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	listen, _, cfg, err := parse([]string{
		"-listen", "127.0.0.1:1", "-review", "manual", "-review-delay", "3s", "-latency", "4ms", "-product-gate", "submitted", "-seed", "5",
		"-rejected-products-final", "-numbers-during-review", "-approval-validity", "8h",
		"-callbacks-delay", "6s", "-callbacks-spread", "7s", "-callbacks-lost", "0.1", "-callbacks-duplicated", "0.2", "-callbacks-unsigned", "0.3",
	}, nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if listen != "127.0.0.1:1" || cfg.Review != trusthubsim.ReviewManual || cfg.ReviewDelay != 3*time.Second ||
		cfg.Latency != 4*time.Millisecond || cfg.ProductGate != trusthubsim.GateSubmitted || cfg.Seed != 5 ||
		!cfg.RejectedProductsFinal || !cfg.NumbersDuringReview || cfg.ApprovalValidity != 8*time.Hour || cfg.AccountSID != trusthubsim.DefaultAccountSID {
		t.Errorf("parsed %s and %+v", listen, cfg)
	}
	want := trusthubsim.Callbacks{
		Lost: 0.1, Duplicated: 0.2, Unsigned: 0.3,
		Delay: trusthubsim.Duration(6 * time.Second), Spread: trusthubsim.Duration(7 * time.Second), BundleField: "BundleSid",
	}
	if cfg.Callbacks != want {
		t.Errorf("parsed the callbacks %+v, want %+v", cfg.Callbacks, want)
	}
	for _, args := range [][]string{{"-review", "maybe"}, {"-product-gate", "open"}, {"-nothing"}, {"extra"}, {"-latency", "soon"},
		{"-account-sid", "AC1"}, {"-account-sid", ""}, {"-auth-token", ""}, {"-auth-token", "a token"},
		{"-primary-profile-sid", "AC00000000000000000000000000000001"}, {"-primary-profile-sid", ""}, {"-public-url", "localhost"},
		{"-latency", "-1s"}, {"-review-delay", "-1s"}, {"-list-lag", "-1s"}, {"-max-concurrent", "-1"}, {"-callbacks-lost", "2"}, {"-callbacks-spread", "-1s"},
	} {
		_, _, _, err := parse(args, nil, io.Discard)
		if err == nil {
			t.Errorf("%q is accepted", args)
			continue
		}
		said := strings.NewReplacer("_", "-", ".", "-").Replace(err.Error())
		if name := strings.TrimPrefix(args[0], "-"); !strings.Contains(said, name) {
			t.Errorf("%q: not named in: %v", args, err)
		}
	}
}

// TestTheEnvironment holds every switch, and a flag goes before it.
func TestTheEnvironment(t *testing.T) {
	t.Parallel()
	_, _, cfg, err := parse([]string{"-seed", "9"}, []string{
		"TRUSTHUBSIM_SEED=7", "TRUSTHUBSIM_REVIEW=manual", "TRUSTHUBSIM_CALLBACKS_IN_REVIEW=true", "TRUSTHUBSIM_CHECK_DELAY=3s", "HOME=/",
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Seed != 9 || cfg.Review != trusthubsim.ReviewManual || !cfg.Callbacks.InReview || cfg.CheckDelay != 3*time.Second {
		t.Errorf("read %+v", cfg)
	}
	const name = "TRUSTHUBSIM_EVALUATION_SHAPE"
	if _, _, _, err := parse(nil, []string{name + "=round"}, io.Discard); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("a value that makes no sense gives %v, want an error that names %s", err, name)
	}
}

// TestEverySwitchIsAFlag with the default of the program.
func TestEverySwitchIsAFlag(t *testing.T) {
	t.Parallel()
	defaults := trusthubsim.ProgramDefaults()
	var usage strings.Builder
	if _, _, _, err := parse([]string{"-h"}, nil, &usage); !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("asked for help: %v", err)
	}
	for _, one := range trusthubsim.Switches() {
		if !strings.Contains(usage.String(), "\n  "+one.Flag) {
			t.Errorf("the usage has no %s", one.Flag)
		}
		if _, _, cfg, err := parse([]string{one.Flag + "=" + defaults.Get(one.Name)}, nil, io.Discard); err != nil || cfg.Get(one.Name) != defaults.Get(one.Name) {
			t.Errorf("%s=%s gives %s: %v", one.Flag, defaults.Get(one.Name), cfg.Get(one.Name), err)
		}
	}
}

// TestTheManualIsPrinted and nothing is served.
func TestTheManualIsPrinted(t *testing.T) {
	t.Parallel()
	var printed strings.Builder
	if err := run(t.Context(), []string{"-manual"}, nil, &printed, io.Discard); err != nil || printed.String() != trusthubsim.Manual() {
		t.Errorf("printed %d bytes and ended with %v, want the manual", printed.Len(), err)
	}
}
