package main

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// calls counts requests to Twilio by kind: the method and the path, in which each SID is its
// prefix.
type calls map[string]int

var sidInPath = regexp.MustCompile(`/([A-Z]{2})[0-9a-f]{32}`)

func countCalls(requests []trusthubsim.Request) calls {
	c := make(calls)
	for _, r := range requests {
		c[r.Method+" "+sidInPath.ReplaceAllString(r.Path, "/$1…")]++
	}
	return c
}

func (c calls) total() (n int) {
	for _, count := range c {
		n += count
	}
	return n
}

func (c calls) add(more calls) {
	for kind, n := range more {
		c[kind] += n
	}
}

// callTolerance is the share of calls by which two sides may differ.
const callTolerance = 0.01

// sameCalls returns an error that names the difference if two sides did not make the same calls. A
// small difference is allowed: a bundle in review is read once more if it was read before its
// approval.
func sameCalls(a, b calls) error {
	kinds := maps.Clone(a)
	maps.Copy(kinds, b)
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		if math.Abs(float64(a[kind]-b[kind])) > callTolerance*float64(max(a[kind], b[kind])) {
			return fmt.Errorf("the two sides did not make the same calls: %s was made %d times and %d times", kind, a[kind], b[kind])
		}
	}
	return nil
}
