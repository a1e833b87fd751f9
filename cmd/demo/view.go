package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// view shows an onboarding as it goes: a table that is drawn over itself where the output is a terminal, a line for each change where it
// is not.
type view struct {
	out      *os.File
	terminal bool
	drawn    int // lines of the table on the screen
	states   map[string]string
	notes    []string
}

func newView(out *os.File) *view {
	info, err := out.Stat()
	return &view{out: out, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0, states: make(map[string]string)}
}

func (v *view) show(o onboardingView) {
	if !v.terminal {
		for _, s := range o.Steps {
			if v.states[s.Key] != s.Status {
				v.states[s.Key] = s.Status
				if s.Status != "pending" {
					fmt.Fprintln(v.out, strings.TrimRight(line(s), " "))
				}
			}
		}
		return
	}
	lines := []string{fmt.Sprintf("\x1b[1m%s   %s\x1b[0m", o.ID, o.Status)}
	for _, s := range o.Steps {
		lines = append(lines, colors[s.Status]+line(s)+"\x1b[0m")
	}
	lines = append(lines, v.notes...)
	if v.drawn > 0 {
		fmt.Fprintf(v.out, "\x1b[%dA", v.drawn)
	}
	for _, l := range lines {
		fmt.Fprintf(v.out, "\r\x1b[2K%s\n", l)
	}
	v.drawn = len(lines)
}

var colors = map[string]string{"succeeded": "\x1b[32m", "running": "\x1b[33m", "waiting": "\x1b[36m", "failed": "\x1b[31m", "pending": "\x1b[2m"}

func line(s stepView) string { return fmt.Sprintf("  %-10s %-66s %s", s.Status, s.Key, s.SID) }

// say adds a line that stays: under the table, or between the lines.
func (v *view) say(note string) {
	v.notes = append(v.notes, note)
	if !v.terminal {
		fmt.Fprintln(v.out, note)
	}
}

func (v *view) end(o onboardingView, took time.Duration) {
	fmt.Fprintf(v.out, "\ncustomer profile  %s  %s\ntrust product     %s  %s\n",
		o.CustomerProfile.SID, o.CustomerProfile.Status, o.TrustProduct.SID, o.TrustProduct.Status)
	for _, n := range o.PhoneNumbers {
		fmt.Fprintf(v.out, "phone number      %s  %s\n", n.SID, n.PhoneNumber)
	}
	fmt.Fprintf(v.out, "attestation: %s   (after %.1f s)\n", o.Attestation, took.Seconds())
}
