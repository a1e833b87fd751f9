package engine

import "time"

// Timing holds every duration that a runner goes by. The zero value of a field means its default.
type Timing struct {
	// SendWindow is how long after its intent a call may still leave; 1 s. A call that is later is
	// not made (see [onboarding.WithSendBy]), so that whoever goes on knows from when on nothing
	// can arrive at Twilio any more.
	SendWindow time.Duration
	// Settle is how long after the send window, or after a call whose answer was lost, Twilio's
	// lists may still lack what the call made; 3 s. A lookup that finds it earlier is believed at
	// once; one that finds nothing is believed only then.
	Settle time.Duration
	// RetryMin and RetryMax bound the wait before a call is repeated; it doubles from one to the
	// other. 1 s and 5 min.
	RetryMin, RetryMax time.Duration
	// PollMin and PollMax bound the wait between two looks at a bundle in review; it doubles
	// likewise. 5 min and 6 h.
	PollMin, PollMax time.Duration
	// CheckInterval is how long after it was read a decided review, and all else that should stay
	// as it is, is read again; 24 h. It is shortened by up to a quarter, so that what was approved
	// together is not read together. Less than 0 means never.
	CheckInterval time.Duration
	// InlineWait is the longest wait that a runner sits out; 5 s. For a longer one it lets go of
	// the onboarding (invariant 5).
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

// ledgerClock tells the time by the ledger's clock: replicas' own clocks differ. Nobody knows how
// long the claim was on its way to the ledger, how long its answer was on its way back, and how
// long this process was paused meanwhile. So the ledger's time is known between two bounds.
type ledgerClock struct {
	local           func() time.Time
	least, greatest time.Duration // what to add to the local time
}

// newLedgerClock is made of the local time before the claim and of the ledger's at the claim.
func newLedgerClock(local func() time.Time, claimedAt, readAt time.Time) ledgerClock {
	return ledgerClock{local: local, least: readAt.Sub(local()), greatest: readAt.Sub(claimedAt)}
}

// now may be ahead by the time that the claim took, so that an intent is never dated back.
func (c ledgerClock) now() time.Time { return c.local().Add(c.greatest).Truncate(time.Microsecond) }

// atLeast is what the ledger's clock shows already, for certain.
func (c ledgerClock) atLeast() time.Time { return c.local().Add(c.least).Truncate(time.Microsecond) }

func latest(t time.Time, others ...time.Time) time.Time {
	for _, o := range others {
		if o.After(t) {
			t = o
		}
	}
	return t
}
