package trusthubsim

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Twilio's codes of what an evaluation finds wrong.
const (
	codeMissingEndUser       = 22214
	codeMissingEndUserField  = 22215
	codeMissingDocument      = 22216
	codeMissingDocumentField = 22217
	codeFieldMismatch        = 22218
	codeMissingAddress       = 22219
)

// evaluation is the outcome of holding a bundle against its policy.
type evaluation struct {
	identity
	bundle    *bundle
	shape     EvaluationShape
	compliant bool
	results   []resultJSON
}

// resultJSON says whether one requirement is met. What is null where it is met is left as Twilio's
// examples have it.
type resultJSON struct {
	FriendlyName            string      `json:"friendly_name"`
	ObjectType              string      `json:"object_type"`
	Passed                  bool        `json:"passed"`
	FailureReason           *string     `json:"failure_reason"`
	ErrorCode               *int        `json:"error_code"`
	Valid                   []validJSON `json:"valid"`
	Invalid                 []faultJSON `json:"invalid"`
	RequirementFriendlyName string      `json:"requirement_friendly_name"`
	RequirementName         string      `json:"requirement_name"`
}

type validJSON struct {
	FriendlyName  string  `json:"friendly_name"`
	ObjectField   string  `json:"object_field"`
	Passed        bool    `json:"passed"`
	FailureReason *string `json:"failure_reason"`
	ErrorCode     *int    `json:"error_code"`
}

// faultJSON is a field that is missing or wrong. Twilio's examples have no "passed" in it.
type faultJSON struct {
	FriendlyName  string `json:"friendly_name"`
	ObjectField   string `json:"object_field"`
	FailureReason string `json:"failure_reason"`
	ErrorCode     int    `json:"error_code"`
}

type evaluationJSON struct {
	SID                string `json:"sid"`
	AccountSID         string `json:"account_sid"`
	PolicySID          string `json:"policy_sid"`
	CustomerProfileSID string `json:"customer_profile_sid,omitempty"`
	TrustProductSID    string `json:"trust_product_sid,omitempty"`
	Status             string `json:"status"`
	Results            any    `json:"results"`
	DateCreated        string `json:"date_created"`
	URL                string `json:"url"`
}

func (e *evaluation) status() string {
	if e.compliant {
		return "compliant"
	}
	return "noncompliant"
}

func (e *evaluation) render(base string) any {
	b := e.bundle
	return evaluationJSON{
		SID: e.sid, AccountSID: b.account.sid, PolicySID: b.policy.sid,
		CustomerProfileSID: b.sidFor(customerProfiles), TrustProductSID: b.sidFor(trustProducts),
		Status: e.status(), Results: shaped(e.results, e.shape), DateCreated: iso8601(e.created), URL: b.url(base) + "/Evaluations/" + e.sid,
	}
}

// evaluate holds a bundle against the policy that it was made for, whatever its status.
func (k *bundleKind) evaluate(c *call) (answer, *apiError) {
	b, apiErr := k.bundle(c)
	if apiErr != nil {
		return answer{}, apiErr
	}
	if c.form.Get("PolicySid") != b.policy.sid {
		return answer{}, badRequest(codeInvalidParameter, "%s was not made for the policy %s", b.sid, c.form.Get("PolicySid"))
	}
	e := &evaluation{identity: c.sim.newIdentity(c.account.sid, "EL", c.now), bundle: b, shape: c.sim.cfg.EvaluationShape}
	e.results, e.compliant = c.sim.hold(b, c.now)
	b.evaluations.add(e)
	return answer{status: http.StatusCreated, body: e.render(c.base), sid: e.sid}, nil
}

func (k *bundleKind) listEvaluations(c *call) (answer, *apiError) {
	b, apiErr := k.bundle(c)
	if apiErr != nil {
		return answer{}, apiErr
	}
	return trustHubList(c, "results", b.evaluations.order, nil, func(e *evaluation) any { return e.render(c.base) })
}

func (k *bundleKind) fetchEvaluation(c *call) (answer, *apiError) {
	b, apiErr := k.bundle(c)
	if apiErr != nil {
		return answer{}, apiErr
	}
	e, ok := b.evaluations.get(c.lastSID())
	if !ok {
		return answer{}, notFound(c.path)
	}
	return answer{body: e.render(c.base), sid: e.sid}, nil
}

