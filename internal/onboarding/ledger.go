package onboarding

import (
	"context"
	"time"
)

// Ledger keeps an onboarding's steps for the one runner that works on it. Its writes are fenced:
// each carries the epoch of the claim it belongs to, and under an older epoch nothing is written
// (invariant 3).
//
// Two implementations share one conformance suite: Postgres in internal/store and memory in
// internal/onboarding/memledger.
type Ledger interface {
	// Claim takes the onboarding for this runner: it raises the epoch, clears the wake-up flag, and
	// returns what the ledger holds, with the flag as it was in Woken. What a run was told that
	// never came to its Release, the next claim is told again. Errors: ErrNotFound.
	Claim(ctx context.Context, id ID) (*Onboarding, error)
	// Record writes c in one transaction. Errors: ErrLostPlace; any other leaves it unknown whether
	// it was written.
	Record(ctx context.Context, c Change) error
	// Release writes c, which may hold nothing but the onboarding's status, and ends the run, in
	// one transaction: the onboarding is woken at next, or by the next wake-up only if next is
	// zero. If a wake-up arrived since the claim, c is written, nothing is released and woken is
	// true: the runner must claim again and go on (invariant 4). Errors: ErrLostPlace, and then
	// nothing is written; any other leaves it unknown what was.
	Release(ctx context.Context, c Change, next time.Time) (woken bool, err error)
}

// Change is what a runner learned since its last write, together with what it is about to do.
type Change struct {
	ID    ID
	Epoch int64
	// Status is the onboarding's, derived from its steps as they are with this change.
	Status Status
	// Steps replace the steps of the same keys, or are added.
	Steps []Step
	// Attestation is the onboarding's with this change.
	Attestation string
	// Request, unless nil, is the next version of the request: Version is its number. Only
	// [Repository.Update] and its like write it.
	Request *Request
	Version int
	// Canceled, unless nil, ends the onboarding. Only [Repository.Update] and its like write it.
	Canceled *Cancellation
	// Numbers, unless nil, take the place of those that there are.
	Numbers []PhoneNumber
	// SubaccountSID, unless "", is the account that was made for the onboarding.
	SubaccountSID string
	Events        []Event
}

// Cancellation is the end of an onboarding by somebody's wish.
type Cancellation struct {
	At time.Time
	// Cleanup: what was made is to be deleted.
	Cleanup bool
}
