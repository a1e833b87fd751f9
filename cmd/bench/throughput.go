package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// throughputBound is the least share of the throughput of the bare loop that attestd must reach.
const throughputBound = 0.40

// side is what one side, attestd or the bare loop, has done, and what that took.
type side struct {
	onboardings int // those of the warm-up included
	calls       calls
	perSecond   []float64     // by round
	cpu         time.Duration // of its own process
	// simulator is the CPU time of the process of the simulator, which also posts the onboardings.
	simulator time.Duration
}

// each is the share of one onboarding in a CPU time.
func (s side) each(cpu time.Duration) time.Duration { return cpu / time.Duration(s.onboardings) }

// throughputFigures are the onboardings per second of both sides, and the work of Postgres for
// those of attestd.
type throughputFigures struct {
	attestd, bare side
	ratios        []float64 // by round
	perPhase      int
	// measured is the work of Postgres in the phases of attestd, without the warm-up. It lacks the
	// transactions, which Postgres reports too late.
	measured work
	// transactions are those of all onboardings, with the start and the end of attestd.
	transactions int64
	postgres     time.Duration // CPU time for all onboardings
	counted      bool          // statements were counted
	top          []statement
}

// contest has both sides at one simulator.
type contest struct {
	db      *database
	name    string // of the database
	stage   *stage
	bare    *bareProcess
	watcher *watcher
	figures throughputFigures
}

// measureThroughput lets attestd and the bare loop onboard by turns, at a simulator that answers
// and approves at once.
func measureThroughput(ctx context.Context, d *database, o options) (f throughputFigures, err error) {
	const name = "throughput"
	url, err := d.create(ctx, name)
	if err != nil {
		return f, err
	}
	s, err := newStage(ctx, url, trusthubsim.Config{})
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	c := &contest{db: d, name: name, stage: s}
	c.figures.perPhase, c.figures.counted = o.perPhase, d.statements
	c.figures.attestd.calls, c.figures.bare.calls = make(calls), make(calls)

	if c.bare, err = startBare(ctx, o.profile("bare")); err != nil {
		return f, err
	}
	before, err := d.work(ctx, name)
	if err != nil {
		return f, err
	}
	cpuBefore := d.cpu()
	if err := s.serve(ctx, o.profile("attestd")); err != nil {
		return f, err
	}
	if c.watcher, err = newWatcher(ctx, url); err != nil {
		return f, err
	}
	stopProfile, err := startProfile(o.profile("simulator"))
	if err != nil {
		return f, err
	}
	err = errors.Join(c.rounds(ctx, o), stopProfile(), c.watcher.close(ctx))
	if err != nil {
		return f, err
	}

	if err := c.end(ctx); err != nil {
		return f, err
	}
	f = c.figures
	after, err := d.work(ctx, name)
	if err != nil {
		return f, err
	}
	f.transactions = after.since(before).transactions - c.watcher.transactions
	f.postgres = d.cpu() - cpuBefore
	if f.top, err = d.top(ctx, name, o.top); err != nil {
		return f, err
	}
	return f, sameCalls(f.attestd.calls, f.bare.calls)
}

// end ends both sides. Only then the work of a process and of its sessions is counted in full.
func (c *contest) end(ctx context.Context) (err error) {
	if c.figures.attestd.cpu, err = c.stage.endServer(); err != nil {
		return err
	}
	if c.figures.bare.cpu, err = c.bare.end(); err != nil {
		return err
	}
	return c.db.waitUntilLeft(ctx, c.name)
}

// rounds makes a round for warming up and then those that count.
func (c *contest) rounds(ctx context.Context, o options) error {
	for round := range o.rounds + 1 {
		attestdRequests, err := makeCustomers(ctx, c.stage.simulator, o.perPhase)
		if err != nil {
			return err
		}
		bareRequests, err := makeCustomers(ctx, c.stage.simulator, o.perPhase)
		if err != nil {
			return err
		}
		before, err := c.db.work(ctx, c.name)
		if err != nil {
			return err
		}
		attestd, err := c.phase(&c.figures.attestd, attestdRequests, func() (time.Duration, error) { return c.watcher.onboard(ctx, c.stage, attestdRequests) })
		if err != nil {
			return fmt.Errorf("attestd: %w", err)
		}
		after, err := c.db.work(ctx, c.name)
		if err != nil {
			return err
		}
		bare, err := c.phase(&c.figures.bare, bareRequests, func() (time.Duration, error) {
			result, err := c.bare.do(bareOrder{TwilioURL: c.stage.twilioURL, Requests: bareRequests, Concurrency: concurrency})
			return result.Took, err
		})
		if err != nil {
			return err
		}
		if round > 0 {
			f := &c.figures
			f.attestd.perSecond, f.bare.perSecond = append(f.attestd.perSecond, attestd), append(f.bare.perSecond, bare)
			f.ratios = append(f.ratios, attestd/bare)
			f.measured = f.measured.plus(after.since(before))
		}
	}
	return nil
}

