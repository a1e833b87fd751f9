package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// aWholeOnboarding has that many steps, the first ones done.
func aWholeOnboarding(steps, done int) onboardingView {
	o := onboardingView{ID: "onb_01a20293-fce6-7afa-a24b-aa71fde4ac38", Status: "in_progress"}
	for i := range steps {
		s := stepView{Key: fmt.Sprintf("customer_profile.number.PN%032x", i), Status: "pending"}
		switch {
		case i < done:
			s.Status, s.SID = "succeeded", fmt.Sprintf("RA%032x", i)
		case i == done:
			s.Status = "running"
		}
		o.Steps = append(o.Steps, s)
	}
	return o
}

var escapes = regexp.MustCompile("\x1b\\[[0-9]*[A-Za-z]|\r")

// A terminal scrolls and wraps a table that is too large, and then no table can be drawn over it.
func TestTheTableFitsTheTerminal(t *testing.T) {
	t.Parallel()
	for _, size := range []struct{ columns, rows int }{{80, 24}, {120, 50}, {60, 16}, {40, 5}, {200, 12}} {
		var out bytes.Buffer
		v := &view{out: &out, size: func() (int, int) { return size.columns, size.rows }}
		v.say("Half-way: stopping the server and starting it again, which is said at some length …")
		for done := range 30 {
			out.Reset()
			v.show(aWholeOnboarding(30, done))
			lines := strings.Split(strings.TrimSuffix(escapes.ReplaceAllString(out.String(), ""), "\n"), "\n")
			if len(lines) > size.rows-1 || len(lines) != v.drawn {
				t.Fatalf("%v: %d lines, and %d are said to be drawn", size, len(lines), v.drawn)
			}
			for _, l := range lines {
				if utf8.RuneCountInString(l) > size.columns {
					t.Fatalf("%v: too wide: %q", size, l)
				}
			}
			if size.rows > 10 && !strings.Contains(strings.Join(lines, "\n"), "running") {
				t.Fatalf("%v: what is at work is not shown:\n%s", size, strings.Join(lines, "\n"))
			}
		}
		out.Reset()
		v.end(aWholeOnboarding(30, 30), time.Second)
		for i := range 30 {
			if sid := fmt.Sprintf("RA%032x", i); size.rows < 32 && !strings.Contains(out.String(), sid) {
				t.Errorf("%v: the end does not show %s", size, sid)
			}
		}
	}
}