// hold holds a bundle against its policy's requirements.
func (s *Simulator) hold(b *bundle, now time.Time) (results []resultJSON, compliant bool) {
	results = []resultJSON{}
	for _, r := range b.policy.endUsers {
		assigned := b.ofType(r.kind.name)
		if assigned == nil && r.optional {
			continue
		}
		result := newResult(r.friendlyName, r.kind.name, r.friendlyName, r.kind.name)
		var attributes map[string]any
		if assigned != nil {
			attributes = assigned.endUser.attributes
		} else {
			result.fail(codeMissingEndUser, "A %s End-User is missing. Please add one to the bundle.", r.friendlyName)
		}
		result.checkFields(r, attributes, codeMissingEndUserField, &s.cfg)
		results = append(results, result)
	}
	for _, r := range b.policy.documents {
		assigned := b.ofType(r.kind.name)
		result := newResult(r.friendlyName, r.kind.name, r.friendlyName, r.kind.name)
		if assigned == nil {
			result.fail(codeMissingDocument, "A %s is missing. Please add one to the bundle.", r.friendlyName)
			result.checkFields(r, nil, codeMissingDocumentField, &s.cfg)
		} else if _, missing := assigned.document.addresses(); missing > 0 {
			result.wrong(r.kind.fields[0], codeMissingAddress, "The Address is missing. Please name an address of this account.")
		} else {
			result.checkFields(r, assigned.document.attributes, codeMissingDocumentField, &s.cfg)
		}
		results = append(results, result)
	}
	for _, r := range b.policy.profiles {
		results = append(results, s.holdProfile(b, r, now))
	}
	return results, !slices.ContainsFunc(results, func(r resultJSON) bool { return !r.Passed })
}

var (
	fieldBundleSID    = attribute{name: "bundle_sid", friendlyName: "Supporting Bundle"}
	fieldBundleStatus = attribute{name: "bundle_status", friendlyName: "Supporting Bundle Status"}
)

// holdProfile checks the customer profile that supports a bundle: that it is there, and its status.
func (s *Simulator) holdProfile(b *bundle, r profileRequirement, now time.Time) resultJSON {
	result := newResult(r.friendlyName+" Bundle", r.types[0], r.friendlyName, r.name)
	profile := b.customerProfile()
	if profile == nil && !r.gated {
		result.fail(s.cfg.MissingPrimaryCode, "Primary customer profile bundle is null")
		return result
	}
	if profile == nil {
		result.fail(codeMissingDocument, "A %s is missing. Please add one to the bundle.", r.friendlyName)
		result.wrong(fieldBundleSID, codeMissingDocumentField, "The %s is missing.", r.friendlyName)
		return result
	}
	result.ObjectType = profile.policy.bundleType
	result.right(fieldBundleSID)
	if profile.approved(now) || r.gated && s.cfg.ProductGate == GateSubmitted && profile.inReview() {
		result.right(fieldBundleStatus)
	} else {
		result.wrong(fieldBundleStatus, codeMissingDocumentField, "The %s is %s.", r.friendlyName, profile.status)
	}
	return result
}

func newResult(friendlyName, objectType, requirement, requirementName string) resultJSON {
	return resultJSON{
		FriendlyName: friendlyName, ObjectType: objectType, Passed: true, Valid: []validJSON{}, Invalid: []faultJSON{},
		RequirementFriendlyName: requirement, RequirementName: requirementName,
	}
}

// checkFields goes through the attributes that a requirement's type has.
func (r *resultJSON) checkFields(required requirement, attributes map[string]any, missing int, cfg *Config) {
	for _, f := range required.kind.fields {
		value, wrong := attributeText(attributes, f.name), ""
		if value != "" && f.wrong != nil {
			wrong = f.wrong(value, checked{f, attributes, cfg})
		}
		switch {
		case value == "" && !f.optional:
			r.wrong(f, missing, "The %s is missing. Please enter in a %s on the %s.", f.friendlyName, f.friendlyName, required.friendlyName)
		case wrong != "":
			r.wrong(f, cfg.InvalidFieldCode, "%s", wrong)
		case value != "":
			r.right(f)
		}
	}
}

func (r *resultJSON) right(f attribute) {
	r.Valid = append(r.Valid, validJSON{FriendlyName: f.friendlyName, ObjectField: f.name, Passed: true})
}

// wrong adds a field that is wrong; the requirement fails with the first one, unless it failed
// before.
func (r *resultJSON) wrong(f attribute, code int, format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	r.Invalid = append(r.Invalid, faultJSON{FriendlyName: f.friendlyName, ObjectField: f.name, FailureReason: reason, ErrorCode: code})
	if r.Passed {
		r.fail(code, "%s", reason)
	}
}

func (r *resultJSON) fail(code int, format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	r.Passed, r.FailureReason, r.ErrorCode = false, &reason, &code
}
