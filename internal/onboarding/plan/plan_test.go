package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/onboarding"
)

func exampleRequest() onboarding.Request {
	return onboarding.Request{
		SubaccountSID:     "AC" + strings.Repeat("1", 32),
		PrimaryProfileSID: "BU" + strings.Repeat("2", 32),
		NotificationEmail: "trust@example.com",
		Business: onboarding.Business{
			Name: "Example Plumbing LLC", Identity: "direct_customer", Type: "Limited Liability Corporation", Industry: "CONSTRUCTION",
			RegistrationIdentifier: "EIN", RegistrationNumber: "123456789", RegionsOfOperation: "USA_AND_CANADA", WebsiteURL: "https://example.com",
		},
		Address:                   onboarding.Address{CustomerName: "Example Plumbing LLC", Street: "1 Main St", City: "Springfield", Region: "IL", PostalCode: "62701", ISOCountry: "US"},
		AuthorizedRepresentatives: []onboarding.Representative{{Email: "one@example.com"}},
		PhoneNumbers:              []string{"+13125550101", numberSID(2)},
	}
}

func numberSID(i int) string { return "PN" + strings.Repeat(string(rune('0'+i)), 32) }

func examplePlan(gate Gate) onboarding.Plan { return TrustHub(Config{Gate: gate, Now: time.Now}) }

