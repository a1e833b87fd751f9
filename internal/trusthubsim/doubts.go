package trusthubsim

// RejectionReason says where a client can read why a bundle was rejected.
type RejectionReason string

const (
	// ReasonErrors puts the codes into the bundle's errors, and their words into the callback too.
	ReasonErrors RejectionReason = "errors"
	// ReasonCallback leaves errors empty: the callback's FailureReason alone has the reason.
	ReasonCallback RejectionReason = "callback"
	// ReasonEvaluation leaves errors and callback without a reason: the newest evaluation has it.
	ReasonEvaluation RejectionReason = "evaluation"
)

// EvaluationShape says how an evaluation's results are written.
type EvaluationShape string

const (
	// ShapeValidInvalid is that of Twilio's specification: passed, valid[] and invalid[].
	ShapeValidInvalid EvaluationShape = "valid_invalid"
	// ShapeFields is the older one: passed, and fields[] that each say whether they passed.
	ShapeFields EvaluationShape = "fields"
	// ShapeBareFields is the older one without passed on the result.
	ShapeBareFields EvaluationShape = "bare_fields"
)

// Doubts are the questions about Twilio that its documents leave open, that they answer in two
// ways, or that only reports answer. The zero value is the strict answer, unless the table of
// switches gives a reason for another.
type Doubts struct {
	// RejectionReason is ReasonErrors by default.
	RejectionReason RejectionReason `json:"rejection_reason"`
	// SkipChecks turns the checks of e-mail addresses and addresses after a submission off.
	SkipChecks bool `json:"skip_checks"`
	// ProductsFollowProfile rejects a profile's products in review when the profile is rejected.
	ProductsFollowProfile bool `json:"products_follow_profile"`
	// BundleEmailDomain rejects (18606) a profile whose own Email is not in the website's domain.
	BundleEmailDomain bool `json:"bundle_email_domain"`
	// USDUNS lets a business with an address in the USA register with a DUNS number.
	USDUNS bool `json:"us_duns"`
	// AnyCallerName turns the comparison of the CNAM with the business's name off (11007).
	AnyCallerName bool `json:"any_caller_name"`
	// SubmittedInReview answers a submission with in-review at once.
	SubmittedInReview bool `json:"submitted_in_review"`
	// RefuseIncomplete answers the submission of an incomplete bundle with 400.
	RefuseIncomplete bool `json:"refuse_incomplete"`

	// EditApproved lets an approved bundle be edited and submitted again.
	EditApproved bool `json:"edit_approved"`
	// StatusAlone refuses StatusCallback beside Status in one update too.
	StatusAlone bool `json:"status_alone"`

	// EvaluationShape is ShapeValidInvalid by default.
	EvaluationShape EvaluationShape `json:"evaluation_shape"`
	// InvalidFieldCode is the code of a field that is there and wrong: 22218 by default, or 22215.
	InvalidFieldCode int `json:"invalid_field_code"`
	// MissingPrimaryCode is the code of a missing primary profile: 22216 by default.
	MissingPrimaryCode int `json:"missing_primary_code"`
	// GuideLists accepts the values that Twilio's onboarding guide lists, and no other page's.
	GuideLists bool `json:"guide_lists"`
	// SingleRegion refuses a comma list in business_regions_of_operation.
	SingleRegion bool `json:"single_region"`
	// AnyUseCase accepts any text as the use case of Voice Integrity.
	AnyUseCase bool `json:"any_use_case"`
	// CountRanges accepts ranges such as 25-50 as the counts of Voice Integrity.
	CountRanges bool `json:"count_ranges"`

	// DuplicateCode is the code of the 409 for a second assignment: 20409 by default, or 70003.
	DuplicateCode int `json:"duplicate_code"`
	// UnfitNumbers lets any number be put on any product.
	UnfitNumbers bool `json:"unfit_numbers"`
	// USAddressesUnchecked accepts any postal code and street in the USA and Canada, unless the
	// address is for emergency calls.
	USAddressesUnchecked bool `json:"us_addresses_unchecked"`

	// ExactNameFilter makes a FriendlyName filter match whole names, with their case.
	ExactNameFilter bool `json:"exact_name_filter"`
	// LowerDocumentStatus writes the status of supporting documents in lower case.
	LowerDocumentStatus bool `json:"lower_document_status"`
}

// withDefaults fills in what was left out.
func (d Doubts) withDefaults() Doubts {
	setDefault(&d.RejectionReason, ReasonErrors)
	setDefault(&d.EvaluationShape, ShapeValidInvalid)
	setDefault(&d.InvalidFieldCode, codeFieldMismatch)
	setDefault(&d.MissingPrimaryCode, codeMissingDocument)
	setDefault(&d.DuplicateCode, codeConflict)
	return d
}
