package onboarding

import (
	"math"
	"time"
)

// Timing holds every duration that the runner goes by. The zero value of a field means its default.
type Timing struct {
	// SendWindow is how long after its intent a call may still leave. A call that is later than that is not made (see [WithSendBy]), so
	// that whoever takes over knows from when on nothing can arrive at Twilio any more.
	SendWindow time.Duration
	// Settle is how long after the send window, or after a call whose answer was lost, Twilio's lists may still lack what it made. A
	// lookup that finds it earlier is believed at once; one that finds nothing is believed only then.
	Settle time.Duration
	// RetryMin and RetryMax bound the wait before a call is repeated; it doubles from one to the other.
	RetryMin, RetryMax time.Duration
	// PollMin and PollMax bound the wait between two looks at a bundle in review; it doubles likewise.
	PollMin, PollMax time.Duration
	// CheckInterval is how long after it was read a decided review, and all else that should stay as it is, is read again; it is shortened
	// by up to a quarter, so that what was approved together is not read together. Less than 0 means never.
	CheckInterval time.Duration
	// InlineWait is the longest wait that a runner sits out. For a longer one it lets go of the onboarding (invariant 5).
	InlineWait time.Duration
}

func (t Timing) withDefaults() Timing {
	set := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	set(&t.SendWindow, time.Second)
	set(&t.Settle, 3*time.Second)
	set(&t.RetryMin, time.Second)
	set(&t.RetryMax, 5*time.Minute)
	set(&t.PollMin, 5*time.Minute)
	set(&t.PollMax, 6*time.Hour)
	set(&t.CheckInterval, 24*time.Hour)
	set(&t.InlineWait, 5*time.Second)
	return t
}

// backoff returns the wait after the n-th try, n from 1: least·2^(n-1), at most most, less up to a quarter of itself so that what failed
// together does not come back together. random is in [0, 1).
func backoff(n int, least, most time.Duration, random float64) time.Duration {
	wait := float64(least) * math.Pow(2, float64(min(n-1, 40)))
	wait = min(wait, float64(most))
	return time.Duration(wait * (1 - random/4))
}
