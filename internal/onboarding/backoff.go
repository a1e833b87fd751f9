package onboarding

import (
	"math"
	"time"
)

// Backoff returns the wait after the n-th failure, n from 1: least·2^(n-1), at most most, minus up
// to a quarter of itself. Without that jitter, callers that failed together would come back
// together. random is in [0, 1).
func Backoff(n int, least, most time.Duration, random float64) time.Duration {
	wait := float64(least) * math.Pow(2, float64(min(n-1, 40)))
	wait = min(wait, float64(most))
	return time.Duration(wait * (1 - random/4))
}