// phase lets a side do its onboardings, and returns how many it finished per second.
func (c *contest) phase(s *side, requests []onboarding.Request, do func() (time.Duration, error)) (float64, error) {
	c.stage.simulator.ResetRequests()
	runtime.GC() // The garbage of one phase is not for the next to collect.
	cpu := ownCPU()
	took, err := do()
	if err != nil {
		return 0, err
	}
	s.simulator += ownCPU() - cpu
	s.onboardings += len(requests)
	s.calls.add(countCalls(c.stage.simulator.Requests()))
	return float64(len(requests)) / took.Seconds(), nil
}

func (f throughputFigures) ratio() float64 { return median(f.ratios) }

func (f throughputFigures) print(out io.Writer) {
	fmt.Fprintf(out, "\nThroughput: onboardings finished per second, from the POST to approved; Twilio answers at once, %d at once, %d in each phase, after a round to warm up\n",
		concurrency, f.perPhase)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\tattestd\tbare loop\tratio\t\t\n")
	for i, ratio := range f.ratios {
		fmt.Fprintf(t, "round %d\t%.1f\t%.1f\t%.3f\t\n", i+1, f.attestd.perSecond[i], f.bare.perSecond[i], ratio)
	}
	fmt.Fprintf(t, "median\t%.1f\t%.1f\t%.3f\t  (bound %.2f)\t\n", median(f.attestd.perSecond), median(f.bare.perSecond), f.ratio(), throughputBound)
	_ = t.Flush() // It fails only if out does, which is the reader's loss.

	fmt.Fprintf(out, "\nPer onboarding\n")
	t = tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	each := func(n int64, onboardings int) float64 { return float64(n) / float64(onboardings) }
	fmt.Fprintf(t, "\tattestd\tbare loop\tratio\t\n")
	fmt.Fprintf(t, "calls to Twilio\t%.2f\t%.2f\t\t\n",
		each(int64(f.attestd.calls.total()), f.attestd.onboardings), each(int64(f.bare.calls.total()), f.bare.onboardings))
	measured := len(f.ratios) * f.perPhase
	fmt.Fprintf(t, "SQL transactions\t%.1f\t\t\t\n", each(f.transactions, f.attestd.onboardings))
	fmt.Fprintf(t, "of these writing\t%.1f\t\t\t\n", each(f.measured.writing, measured))
	if f.counted {
		fmt.Fprintf(t, "SQL statements\t%.1f\t\t\t\n", each(f.measured.statements, measured))
	} else {
		fmt.Fprintf(t, "SQL statements\tnot counted: pg_stat_statements is not installed\t\t\t\n")
	}
	fmt.Fprintf(t, "WAL\t%.0f bytes\t\t\t\n", each(f.measured.wal, measured))
	fmt.Fprintf(t, "CPU of the process itself\t%s\t%s\t\t\n", milliseconds(f.attestd.each(f.attestd.cpu)), milliseconds(f.bare.each(f.bare.cpu)))
	if f.postgres > 0 {
		fmt.Fprintf(t, "CPU of Postgres\t%s\t\t\t\n", milliseconds(f.attestd.each(f.postgres)))
	}
	fmt.Fprintf(t, "CPU of the simulator and of who posts\t%s\t%s\t\t\n",
		milliseconds(f.attestd.each(f.attestd.simulator)), milliseconds(f.bare.each(f.bare.simulator)))
	if f.postgres > 0 {
		// On a busy machine these say more than the times do.
		all, bareAll := f.attestd.each(f.attestd.cpu+f.postgres+f.attestd.simulator), f.bare.each(f.bare.cpu+f.bare.simulator)
		fmt.Fprintf(t, "CPU of all\t%s\t%s\t%.3f\t\n", milliseconds(all), milliseconds(bareAll), float64(bareAll)/float64(all))
	}
	_ = t.Flush() // As above.

	if len(f.top) > 0 {
		fmt.Fprintf(out, "\nStatements that took Postgres longest, per onboarding\n")
		t = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintf(t, "calls\ttime\tWAL bytes\tstatement\n")
		for _, s := range f.top {
			fmt.Fprintf(t, "%.2f\t%.3f ms\t%.0f\t%s\n", each(s.calls, f.attestd.onboardings),
				float64(s.total.Microseconds())/1000/float64(f.attestd.onboardings), each(s.wal, f.attestd.onboardings), oneLine(s.text))
		}
		_ = t.Flush() // As above.
	}
}

// oneLine is the beginning of a statement on one line.
func oneLine(text string) string {
	const most = 110
	line := []rune(strings.Join(strings.Fields(text), " "))
	if len(line) > most {
		return string(line[:most]) + "…"
	}
	return string(line)
}

// check returns an error if the throughput is below its bound.
func (f throughputFigures) check() error {
	if f.ratio() < throughputBound {
		return fmt.Errorf("throughput: %.3f of the bare loop's, less than %.2f", f.ratio(), throughputBound)
	}
	return nil
}
