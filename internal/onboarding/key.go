package onboarding

import "strings"

// Key names a step within its onboarding. This file is the only place that knows how keys are
// built; everybody else asks a node or a step for its [Role].
//
//	key        = bundle | object | read | bundle "." part | key ".replaced." SID
//	part       = object | "number." SID | "evaluation" | "submission" | "review"
//
// A key is also the second half of an object's FriendlyName at Twilio, which has 64 characters.
type Key string

// The bundles: the customer profile, and the products on top of it.
const (
	CustomerProfileKey Key = "customer_profile"
	ShakenStirKey      Key = "trust_product"
	VoiceIntegrityKey  Key = "voice_integrity"
	CNAMKey            Key = "cnam"
)

// The objects that go onto the bundles, and the reads before and after them. Voice Integrity's and
// CNAM's end users have shortened names: a FriendlyName has no room for Twilio's.
const (
	SubaccountKey          Key = "subaccount"
	SubaccountNameKey      Key = "subaccount.name"
	PreflightKey           Key = "preflight"
	NumbersCheckKey        Key = "numbers_check"
	PrimaryProfileKey      Key = "primary"
	AddressKey             Key = "address"
	AddressDocumentKey     Key = "address_document"
	BusinessInformationKey Key = "business_information"
	VoiceIntegrityUserKey  Key = "voice_integrity_user"
	CNAMUserKey            Key = "cnam_user"
)

// RepresentativeKeys are the steps of the authorized representatives, in the order of the request.
// Twilio's policy has room for two.
var RepresentativeKeys = [2]Key{"representative_1", "representative_2"}

const (
	evaluationPart = ".evaluation"
	submissionPart = ".submission"
	reviewPart     = ".review"
	numberPart     = ".number."
	replacedPart   = ".replaced."
)

// Evaluation is the step that has Twilio evaluate the bundle k.
func (k Key) Evaluation() Key { return k + evaluationPart }

// Submission is the step that hands the bundle k to Twilio's reviewers.
func (k Key) Submission() Key { return k + submissionPart }

// Review is the step that waits for the reviewers' decision about the bundle k.
func (k Key) Review() Key { return k + reviewPart }

// Number is the step that puts the number of that SID (PN…) on the bundle k.
func (k Key) Number(sid string) Key { return k + numberPart + Key(sid) }

// Assignment is the step that puts what the step object has made on the bundle k.
func (k Key) Assignment(object Key) Key { return k + "." + object }

// Replaced is the step that records an earlier object of the step k: another took its place.
func (k Key) Replaced(sid string) Key { return k + replacedPart + Key(sid) }

// SplitNumber is the reverse of [Key.Number].
func (k Key) SplitNumber() (bundle Key, sid string, ok bool) { return k.split(numberPart) }

// SplitReplaced is the reverse of [Key.Replaced].
func (k Key) SplitReplaced() (step Key, sid string, ok bool) { return k.split(replacedPart) }

func (k Key) split(part string) (before Key, after string, ok bool) {
	b, after, ok := strings.Cut(string(k), part)
	return Key(b), after, ok
}

// IsPartOf tells whether k is a step of the bundle other than the one that makes it. What records a
// replaced bundle is not.
func (k Key) IsPartOf(bundle Key) bool {
	return len(k) > len(bundle) && k[len(bundle)] == '.' && k[:len(bundle)] == bundle &&
		!strings.HasPrefix(string(k[len(bundle):]), replacedPart)
}
