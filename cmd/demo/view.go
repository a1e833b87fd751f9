package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// view shows an onboarding under way. On a terminal it draws a table over the table before.
// Elsewhere it writes a line for each change.
type view struct {
	out    io.Writer
	size   func() (columns, rows int) // of the terminal; nil where the output is none
	drawn  int                        // lines of the table on the screen
	cut    bool                       // the table on the screen is not all of it
	states map[string]string
	notes  []string
}

func newView(out *os.File) *view {
	v := &view{out: out, states: make(map[string]string)}
	if descriptor := int(out.Fd()); term.IsTerminal(descriptor) {
		v.size = func() (int, int) {
			columns, rows, err := term.GetSize(descriptor)
			if err != nil || columns <= 0 || rows <= 0 {
				return 80, 24
			}
			return columns, rows
		}
	}
	return v
}

func (v *view) show(o onboardingView) {
	if v.size == nil {
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
	columns, rows := v.size()
	v.draw(v.fitted(o, columns, rows))
}

// draw replaces the table on the screen.
func (v *view) draw(lines []string) {
	if v.drawn > 0 {
		fmt.Fprintf(v.out, "\x1b[%dA", v.drawn)
	}
	for _, l := range lines {
		fmt.Fprintf(v.out, "\r\x1b[2K%s\n", l)
	}
	fmt.Fprint(v.out, "\x1b[J") // What is left of a table that had more lines.
	v.drawn = len(lines)
}

// fitted is the table in no more lines and columns than the terminal has, because no table can be
// drawn over one that was scrolled or wrapped. It leaves out finished steps first, then steps in
// the far future.
func (v *view) fitted(o onboardingView, columns, rows int) []string {
	var notes []string
	for _, note := range v.notes {
		notes = append(notes, wrapped(note, columns)...)
	}
	room := max(rows-len(notes)-2, 1) // One for the head, one for the cursor.
	steps := slices.Clone(o.Steps)
	for _, status := range []string{"succeeded", "pending"} {
		for len(steps) > room {
			i := slices.IndexFunc(steps, func(s stepView) bool { return s.Status == status })
			if i < 0 {
				break
			}
			steps = slices.Delete(steps, i, i+1)
			room = max(rows-len(notes)-3, 1) // One to say that there are more.
		}
	}
	v.cut = len(steps) < len(o.Steps)
	lines := []string{fmt.Sprintf("\x1b[1m%s   %s\x1b[0m", o.ID, o.Status)}
	for _, s := range steps {
		text := line(s)
		if utf8.RuneCountInString(text) > columns {
			text = shortLine(s, columns)
			v.cut = true
		}
		lines = append(lines, colors[s.Status]+text+"\x1b[0m")
	}
	if hidden := len(o.Steps) - len(steps); hidden > 0 {
		lines = append(lines, fmt.Sprintf("\x1b[2m  … and %d steps more\x1b[0m", hidden))
	}
	lines = append(lines, notes...)
	return lines[max(len(lines)-rows+1, 0):]
}

// whole is the table with all of its lines.
func (v *view) whole(o onboardingView) []string {
	lines := []string{fmt.Sprintf("\x1b[1m%s   %s\x1b[0m", o.ID, o.Status)}
	for _, s := range o.Steps {
		lines = append(lines, colors[s.Status]+line(s)+"\x1b[0m")
	}
	return append(lines, v.notes...)
}

// wrapped cuts a text into lines of that many columns.
func wrapped(text string, columns int) []string {
	var lines []string
	for part := range slices.Chunk([]rune(text), columns) {
		lines = append(lines, string(part))
	}
	return lines
}

var colors = map[string]string{"succeeded": "\x1b[32m", "running": "\x1b[33m", "waiting": "\x1b[36m", "failed": "\x1b[31m", "pending": "\x1b[2m"}

func line(s stepView) string { return fmt.Sprintf("  %-10s %-66s %s", s.Status, s.Key, s.SID) }

var sidInKey = regexp.MustCompile(`([A-Z]{2}[0-9a-f]{6})[0-9a-f]{26}`)

// shortLine is a line with no more than that many columns.
func shortLine(s stepView, columns int) string {
	text := []rune(fmt.Sprintf("  %-10s %-38s %s", s.Status, sidInKey.ReplaceAllString(s.Key, "$1…"), s.SID))
	if len(text) > columns {
		text = append(text[:columns-1], '…')
	}
	return string(text)
}

// say adds a line that stays: under the table, or between the lines.
func (v *view) say(note string) {
	v.notes = append(v.notes, note)
	if v.size == nil {
		fmt.Fprintln(v.out, note)
	}
}

// end shows the result. If the screen was too small for the table, the whole table comes first.
func (v *view) end(o onboardingView, took time.Duration) {
	if v.cut {
		// Lines of the whole table may be wrapped. Nothing of the old table may show behind them.
		fmt.Fprintf(v.out, "\x1b[%dA\x1b[J", v.drawn)
		v.drawn = 0
		v.draw(v.whole(o))
	}
	fmt.Fprintf(v.out, "\ncustomer profile  %s  %s\ntrust product     %s  %s\n",
		o.CustomerProfile.SID, o.CustomerProfile.Status, o.TrustProduct.SID, o.TrustProduct.Status)
	for _, n := range o.PhoneNumbers {
		fmt.Fprintf(v.out, "phone number      %s  %s\n", n.SID, n.PhoneNumber)
	}
	fmt.Fprintf(v.out, "attestation: %s   (after %.1f s)\n", o.Attestation, took.Seconds())
}
