package trusthubsim

import (
	"fmt"
	"strings"
)

// The groups of switches, in the order of the manual.
const (
	groupParent      = "The parent account"
	groupReviews     = "Reviews and what they find"
	groupReasons     = "How a rejection is told"
	groupEdits       = "What may be changed"
	groupEvaluations = "Evaluations and accepted values"
	groupNumbers     = "Phone numbers and addresses"
	groupReading     = "Lists, time and strain"
	groupCallbacks   = "Status callbacks"
)

// switches is the table that flags, variables, /_sim/switches and the manual are made of. The
// letters in what is known: S is Twilio's specification or its onboarding guide, D another document
// of Twilio's, F a report by people who run this, C sources that contradict each other.
var switches = []switchRow{
	{
		name: "account_sid", group: groupParent, field: func(c *Config) any { return &c.AccountSID }, startOnly: true,
		means: "SID of the parent account", unusable: notSID("AC"),
	},
	{
		name: "auth_token", group: groupParent, field: func(c *Config) any { return &c.AuthToken }, startOnly: true,
		means: "auth token of the parent account", unusable: func(token string) string {
			if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
				return "is empty or has a character that no token has"
			}
			return ""
		},
	},
	{
		name: "primary_profile_sid", group: groupParent, field: func(c *Config) any { return &c.PrimaryProfileSID }, startOnly: true,
		means: "SID of the parent's primary profile", unusable: notSID("BU"),
	},
	{
		name: "primary_identity", group: groupParent, field: func(c *Config) any { return &c.PrimaryIdentity }, startOnly: true,
		means: "`business_identity` of the primary profile; with any other than the default no secondary profile can be made",
		known: "S, F",
	},
	{
		name: "public_url", group: groupParent, field: func(c *Config) any { return &c.PublicURL }, startOnly: true,
		means: "base of the absolute URLs in answers; empty takes each request's own host", unusable: func(text string) string {
			if text != "" && !isURL(text) {
				return fmt.Sprintf("is not an http or https URL: %q", text)
			}
			return ""
		},
	},
	{
		name: "seed", group: groupParent, field: func(c *Config) any { return &c.Seed }, startOnly: true, program: "1",
		means: "what SIDs, tokens and chances are drawn from: the same calls give the same SIDs",
	},

	{
		name: "review", group: groupReviews, field: func(c *Config) any { return &c.Review },
		values: []string{string(ReviewAuto), string(ReviewManual)},
		means:  "who decides about submissions: the data, or `POST /_sim/reviews/{BU}`",
	},
	{
		name: "review_delay", group: groupReviews, field: func(c *Config) any { return &c.ReviewDelay }, program: "2s",
		means: "time from submission to decision; half-way the bundle goes to `in-review`",
		known: "D: about 24 h for a profile, 72 h for a product",
	},
	{
		name: "check_delay", group: groupReviews, field: func(c *Config) any { return &c.CheckDelay }, above: true,
		means: "time from submission to a rejection by the checks of e-mail addresses and addresses; a review that ends earlier brings it",
		known: "D: 10 to 30 s",
	},
	{
		name: "skip_checks", group: groupReviews, field: func(c *Config) any { return &c.SkipChecks },
		means: "no checks of e-mail addresses and addresses after a submission",
		known: "D for starter profiles, F that secondary ones are checked as well",
	},
	{
		name: "approval_validity", group: groupReviews, field: func(c *Config) any { return &c.ApprovalValidity },
		means: "time from approval to `valid_until`",
	},
	{
		name: "product_gate", group: groupReviews, field: func(c *Config) any { return &c.ProductGate },
		values: []string{string(GateApproved), string(GateSubmitted)},
		means:  "status of the profile that a product's evaluation asks for; `submitted` is content with a review under way",
		known:  "C: a sibling guide builds on unapproved profiles, reports differ",
	},
	{
		name: "products_follow_profile", group: groupReviews, field: func(c *Config) any { return &c.ProductsFollowProfile },
		means: "a rejected profile takes its products in review along (11005, 11006); otherwise they wait for its approval",
		known: "D that such a product is submitted again, not how it is told",
	},
	{
		name: "submitted_in_review", group: groupReviews, field: func(c *Config) any { return &c.SubmittedInReview },
		means: "the answer to a submission says `in-review` already", known: "S: it may",
	},
	{
		name: "refuse_incomplete", group: groupReviews, field: func(c *Config) any { return &c.RefuseIncomplete },
		means: "the submission of an incomplete bundle is refused (400, 70002); otherwise it answers 200 and the bundle stays a draft",
		known: "F for the latter",
	},
	{
		name: "any_email_domain", group: groupReviews, field: func(c *Config) any { return &c.AnyEmailDomain },
		means: "representatives' e-mail addresses may be in other domains than the website (18606)", known: "D: they must not",
	},
	{
		name: "bundle_email_domain", group: groupReviews, field: func(c *Config) any { return &c.BundleEmailDomain },
		means: "the profile's own `Email` must be in the website's domain too (18606)",
		known: "F; the guide asks for a mailbox of the ISV's there",
	},
	{
		name: "us_duns", group: groupReviews, field: func(c *Config) any { return &c.USDUNS },
		means: "a business with an address in the USA may register with a DUNS number; otherwise it is rejected (18602)",
		known: "C: S lists DUNS for the USA, D asks for an EIN",
	},
	{
		name: "any_caller_name", group: groupReviews, field: func(c *Config) any { return &c.AnyCallerName },
		means: "a CNAM need not have a word of the business's name (11007)",
		known: "D that it must be the business's; the comparison is the simulator's",
	},

	{
		name: "rejection_reason", group: groupReasons, field: func(c *Config) any { return &c.RejectionReason },
		values: []string{string(ReasonErrors), string(ReasonCallback), string(ReasonEvaluation)},
		means:  "where the reason is: codes in the bundle's `errors` and words in the callback; in the callback alone; in the newest evaluation alone",
		known:  "S for `errors`; D that the granular reason can come only by callback; F that the newest evaluation has it",
	},

	{
		name: "rejected_products_final", group: groupEdits, field: func(c *Config) any { return &c.RejectedProductsFinal },
		means: "a rejected product cannot be edited or submitted again; it gives its numbers up", known: "F: one report",
	},
	{
		name: "edit_approved", group: groupEdits, field: func(c *Config) any { return &c.EditApproved },
		means: "an approved bundle, and what is on it, can be edited, and the bundle be submitted again",
		known: "C: an error page and a script say no, a troubleshooting page does it",
	},
	{
		name: "numbers_during_review", group: groupEdits, field: func(c *Config) any { return &c.NumbersDuringReview },
		means: "a product's numbers may change while it is in review", known: "C: the guide says so, D that bundles in review cannot be edited",
	},
	{
		name: "status_alone", group: groupEdits, field: func(c *Config) any { return &c.StatusAlone },
		means: "`StatusCallback` beside `Status` in one update is refused as other properties are (22204)",
		known: "S: the present guide sends both; D for other properties",
	},

	{
		name: "evaluation_shape", group: groupEvaluations, field: func(c *Config) any { return &c.EvaluationShape },
		values: []string{string(ShapeValidInvalid), string(ShapeFields), string(ShapeBareFields)},
		means:  "results have `passed`, `valid[]`, `invalid[]`; or `passed` and `fields[]`; or `fields[]` alone",
		known:  "S for the first, F for the others",
	},
	{
		name: "invalid_field_code", group: groupEvaluations, field: func(c *Config) any { return &c.InvalidFieldCode },
		values: []string{"22218", "22215"},
		means:  "code of an attribute that is there and wrong; a missing one has 22215 (end users) or 22217 (documents)",
		known:  "F for 22218",
	},
	{
		name: "missing_primary_code", group: groupEvaluations, field: func(c *Config) any { return &c.MissingPrimaryCode },
		values: []string{"22216", "22214", "22217"},
		means:  "code of a primary profile that is not on the bundle: \"Primary customer profile bundle is null\"",
		known:  "F for the words; the code was not seen",
	},
	{
		name: "guide_lists", group: groupEvaluations, field: func(c *Config) any { return &c.GuideLists },
		means: "only the onboarding guide's values are accepted, not those of Twilio's other pages", known: "C: the pages differ",
	},
	{
		name: "single_region", group: groupEvaluations, field: func(c *Config) any { return &c.SingleRegion },
		means: "`business_regions_of_operation` is one region, not several with commas", known: "not known",
	},
	{
		name: "any_use_case", group: groupEvaluations, field: func(c *Config) any { return &c.AnyUseCase },
		means: "Voice Integrity accepts any `use_case`; otherwise the listed ones, exact in wording and case", known: "F for the list",
	},
	{
		name: "count_ranges", group: groupEvaluations, field: func(c *Config) any { return &c.CountRanges },
		means: "the counts of Voice Integrity may be ranges such as `25-50`", known: "C: two sources have whole numbers, one has ranges",
	},

	{
		name: "duplicate_code", group: groupNumbers, field: func(c *Config) any { return &c.DuplicateCode },
		values: []string{"20409", "70003"}, means: "code of the 409 for an assignment that is there already", known: "F: both were seen",
	},
	{
		name: "unfit_numbers", group: groupNumbers, field: func(c *Config) any { return &c.UnfitNumbers },
		means: "any number may go on any product; otherwise CNAM takes US numbers that are not toll-free, Voice Integrity US numbers, SHAKEN/STIR those of +1",
		known: "D for CNAM; how it is refused is not known",
	},
	{
		name: "us_addresses_unchecked", group: groupNumbers, field: func(c *Config) any { return &c.USAddressesUnchecked },
		means: "addresses in the USA and Canada are taken as they are on creation, unless `EmergencyEnabled`",
		known: "C: D validates them for emergency use only; S corrects addresses by default",
	},

	{
		name: "latency", group: groupReading, field: func(c *Config) any { return &c.Latency }, means: "time added to each request",
	},
	{
		name: "list_lag", group: groupReading, field: func(c *Config) any { return &c.ListLag }, means: "time until a list shows a new object",
	},
	{
		name: "max_concurrent", group: groupReading, field: func(c *Config) any { return &c.MaxConcurrent },
		means: "open requests per account, more are answered 429 (20429); 0 is no limit", known: "D, without a number",
	},
	{
		name: "retry_after", group: groupReading, field: func(c *Config) any { return &c.RetryAfter },
		means: "`Retry-After` of those 429, in whole seconds; 0 sends none", known: "not known",
	},
	{
		name: "exact_name_filter", group: groupReading, field: func(c *Config) any { return &c.ExactNameFilter },
		means: "the `FriendlyName` filter of profiles and products matches whole names with their case; otherwise parts of them without",
		known: "not known",
	},
	{
		name: "lower_document_status", group: groupReading, field: func(c *Config) any { return &c.LowerDocumentStatus },
		means: "the status of supporting documents is in lower case", known: "C: the guide has `draft`, a changelog upper case since 2025",
	},

	{
		name: "callbacks.lost", group: groupCallbacks, field: func(c *Config) any { return &c.Callbacks.Lost }, share: true,
		means: "share of callbacks that are never sent", known: "D: they are not durable",
	},
	{
		name: "callbacks.duplicated", group: groupCallbacks, field: func(c *Config) any { return &c.Callbacks.Duplicated }, share: true,
		means: "share of callbacks that are delivered twice, with one idempotency token", known: "D",
	},
	{
		name: "callbacks.repeats", group: groupCallbacks, field: func(c *Config) any { return &c.Callbacks.Repeats },
		means: "how many more times each callback comes, with the same body and another idempotency token", known: "F",
	},
	{
		name: "callbacks.in_review", group: groupCallbacks, field: func(c *Config) any { return &c.Callbacks.InReview },
		means: "the change to `in-review` is called back as well", known: "C: F it is, D of the sibling API it is not",
	},
	{
		name: "callbacks.bundle_field", group: groupCallbacks, field: func(c *Config) any { return &c.Callbacks.BundleField },
		values: bundleFields, means: "name of the field with the bundle's SID; with `BundleSID` the account's is `AccountSID`",
		known: "F for `BundleSid` and the other spellings, D of the sibling API for `BundleSID`",
	},
	{
		name: "callbacks.unsigned", group: groupCallbacks, field: func(c *Config) any { return &c.Callbacks.Unsigned }, share: true,
		means: "share of callbacks without a signature", known: "F: one report",
	},
	{
		name: "callbacks.parent_signs", group: groupCallbacks, field: func(c *Config) any { return &c.Callbacks.ParentSigns },
		means: "callbacks are signed with the parent's token instead of the subaccount's own", known: "F for the subaccount's",
	},
	{
		name: "callbacks.json", group: groupCallbacks, field: func(c *Config) any { return &c.Callbacks.JSON },
		means: "the body is JSON, with its SHA-256 in the URL, instead of a form", known: "not documented",
	},
	{
		name: "callbacks.delay", group: groupCallbacks, field: func(c *Config) any { return &c.Callbacks.Delay }, means: "time before each callback",
	},
	{
		name: "callbacks.spread", group: groupCallbacks, field: func(c *Config) any { return &c.Callbacks.Spread },
		means: "up to this time more, drawn for each callback, so that they overtake one another", known: "D: no order is promised",
	},
}

// notSID says what is wrong with a text that is to be a SID.
func notSID(prefix string) func(string) string {
	return func(text string) string {
		if !isSID(text, prefix) {
			return fmt.Sprintf("is %s and 32 hex digits, not %q", prefix, text)
		}
		return ""
	}
}
