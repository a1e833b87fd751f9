package server_test

import (
	"context"
	"testing"
	"time"
)

// patience is how long a test waits for what must come: far longer than anything takes on the slowest machine.
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

// wait waits for d, and says whether it did: not if ctx ended before.
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