func TestPlanHasEveryStepOfTheGuide(t *testing.T) {
	o := &onboarding.Onboarding{ID: "onb_1", Request: exampleRequest()}
	o.Request.AuthorizedRepresentatives = append(o.Request.AuthorizedRepresentatives, onboarding.Representative{Email: "two@example.com"})
	o.Numbers = []onboarding.PhoneNumber{{SID: numberSID(1), Number: "+13125550101"}}
	got := make(map[onboarding.Key][]onboarding.Key)
	for _, n := range examplePlan(GateAuto).Nodes(o) {
		got[n.Key] = n.Needs
	}
	pn := "number." + numberSID(1)
	want := map[onboarding.Key][]onboarding.Key{
		"preflight":                              nil,
		"customer_profile":                       {"preflight"},
		"customer_profile.primary":               {"customer_profile"},
		"address":                                {"preflight"},
		"address_document":                       {"address"},
		"customer_profile.address_document":      {"customer_profile", "address_document"},
		"business_information":                   {"preflight"},
		"customer_profile.business_information":  {"customer_profile", "business_information"},
		"representative_1":                       {"preflight"},
		"customer_profile.representative_1":      {"customer_profile", "representative_1"},
		"representative_2":                       {"preflight"},
		"customer_profile.representative_2":      {"customer_profile", "representative_2"},
		onboarding.Key("customer_profile." + pn): {"customer_profile"},
		"customer_profile.evaluation": {"customer_profile.primary", "customer_profile.address_document", "customer_profile.business_information",
			"customer_profile.representative_1", "customer_profile.representative_2", onboarding.Key("customer_profile." + pn),
			// What is on it may be corrected while it stays there.
			"customer_profile", "address_document", "business_information", "representative_1", "representative_2", "preflight", "address"},
		"customer_profile.submission":         {"customer_profile.evaluation"},
		"customer_profile.review":             {"customer_profile.submission"},
		"trust_product":                       {"preflight"},
		"trust_product.customer_profile":      {"trust_product", "customer_profile"},
		onboarding.Key("trust_product." + pn): {"trust_product.customer_profile", onboarding.Key("customer_profile." + pn)},
		"trust_product.evaluation": {"trust_product.customer_profile", onboarding.Key("trust_product." + pn),
			"trust_product", "customer_profile", onboarding.Key("customer_profile." + pn), "preflight", "customer_profile.submission"},
		"trust_product.submission": {"trust_product.evaluation"},
		"trust_product.review":     {"trust_product.submission"},
		"numbers_check":            {"preflight"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps and their needs (-want +got):\n%s", diff)
	}
}

func TestEveryNeedComesBeforeTheStepThatNeedsIt(t *testing.T) {
	for _, gate := range []Gate{GateAuto, GateSubmitted, GateApproved} {
		o := &onboarding.Onboarding{ID: "onb_1", Request: exampleRequest(), Numbers: []onboarding.PhoneNumber{{SID: numberSID(1)}, {SID: numberSID(2)}}}
		seen := make(map[onboarding.Key]bool)
		for _, n := range examplePlan(gate).Nodes(o) {
			for _, need := range n.Needs {
				if !seen[need] {
					t.Errorf("gate %s: %s needs %s, which does not come before it", gate, n.Key, need)
				}
			}
			if seen[n.Key] {
				t.Errorf("gate %s: %s is there twice", gate, n.Key)
			}
			seen[n.Key] = true
		}
	}
}

func TestLongestChainToTheSecondSubmissionIsEightCalls(t *testing.T) {
	o := &onboarding.Onboarding{ID: "onb_1", Request: exampleRequest(), Numbers: []onboarding.PhoneNumber{{SID: numberSID(1)}}}
	depth := make(map[onboarding.Key]int)
	for _, n := range examplePlan(GateSubmitted).Nodes(o) {
		for _, need := range n.Needs {
			depth[n.Key] = max(depth[n.Key], depth[need])
		}
		depth[n.Key]++
	}
	if got := depth["trust_product.submission"]; got != 8 {
		t.Errorf("the trust product is submitted after %d calls in a row, want 8", got)
	}
}

func TestGateApprovedHoldsTheProductBack(t *testing.T) {
	o := &onboarding.Onboarding{ID: "onb_1", Request: exampleRequest()}
	for _, n := range examplePlan(GateApproved).Nodes(o) {
		if n.Key == "trust_product.evaluation" && !slices.Contains(n.Needs, "customer_profile.review") {
			t.Errorf("the product's evaluation needs %v: not the profile's approval", n.Needs)
		}
	}
}

func TestFriendlyNamesFitAndSurviveAQuery(t *testing.T) {
	o := &onboarding.Onboarding{ID: "onb_0190e1c8-7c5a-7b3e-8a43-2b1c5f0d9e11", Request: exampleRequest()}
	o.Request.AuthorizedRepresentatives = append(o.Request.AuthorizedRepresentatives, onboarding.Representative{})
	for _, key := range []onboarding.Key{"customer_profile", "trust_product", "address", "address_document", "business_information", "representative_1", "representative_2"} {
		name := tag(o.ID, key)
		if len(name) > 64 {
			t.Errorf("%q has %d characters; Twilio takes 64", name, len(name))
		}
		for i := range len(name) - 1 {
			if name[i] == '.' && name[i+1] >= '0' && name[i+1] <= '9' {
				t.Errorf("%q has a dot before a digit: twilio-go would cut it out of a query", name)
			}
		}
	}
}

func TestArrangeKeepsStepsAndAddsTheMissingInOrder(t *testing.T) {
	plan := examplePlan(GateAuto)
	o := &onboarding.Onboarding{ID: "onb_1", Request: exampleRequest()}
	plan.Arrange(o)
	before := len(o.Steps)
	o.Step("customer_profile").SID = "BU1"
	slices.Reverse(o.Steps)
	o.Numbers = []onboarding.PhoneNumber{{SID: numberSID(1)}, {SID: numberSID(2)}}
	plan.Arrange(o)

	var want, got []onboarding.Key
	for _, n := range plan.Nodes(o) {
		want = append(want, n.Key)
	}
	for _, s := range o.Steps {
		got = append(got, s.Key)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order of steps (-plan +got):\n%s", diff)
	}
	if len(o.Steps) != before+4 {
		t.Errorf("two numbers added %d steps, want 4", len(o.Steps)-before)
	}
	if o.SID("customer_profile") != "BU1" {
		t.Error("a step lost its SID")
	}
}
