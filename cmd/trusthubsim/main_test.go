package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// TestServesUntilAskedToStop: what is printed is enough to make a request, and the end of the context ends the program.
func TestServesUntilAskedToStop(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	output, stdout := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"-listen", "127.0.0.1:0", "-seed", "7"}, stdout, io.Discard) }()

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
	listen, cfg, err := parse([]string{
		"-listen", "127.0.0.1:1", "-review", "manual", "-review-delay", "3s", "-latency", "4ms", "-product-gate", "submitted", "-seed", "5",
		"-rejected-products-final", "-numbers-during-review", "-approval-validity", "8h",
		"-callbacks-delay", "6s", "-callbacks-spread", "7s", "-callbacks-lost", "0.1", "-callbacks-duplicated", "0.2", "-callbacks-unsigned", "0.3",
	}, io.Discard)
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
		Delay: trusthubsim.Duration(6 * time.Second), Spread: trusthubsim.Duration(7 * time.Second),
	}
	if cfg.Callbacks != want {
		t.Errorf("parsed the callbacks %+v, want %+v", cfg.Callbacks, want)
	}
	for _, args := range [][]string{{"-review", "maybe"}, {"-product-gate", "open"}, {"-nothing"}, {"extra"}, {"-latency", "soon"},
		{"-account-sid", "AC1"}, {"-account-sid", ""}, {"-auth-token", ""}, {"-auth-token", "a token"},
		{"-primary-profile-sid", "AC00000000000000000000000000000001"}, {"-primary-profile-sid", ""}, {"-public-url", "localhost"},
		{"-latency", "-1s"}, {"-review-delay", "-1s"}, {"-list-lag", "-1s"}, {"-max-concurrent", "-1"}, {"-callbacks-lost", "2"}, {"-callbacks-spread", "-1s"},
	} {
		_, _, err := parse(args, io.Discard)
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
