package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

const (
	// simulatedLatency is how long the simulator takes to answer.
	simulatedLatency = 100 * time.Millisecond
	// latencyBound is how much longer than its longest chain an onboarding may take until both
	// bundles are submitted.
	latencyBound = 1.15
)

// latencyFigures are the times from the POST to both bundles being submitted.
type latencyFigures struct {
	calls  int             // in the longest chain
	logged []time.Duration // until the simulator has answered the later submission
	shown  []time.Duration // until attestd's API says that both are submitted
	bare   []time.Duration // that the longest chain takes a script
}

// measureLatency onboards subaccounts one at a time, at a simulator with a latency and with both
// gates at submitted. The first onboarding of each side does not count.
func measureLatency(ctx context.Context, d *database, repeat int) (f latencyFigures, err error) {
	const name = "latency"
	url, err := d.create(ctx, name)
	if err != nil {
		return f, err
	}
	s, err := newStage(ctx, url, trusthubsim.Config{
		Latency: simulatedLatency, ProductGate: trusthubsim.GateSubmitted, Review: trusthubsim.ReviewManual,
	}, "TRUST_PRODUCT_GATE=submitted")
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	bare, err := startBare(ctx, "")
	if err != nil {
		return f, err
	}
	defer func() {
		_, endErr := bare.end()
		err = errors.Join(err, endErr)
	}()
	if err := s.serve(ctx, ""); err != nil {
		return f, err
	}
	requests, err := makeCustomers(ctx, s.simulator, 2*(repeat+1))
	if err != nil {
		return f, err
	}
	f.calls = longestChain(requests[0])
	for i, r := range requests[:repeat+1] {
		logged, shown, err := s.submitOne(ctx, r)
		if err != nil {
			return f, err
		}
		if i > 0 {
			f.logged, f.shown = append(f.logged, logged), append(f.shown, shown)
		}
	}
	result, err := bare.do(bareOrder{TwilioURL: s.twilioURL, Requests: requests[repeat+1:], Chain: true})
	if err != nil {
		return f, err
	}
	f.bare = result.Chains[1:]
	return f, nil
}

// submitOne onboards one subaccount until both bundles are submitted.
func (s *stage) submitOne(ctx context.Context, r onboarding.Request) (logged, shown time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	posted := time.Now()
	id, err := s.post(ctx, r)
	if err != nil {
		return 0, 0, err
	}
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		v, err := s.get(ctx, id)
		switch {
		case err != nil:
			return 0, 0, err
		case v.Status == string(onboarding.StatusActionRequired):
			return 0, 0, fmt.Errorf("onboarding %s needs a person", id)
		case v.CustomerProfile.submitted() && v.TrustProduct.submitted():
			shown = time.Since(posted)
			submitted, err := submissions(s.simulator.Requests(), r.SubaccountSID)
			return submitted.Sub(posted), shown, err
		}
		select {
		case <-ctx.Done():
			return 0, 0, fmt.Errorf("onboarding %s is %s: %w", id, v.Status, context.Cause(ctx))
		case <-ticker.C:
		}
	}
}

// submissions returns when the later of the two submissions of an account was answered.
func submissions(requests []trusthubsim.Request, account string) (last time.Time, err error) {
	found := 0
	for _, r := range requests {
		if r.AccountSID == account && r.Status < 300 && slices.Equal(r.Form["Status"], []string{onboarding.BundlePendingReview}) {
			found++
			if r.FinishedAt.After(last) {
				last = r.FinishedAt
			}
		}
	}
	if found != 2 {
		return time.Time{}, fmt.Errorf("the simulator's log has %d submissions of %s, not 2", found, account)
	}
	return last, nil
}

func (f latencyFigures) chain() time.Duration { return time.Duration(f.calls) * simulatedLatency }

func (f latencyFigures) ratio() float64 { return float64(median(f.logged)) / float64(f.chain()) }

func (f latencyFigures) print(out io.Writer) {
	fmt.Fprintf(out, "\nLatency: from the POST to both bundles submitted, median of %d; Twilio answers in %v, gates at submitted, 2 representatives, %d numbers\n",
		len(f.logged), simulatedLatency, numbersEach)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	bare := median(f.bare)
	fmt.Fprintf(t, "attestd, by the simulator's log\t%s\t\t\t\n", milliseconds(median(f.logged)))
	fmt.Fprintf(t, "attestd, as its API shows it\t%s\t\t\t\n", milliseconds(median(f.shown)))
	fmt.Fprintf(t, "the longest chain, %d × %v\t%s\tratio %.3f\t  (bound %.2f)\t\n", f.calls, simulatedLatency, milliseconds(f.chain()), f.ratio(), latencyBound)
	fmt.Fprintf(t, "a bare script that makes those %d calls\t%s\tratio %.3f\t\t\n", f.calls, milliseconds(bare), float64(median(f.logged))/float64(bare))
	_ = t.Flush() // It fails only if out does, which is the reader's loss.
}

// check returns an error if the latency is beyond its bound.
func (f latencyFigures) check() error {
	if f.ratio() > latencyBound {
		return fmt.Errorf("latency: %.3f of the longest chain, more than %.2f", f.ratio(), latencyBound)
	}
	return nil
}
