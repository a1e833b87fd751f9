package onboarding

import (
	"context"
	"time"
)

// TrustHub is what the state machine needs of Twilio. Each method is one call, but for those that
// say otherwise, and none repeats a POST.
//
// account is the SID of the account whose credentials sign the call: Trust Hub acts on that account
// and no other (invariant 7).
//
// Every error is a [*RemoteError]. The class tells what may be done: [ClassUnknown] after a POST
// means that it may have been applied, every other class that it was not, [ClassExists] that it was
// applied before.
//
// The Find methods return what the account holds under exactly that name, or parent and object,
// oldest first and from all pages; they are lookups, and one that finds nothing says so with an
// empty slice, not with an error.
type TrustHub interface {
	// Capacity says how many calls for the account are worth beginning now, and how long to wait
	// before any more of them: positive, unless there is no limit. Asking makes no call. No
	// capacity means that Twilio is down or the account is slowed down. Each caller is given a time
	// of his own, so that all who wait do not come back at once; he should ask once and keep to it.
	// The calls are not reserved: one that there is no capacity for any more fails with a
	// RemoteError that says NotSent.
	Capacity(account string) (calls int, wait time.Duration)

	// FetchAccount reads a subaccount with its parent's credentials.
	FetchAccount(ctx context.Context, sid string) (Account, error)
	// ParentAccount is the SID of the account that attestd was configured with.
	ParentAccount() string
	// FindPhoneNumbers resolves numbers, each a SID (PN…) or in E.164, among those the account
	// holds, in as few calls as that takes. What the account does not hold is left out.
	FindPhoneNumbers(ctx context.Context, account string, wanted []string) ([]PhoneNumber, error)
	// ListPhoneNumbers lists every number of the account that can make calls, by its number.
	ListPhoneNumbers(ctx context.Context, account string) ([]PhoneNumber, error)

	// CreateSubaccount makes a subaccount of the parent account, with the parent's credentials, as
	// does all that is about subaccounts.
	CreateSubaccount(ctx context.Context, friendlyName string) (Account, error)
	FindSubaccounts(ctx context.Context, friendlyName string) ([]Account, error)
	RenameSubaccount(ctx context.Context, sid, friendlyName string) (Account, error)

	FetchAddress(ctx context.Context, account, sid string) (Object, error)
	CreateAddress(ctx context.Context, account, friendlyName string, a Address) (Object, error)
	FindAddresses(ctx context.Context, account, friendlyName string) ([]Object, error)
	// UpdateAddress replaces the address's fields. Twilio refuses it for one that a verified
	// document names (21630).
	UpdateAddress(ctx context.Context, account, sid string, a Address) (Object, error)
	DeleteAddress(ctx context.Context, account, sid string) error

	// CreateSupportingDocument makes a document of type customer_profile_address that names the
	// address.
	CreateSupportingDocument(ctx context.Context, account, friendlyName, addressSID string) (Object, error)
	FindSupportingDocuments(ctx context.Context, account, friendlyName string) ([]Object, error)
	// UpdateSupportingDocument makes the document name another address.
	UpdateSupportingDocument(ctx context.Context, account, sid, addressSID string) (Object, error)
	DeleteSupportingDocument(ctx context.Context, account, sid string) error
	FetchSupportingDocument(ctx context.Context, account, sid string) (SupportingDocument, error)

	CreateEndUser(ctx context.Context, account string, u EndUser) (Object, error)
	FindEndUsers(ctx context.Context, account, friendlyName, endUserType string) ([]Object, error)
	// UpdateEndUser replaces all attributes of the end user.
	UpdateEndUser(ctx context.Context, account, sid string, attributes map[string]string) (Object, error)
	DeleteEndUser(ctx context.Context, account, sid string) error
	FetchEndUser(ctx context.Context, account, sid string) (RemoteEndUser, error)

	CreateBundle(ctx context.Context, account string, b NewBundle) (Bundle, error)
	FindBundles(ctx context.Context, account string, kind BundleKind, friendlyName, policySID string) ([]Bundle, error)
	// ListBundles lists all bundles of that kind that the account has, oldest first.
	ListBundles(ctx context.Context, account string, kind BundleKind) ([]Bundle, error)
	FetchBundle(ctx context.Context, account string, kind BundleKind, sid string) (Bundle, error)
	// SubmitBundle sets Status=pending-review. The status in the answer is what counts: an
	// incomplete bundle may come back in draft.
	SubmitBundle(ctx context.Context, account string, kind BundleKind, sid string) (Bundle, error)
	DeleteBundle(ctx context.Context, account string, kind BundleKind, sid string) error

	// AssignEntity puts an end user, a document or another bundle on a bundle.
	AssignEntity(ctx context.Context, account string, kind BundleKind, bundleSID, objectSID string) (Object, error)
	FindEntityAssignments(ctx context.Context, account string, kind BundleKind, bundleSID, objectSID string) ([]Object, error)
	DeleteEntityAssignment(ctx context.Context, account string, kind BundleKind, bundleSID, sid string) error
	// ListEntityAssignments lists all that is assigned to the bundle but numbers.
	ListEntityAssignments(ctx context.Context, account string, kind BundleKind, bundleSID string) ([]Assignment, error)

	// AssignNumber puts a phone number on a bundle.
	AssignNumber(ctx context.Context, account string, kind BundleKind, bundleSID, numberSID string) (Object, error)
	FindNumberAssignments(ctx context.Context, account string, kind BundleKind, bundleSID, numberSID string) ([]Object, error)
	DeleteNumberAssignment(ctx context.Context, account string, kind BundleKind, bundleSID, sid string) error
	// ListNumberAssignments lists the numbers that are on the bundle.
	ListNumberAssignments(ctx context.Context, account string, kind BundleKind, bundleSID string) ([]Assignment, error)

	// Evaluate checks a bundle against a policy; it changes nothing but leaves an evaluation
	// behind.
	Evaluate(ctx context.Context, account string, kind BundleKind, bundleSID, policySID string) (Evaluation, error)
	// FindEvaluations lists a bundle's evaluations, newest first.
	FindEvaluations(ctx context.Context, account string, kind BundleKind, bundleSID string) ([]Evaluation, error)
}

