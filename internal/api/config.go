package api

import (
	"context"
	"log/slog"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/desk"
)

// Config is what the API is made of. Every field is needed but DefaultPrimaryProfileSID.
type Config struct {
	// Service is a *desk.Service.
	Service Onboardings
	// Comparer is a *reconcile.Reconciler with a bound on its time.
	Comparer Comparer
	// Subaccounts reads lists of Twilio. A *trusthub.Client does.
	Subaccounts onboarding.SubaccountReader
	// Reviews is a *desk.ReviewHistory.
	Reviews ReviewHistory
	// History is a *store.Store.
	History History
	// Callbacks finds the onboarding of a callback. An onboarding.Repository does.
	Callbacks CallbackTokens
	Keys      Keys
	Verifier  SignatureVerifier
	// CallbackAuth says what proves that a callback is from Twilio; CallbackSignature if empty.
	CallbackAuth CallbackAuth
	// PublicURL is the URL under which Twilio reaches this server, without a slash at its end.
	// Signatures are checked against this URL and never against the Host of a request, which is
	// another one behind a proxy that ends TLS.
	PublicURL string
	// DefaultPrimaryProfileSID (BU…) is used where a request names none. Without either, the
	// request is refused.
	DefaultPrimaryProfileSID string
	// Now tells the time.
	Now func() time.Time
	// Ready returns nil if the server can take requests. Its error is logged and not answered.
	Ready  func(ctx context.Context) error
	Logger *slog.Logger
}

// Onboardings is what the API asks of package desk.
type Onboardings interface {
	// Create accepts a valid request for actor, "key:NAME". Errors: *onboarding.ConflictError.
	Create(ctx context.Context, actor string, r onboarding.Request) (*onboarding.Onboarding, error)
	// Get returns an onboarding with its steps in order. Errors: onboarding.ErrNotFound.
	Get(ctx context.Context, id onboarding.ID) (*onboarding.Onboarding, error)
	// List returns a page, newest first, and the cursor of the next page or nil.
	List(ctx context.Context, f onboarding.Filter) ([]onboarding.Summary, *onboarding.Cursor, error)
	// Resume makes failed steps due again. Errors: onboarding.ErrNotFound.
	Resume(ctx context.Context, actor string, id onboarding.ID) (*onboarding.Onboarding, error)
	// Amend replaces this version of the request by a corrected one, which is valid. Errors:
	// onboarding.ErrNotFound, desk.ErrVersion, *desk.RefusedError.
	Amend(ctx context.Context, actor string, id onboarding.ID, version int, amended onboarding.Request) (*onboarding.Onboarding, error)
	// AddNumbers adds numbers to the request, RemoveNumber removes one. Errors:
	// onboarding.ErrNotFound, *desk.RefusedError, and desk.ErrNumberNotFound for a number that the
	// request does not name.
	AddNumbers(ctx context.Context, actor string, id onboarding.ID, numbers []string, move bool) (*onboarding.Onboarding, error)
	RemoveNumber(ctx context.Context, actor string, id onboarding.ID, number string) (*onboarding.Onboarding, error)
	// Cancel ends an onboarding. Errors: onboarding.ErrNotFound.
	Cancel(ctx context.Context, actor string, id onboarding.ID, cleanup bool) (*onboarding.Onboarding, error)
	// ReceiveCallback stores a callback that was checked, and wakes its onboarding.
	ReceiveCallback(ctx context.Context, c onboarding.Callback) error
}

var _ Onboardings = (*desk.Service)(nil)

// CallbackTokens finds onboardings by the token in their callback URL. It is asked only for tokens
// of at most 128 letters, digits and "._~-", which need no escaping in a URL.
type CallbackTokens interface {
	// FindByCallbackToken returns the onboarding and its subaccount. Errors:
	// onboarding.ErrNotFound.
	FindByCallbackToken(ctx context.Context, token string) (onboarding.ID, string, error)
}

// SignatureVerifier checks X-Twilio-Signature.
type SignatureVerifier interface {
	// SignedBy returns the SID of the account whose auth token made the signature over the URL and
	// the body: the subaccount or its parent, or "" for neither. An error means that the signature
	// could not be checked.
	SignedBy(ctx context.Context, subaccount, signature, url, contentType string, body []byte) (account string, err error)
}
