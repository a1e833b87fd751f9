package onboarding

import (
	"testing"
	"time"
)

func TestBackoffDoublesUpToItsCeilingLessJitter(t *testing.T) {
	tests := []struct {
		n      int
		random float64
		want   time.Duration
	}{
		{1, 0, time.Second},
		{2, 0, 2 * time.Second},
		{4, 0, 8 * time.Second},
		{100, 0, time.Minute},
		{1, 0.5, 875 * time.Millisecond},
		{100, 0.5, 52500 * time.Millisecond},
	}
	for _, tt := range tests {
		if got := Backoff(tt.n, time.Second, time.Minute, tt.random); got != tt.want {
			t.Errorf("Backoff(%d, random %v) = %v, want %v", tt.n, tt.random, got, tt.want)
		}
	}
}
