package onboarding

import (
	"context"
	"time"
)

// Repository is what the [Service] needs of the store, beside the runner's [Ledger].
type Repository interface {
	// Create stores a new onboarding with its first event, and schedules its first run, in one
	// transaction. Nothing has been done about it yet: no step and no number is stored. Errors:
	// *ConflictError where another onboarding that is not canceled has the subaccount or the
	// external ID.
	Create(ctx context.Context, o *Onboarding, e Event) error
	// Get returns the onboarding with its steps in any order. Errors: ErrNotFound.
	Get(ctx context.Context, id ID) (*Onboarding, error)
	// List returns a page, newest first, and the cursor of the next page or nil.
	List(ctx context.Context, f Filter) ([]Summary, *Cursor, error)
	// Update reads the onboarding under its row lock, lets decide say what changes, writes that and
	// wakes the onboarding, in one transaction. decide may be called more than once; an error of
	// its is returned as it is and nothing is written. The Epoch of the Change is not looked at:
	// whoever holds the row lock decides. decide arranges the steps before it looks at them.
	// Errors: ErrNotFound.
	Update(ctx context.Context, id ID, decide func(o *Onboarding, now time.Time) (Change, error)) error
	// FindByCallbackToken returns the onboarding's ID and subaccount. Errors: ErrNotFound.
	FindByCallbackToken(ctx context.Context, token string) (ID, string, error)
	// RecordCallback keeps a callback and, if wake is set, wakes the onboarding, in one
	// transaction. One with an idempotency token that is kept already changes nothing.
	RecordCallback(ctx context.Context, c Callback, wake bool) error
}

// InterruptibleRepository is a [Repository] that can take an onboarding away from its runner.
type InterruptibleRepository interface {
	Repository
	// Interrupt is Update under a new epoch and with a new job: a runner that has the onboarding
	// can write no more from here on, and so cannot begin another call; what it has in flight is
	// running in the ledger, and the next runner looks it up (invariants 2 and 3). If decide
	// returns an error, nobody is interrupted. Errors: ErrNotFound.
	Interrupt(ctx context.Context, id ID, decide func(o *Onboarding, now time.Time) (Change, error)) error
}

// Filter selects onboardings; an empty field selects all.
type Filter struct {
	Status        Status
	SubaccountSID string
	ExternalID    string
	// Limit is the size of a page, 1 to 100.
	Limit int
	// After is the last onboarding of the page before.
	After *Cursor
}

// Cursor is a place in the list, newest first.
type Cursor struct {
	CreatedAt time.Time
	ID        ID
}

// Summary is an onboarding as a list shows it, without steps and numbers.
type Summary struct {
	ID                ID
	ExternalID        string
	SubaccountSID     string
	PrimaryProfileSID string
	BusinessName      string
	Status            Status
	Attestation       string
	CustomerProfile   BundleRef
	TrustProduct      BundleRef
	Requirements      []Requirement
	Version           int
	CreatedAt         time.Time
	UpdatedAt         time.Time
}

// Callback is one status callback as it arrived, whose signature was checked.
type Callback struct {
	OnboardingID ID
	ReceivedAt   time.Time
	// IdempotencyToken is Twilio's I-Twilio-Idempotency-Token: the same on a delivery that is tried
	// again. May be empty.
	IdempotencyToken string
	// SignedBy is the account whose token signed it, or "" where only the URL's token was asked
	// for.
	SignedBy    string
	ContentType string
	// Body is kept as it came.
	Body []byte
	// BundleSID and Status are what the body claims; "" where it does not say. Hints, never acted
	// on (invariant 8).
	BundleSID string
	Status    string
}
