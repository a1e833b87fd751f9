package trusthub

import (
	"math"
	"time"
)

// Bounds of the wait after "too many requests", unless Twilio names a longer one: it doubles from the one to the other.
const (
	holdMin = time.Second
	holdMax = time.Minute
)

// backoff is how one account holds back after "too many requests". All who sign with its credentials hold back together: the limit is the
// account's, and whoever went on alone would use up what the others leave.
type backoff struct {
	until time.Time
	// inARow counts refusals without an answer of another kind between them. It counts rounds: of twenty requests that were under way
	// together and were all refused, the first counts and the others are the same news.
	inARow int
	// round is raised by each refusal that counts. What is said of a request that began in an earlier one is old news.
	round int
	turns turns
}

// refused takes in that a request which began in that round was one too many. Twilio's own wait, 0 if it named none, is kept to and may
// be exceeded: one that is refused time after time when it comes back as told has to come back more slowly.
func (b *backoff) refused(round int, asked time.Duration, now time.Time, random float64) (counts bool) {
	if counts = round == b.round; counts {
		b.round++
		b.inARow++
		asked = max(asked, exponential(b.inARow, holdMin, holdMax, random))
	}
	if until := now.Add(asked); until.After(b.until) {
		b.until = until
	}
	return counts
}

// answered takes in that a request which began in that round was not one too many.
func (b *backoff) answered(round int) {
	if round == b.round {
		b.inARow = 0
	}
}

// wait is for how long a call that asks now is to stay away; 0 if it need not.
func (b *backoff) wait(now time.Time, random float64) time.Duration {
	if !now.Before(b.until) {
		return 0
	}
	return b.turns.after(b.until, now, random)
}

// exponential is the n-th wait, n from 1: least·2^(n-1), at most most, less up to a quarter of itself, so that several replicas which
// began to wait together do not end together. random is in [0, 1).
func exponential(n int, least, most time.Duration, random float64) time.Duration {
	wait := min(float64(least)*math.Pow(2, float64(min(n-1, 40))), float64(most))
	return time.Duration(wait * (1 - random/4))
}

// How those who were turned away come back: fifty a second, within five minutes. A replica does not work on more onboardings than that in
// a second; to let them come faster would only make them queue, and when Twilio is still away each return costs the ledger two writes.
const (
	turnEvery   = 20 * time.Millisecond
	turnsWithin = 5 * time.Minute
)

// turns tells those who are turned away when to come back, each at a time of his own. A fixed random spread would be too long for one who
// waits alone and too short for ten thousand; taking turns fits both. Who would get one too far away gets any time in between.
type turns struct{ next time.Time }

// after returns how long from now to stay away, given that nobody need come before from.
func (t *turns) after(from, now time.Time, random float64) time.Duration {
	turn := from
	if t.next.After(turn) {
		turn = t.next
	}
	if turn.Sub(from) < turnsWithin {
		t.next = turn.Add(turnEvery)
	} else {
		turn = from.Add(time.Duration(random * float64(turnsWithin)))
	}
	// Other replicas hand out turns from about the same time.
	spread := max(turnEvery, from.Sub(now)/4)
	return turn.Sub(now) + time.Duration(random*float64(spread))
}
