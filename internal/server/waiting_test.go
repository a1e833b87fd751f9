package server_test

import (
	"context"
	"testing"
	"time"
)

// patience is how long a test waits for what must come: far longer than anything takes on the
// slowest machine.
const patience = 2 * time.Minute

// waitFor waits until something has happened.
func waitFor(t *testing.T, happened <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-happened:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
}

// eventually asks until the condition holds, less and less often. After a failure it shows what
// explain returns.
func eventually(t *testing.T, what string, holds func() bool, explain ...func() string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for pause := 5 * time.Millisecond; !holds(); pause = min(2*pause, 100*time.Millisecond) {
		if time.Now().After(deadline) {
			text := "waited in vain for " + what
			for _, e := range explain {
				text += "\n" + e()
			}
			t.Fatal(text)
		}
		wait(t.Context(), pause)
	}
}

// wait waits for d. It returns false if ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