// Account is a Twilio account. Its token never leaves the TrustHub.
type Account struct {
	SID      string
	OwnerSID string
	// Status is active, suspended or closed.
	Status string
}

// PhoneNumber is an incoming phone number of a subaccount.
type PhoneNumber struct {
	SID string
	// Number is in E.164.
	Number string
}

// Object is anything with a SID that was made or found at Twilio.
type Object struct {
	SID       string
	CreatedAt time.Time
}

// EndUser is a new end user: its type names the attributes that Twilio takes.
type EndUser struct {
	FriendlyName string
	Type         string
	Attributes   map[string]string
}

// RemoteEndUser is an end user as Twilio holds it.
type RemoteEndUser struct {
	Object
	EndUser
}

// SupportingDocument is a document as Twilio holds it.
type SupportingDocument struct {
	Object
	Type string
	// AddressSIDs are the addresses that it names.
	AddressSIDs []string
}

// Assignment is something on a bundle: SID is the assignment's own, ObjectSID that of what is
// assigned.
type Assignment struct {
	Object
	ObjectSID string
}

// BundleKind tells the two resources apart that share the SID prefix BU and all their
// sub-resources.
type BundleKind int

// The kinds of bundle.
const (
	CustomerProfile BundleKind = iota + 1
	TrustProduct
)

// Statuses of a bundle, in lower case as the TrustHub returns them whatever case Twilio uses.
const (
	BundleDraft         = "draft"
	BundlePendingReview = "pending-review"
	BundleInReview      = "in-review"
	BundleApproved      = "twilio-approved"
	BundleRejected      = "twilio-rejected"
)

// BundleDeleted is our own word for the status of a bundle that is at Twilio no more.
const BundleDeleted = "deleted"

// UnderReview tells whether a bundle of that status waits for Twilio's reviewers.
func UnderReview(status string) bool {
	return status == BundlePendingReview || status == BundleInReview
}

// NewBundle is a customer profile or trust product to be made.
type NewBundle struct {
	Kind         BundleKind
	FriendlyName string
	PolicySID    string
	Email        string
	// StatusCallback may be empty: then only polling finds a change.
	StatusCallback string
}

// Bundle is a customer profile or trust product.
type Bundle struct {
	Object
	AccountSID string
	PolicySID  string
	Status     string
	// ValidUntil is when an approval lapses; zero if Twilio named no time.
	ValidUntil time.Time
	// Errors are the reviewer's, on a rejected bundle.
	Errors []BundleError
}

// BundleError is one reason why a bundle was rejected. Codes are those of
// https://www.twilio.com/docs/api/errors; an unknown one keeps its text.
type BundleError struct {
	Code    int
	Message string
}

// Evaluation statuses.
const (
	EvaluationCompliant    = "compliant"
	EvaluationNoncompliant = "noncompliant"
)

// EvaluationOutdated is our own word for the status of an evaluation that was under way when
// something on the bundle was amended.
const EvaluationOutdated = "outdated"

// Evaluation is Twilio's check of a bundle against a policy.
type Evaluation struct {
	Object
	Status  string
	Results []EvaluationResult
}

// EvaluationResult is one requirement of the policy.
type EvaluationResult struct {
	RequirementName string
	ObjectType      string
	Passed          bool
	Code            int
	FailureReason   string
	Invalid         []EvaluationField
}

// EvaluationField is a field that failed its check.
type EvaluationField struct {
	ObjectField   string
	Code          int
	FailureReason string
}
