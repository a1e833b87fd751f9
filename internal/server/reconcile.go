package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/reconcile"
	"github.com/attestd/attestd/internal/store"
)

// reconcile compares the ledger of one onboarding with what Twilio holds, and prints the
// comparison. With -fix it also repairs what needs no person. It may run beside any number of
// replicas. The error, and with it the exit status, says whether the two differ in the end.
func (p Program) reconcile(ctx context.Context, args []string) error {
	flags := p.flags("reconcile")
	fix := flags.Bool("fix", false, "adopt what the ledger lacks and remove what is there twice")
	if err := flags.Parse(args); err != nil || flags.NArg() == 0 {
		return errUsage
	}
	id := onboarding.ID(flags.Arg(0))
	// The flag set stops at the ID. The flag may also come after it.
	if err := flags.Parse(flags.Args()[1:]); err != nil || flags.NArg() > 0 {
		return errUsage
	}
	config, err := LoadConfig(p.Environ)
	if err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}
	logger := slog.New(slog.NewJSONHandler(p.Stderr, &slog.HandlerOptions{Level: config.LogLevel}))
	hub, err := config.trustHub(logger)
	if err != nil {
		return err
	}
	defer hub.Close()
	s, err := store.Open(ctx, store.Config{DatabaseURL: config.DatabaseURL, Logger: logger})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Ping(ctx); err != nil {
		return err
	}
	r := config.reconciler(s, hub, p.clock(), 0)
	if *fix {
		return p.fix(ctx, r, id)
	}
	report, err := r.Compare(ctx, id)
	if err != nil {
		return err
	}
	if err := printReport(p.Stdout, report); err != nil {
		return err
	}
	return verdictOn(report)
}

// fix prints the comparison and the repairs, and after a repair the new comparison.
func (p Program) fix(ctx context.Context, r *reconcile.Reconciler, id onboarding.ID) error {
	before, after, done, failed := r.Fix(ctx, id)
	if len(before.Findings) > 0 {
		if err := printReport(p.Stdout, before); err != nil {
			return err
		}
	}
	mended := false
	for _, a := range done {
		note := ""
		if a.Note != "" {
			note = " (" + a.Note + ")"
		}
		fmt.Fprintf(p.Stdout, "%s %s %s%s\n", a.Kind, a.Step, a.SID, note)
		mended = mended || a.Kind == reconcile.ActionAdopted || a.Kind == reconcile.ActionRemoved
	}
	if failed != nil {
		return failed
	}
	if mended {
		fmt.Fprintln(p.Stdout)
		if err := printReport(p.Stdout, after); err != nil {
			return err
		}
	}
	return verdictOn(after)
}

// verdictOn is the error of a report in which ledger and Twilio differ.
func verdictOn(report reconcile.Report) error {
	if n := report.Differences(); n > 0 {
		return fmt.Errorf("onboarding %s: the ledger and Twilio differ in %d of %d lines", report.ID, n, len(report.Findings))
	}
	return nil
}

func printReport(w io.Writer, report reconcile.Report) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "STEP\tSTATE\tLEDGER\tTWILIO\tVERDICT\tNOTE")
	for _, f := range report.Findings {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", f.Step, f.State, side(f.SID, f.Status), side(f.Remote.SID, f.Remote.Status), f.Verdict, f.Note)
	}
	return out.Flush()
}

// side is what one of the two says: a SID, a status, both, or nothing.
func side(sid, status string) string {
	switch {
	case sid == "" && status == "":
		return "-"
	case sid == "" || status == "":
		return sid + status
	default:
		return sid + " " + status
	}
}
