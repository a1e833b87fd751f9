package trusthubsim

import (
	"fmt"
	"slices"
	"testing"
)

// failures are the faults of an evaluation, as requirement/field/code, in order; a requirement's
// own code has no field.
func (r result) failures() []string {
	found := []string{}
	for _, item := range r.body["results"].([]any) {
		outcome := item.(map[string]any)
		if outcome["passed"] == true {
			continue
		}
		name := outcome["requirement_name"].(string)
		found = append(found, fmt.Sprintf("%s %v", name, outcome["error_code"]))
		for _, field := range outcome["invalid"].([]any) {
			wrong := field.(map[string]any)
			found = append(found, fmt.Sprintf("%s/%s %v", name, wrong["object_field"], wrong["error_code"]))
		}
	}
	return found
}

// TestAnEmptyProfileMissesEverything that its policy requires, and the second representative is not
// among it.
func TestAnEmptyProfileMissesEverything(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	r := b.sub.evaluate(profilePath(b.sub.draftProfile()))
	if r.text("status") != "noncompliant" {
		t.Errorf("status %s", r.text("status"))
	}
	want := []string{
		"customer_profile_business_information 22214",
		"customer_profile_business_information/business_name 22215",
		"customer_profile_business_information/business_identity 22215",
		"customer_profile_business_information/business_type 22215",
		"customer_profile_business_information/business_industry 22215",
		"customer_profile_business_information/business_registration_identifier 22215",
		"customer_profile_business_information/business_registration_number 22215",
		"customer_profile_business_information/business_regions_of_operation 22215",
		"customer_profile_business_information/website_url 22215",
		"authorized_representative_1 22214",
		"authorized_representative_1/first_name 22215",
		"authorized_representative_1/last_name 22215",
		"authorized_representative_1/email 22215",
		"authorized_representative_1/phone_number 22215",
		"authorized_representative_1/business_title 22215",
		"authorized_representative_1/job_position 22215",
		"customer_profile_address 22216",
		"customer_profile_address/address_sids 22217",
		"primary_customer_profile 22216",
	}
	if got := r.failures(); !slices.Equal(got, want) {
		t.Errorf("failures:\n%q\nwant:\n%q", got, want)
	}
}

// TestEvaluationNamesTheField: one thing at a time is made wrong in a complete profile.
func TestEvaluationNamesTheField(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	if r := b.sub.evaluate(p.path); r.text("status") != "compliant" || len(r.failures()) != 0 {
		t.Fatalf("the complete profile is %s: %v", r.text("status"), r.failures())
	}
	for _, test := range []struct {
		attribute, value string
		code             int
	}{
		{"business_name", "", 22215},
		{"business_identity", "isv", 22218},
		{"business_type", "LLC", 22218},
		{"business_industry", "PLUMBING", 22218},
		{"business_registration_identifier", "SSN", 22218},
		{"business_registration_number", "1234", 22218},
		{"business_registration_number", "12-34567890", 22218},
		{"business_regions_of_operation", "USA", 22218},
		{"business_regions_of_operation", "USA_AND_CANADA,MARS", 22218},
		{"website_url", "example.com", 22218},
	} {
		b.sub.post("/v1/EndUsers/"+p.business, "Attributes", business(test.attribute, test.value)).want(200)
		want := fmt.Sprintf("%s/%s %d", businessInformation, test.attribute, test.code)
		if got := b.sub.evaluate(p.path).failures(); len(got) != 2 || got[1] != want {
			t.Errorf("%s=%q: %q, want %q", test.attribute, test.value, got, want)
		}
	}
	for _, right := range []string{
		business("business_regions_of_operation", "EUROPE, USA_AND_CANADA"), business("business_registration_number", "123456789"),
		business("business_registration_identifier", "DUNS", "business_registration_number", "123456789"),
		business("business_registration_identifier", "VAT", "business_registration_number", "XX 1"), business(),
	} {
		b.sub.post("/v1/EndUsers/"+p.business, "Attributes", right).want(200)
		if got := b.sub.evaluate(p.path).failures(); len(got) != 0 {
			t.Errorf("%s: %q", right, got)
		}
	}
	for _, test := range []struct {
		attribute, value string
		code             int
	}{
		{"first_name", "", 22215},
		{"last_name", " ", 22215},
		{"email", "owner", 22218},
		{"phone_number", "415 555 0101", 22218},
		{"phone_number", "+11234567890", 22218},
		{"business_title", "", 22215},
		{"job_position", "Plumber", 22218},
	} {
		b.sub.post("/v1/EndUsers/"+p.representative, "Attributes", representative(test.attribute, test.value)).want(200)
		want := fmt.Sprintf("%s/%s %d", representative1, test.attribute, test.code)
		if got := b.sub.evaluate(p.path).failures(); len(got) != 2 || got[1] != want {
			t.Errorf("%s=%q: %q, want %q", test.attribute, test.value, got, want)
		}
	}
}

// TestEvaluationNamesTheAddress that the document does not have, or that is another account's.
func TestEvaluationNamesTheAddress(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	for attributes, want := range map[string]string{
		`{}`: "22217", `{"address_sids":""}`: "22217", `{"address_sids":"AD00000000000000000000000000000000"}`: "22219",
		`{"address_sids":["` + p.address + `","AD00000000000000000000000000000000"]}`: "22219",
	} {
		b.sub.post("/v1/SupportingDocuments/"+p.document, "Attributes", attributes).want(200)
		want := profileAddress + "/address_sids " + want
		if got := b.sub.evaluate(p.path).failures(); len(got) != 2 || got[1] != want {
			t.Errorf("%s: %q, want %q", attributes, got, want)
		}
	}
	sibling := b.subaccount("Sibling").address()
	b.sub.post("/v1/SupportingDocuments/"+p.document, "Attributes", `{"address_sids":"`+sibling+`"}`).want(200)
	if got := b.sub.evaluate(p.path).text("status"); got != "noncompliant" {
		t.Errorf("with a sibling's address the profile is %s", got)
	}
}

// TestASecondRepresentativeIsCheckedWhenItIsThere.
func TestASecondRepresentativeIsCheckedWhenItIsThere(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	second := b.sub.endUser(representative2, representative("job_position", ""))
	b.sub.assign(p.path, second).want(201)
	want := []string{"authorized_representative_2 22215", "authorized_representative_2/job_position 22215"}
	if got := b.sub.evaluate(p.path).failures(); !slices.Equal(got, want) {
		t.Errorf("failures %q, want %q", got, want)
	}
}

// TestTheProductGate: what a product's evaluation says about each status of its profile, under both
// gates.
func TestTheProductGate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		gate      ProductGate
		status    Status
		compliant bool
	}{
		{GateApproved, StatusDraft, false}, {GateApproved, StatusPendingReview, false}, {GateApproved, StatusInReview, false},
		{GateApproved, StatusRejected, false}, {GateApproved, StatusApproved, true},
		{GateSubmitted, StatusDraft, false}, {GateSubmitted, StatusPendingReview, true}, {GateSubmitted, StatusInReview, true},
		{GateSubmitted, StatusRejected, false}, {GateSubmitted, StatusApproved, true},
	} {
		b := setup(t, Config{Review: ReviewManual, ProductGate: test.gate})
		p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
		product := productPath(b.sub.draftProduct(PolicyShakenStir))
		if got := b.sub.evaluate(product).failures(); !slices.Equal(got, []string{"customer_profile 22216", "customer_profile/bundle_sid 22217"}) {
			t.Errorf("without a profile: %q", got)
		}
		b.sub.assign(product, p.profile).want(201)
		if test.status != StatusDraft {
			b.sub.submit(p.path)
		}
		if test.status != StatusDraft && test.status != StatusPendingReview {
			b.decide(t, p.profile, test.status)
		}
		var want []string
		if !test.compliant {
			want = []string{"customer_profile 22217", "customer_profile/bundle_status 22217"}
		}
		if got := b.sub.evaluate(product).failures(); !slices.Equal(got, want) {
			t.Errorf("gate %s, profile %s: %q, want %q", test.gate, test.status, got, want)
		}
		wanted := "draft"
		if test.compliant {
			wanted = "pending-review"
		}
		if got := b.sub.submit(product); got != wanted {
			t.Errorf("gate %s, profile %s: a submitted product is %s, want %s", test.gate, test.status, got, wanted)
		}
	}
}

// TestSiblingProductsNeedTheirEndUser.
func TestSiblingProductsNeedTheirEndUser(t *testing.T) {
	t.Parallel()
	for policySID, test := range map[string]struct{ kind, attributes, missing string }{
		PolicyVoiceIntegrity: {voiceIntegrity, `{"use_case":"Appointment Reminders","business_employee_count":"5","average_business_day_call_volume":"6"}`, "voice_integrity_information 22214"},
		PolicyCNAM:           {cnam, `{"cnam_display_name":"EXAMPLE"}`, "cnam_information 22214"},
	} {
		b := setup(t, Config{Review: ReviewManual})
		p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
		b.sub.submit(p.path)
		b.decide(t, p.profile, StatusApproved)
		product := productPath(b.sub.draftProduct(policySID))
		b.sub.assign(product, p.profile).want(201)
		if got := b.sub.evaluate(product).failures(); got[0] != test.missing {
			t.Errorf("without the end user: %q, want %q", got, test.missing)
		}
		b.sub.assign(product, b.sub.endUser(test.kind, test.attributes)).want(201)
		if got := b.sub.evaluate(product).failures(); len(got) != 0 {
			t.Errorf("with the end user: %q", got)
		}
	}
}

func TestEvaluationsAreKept(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	path := profilePath(b.sub.draftProfile())
	first := b.sub.evaluate(path)
	second := b.sub.evaluate(path)
	if got := b.sub.get(path + "/Evaluations").sids(); !slices.Equal(got, []string{second.text("sid"), first.text("sid")}) {
		t.Errorf("evaluations %v", got)
	}
	b.sub.get(path + "/Evaluations/" + first.text("sid")).want(200)
	b.sub.get(path+"/Evaluations/EL00000000000000000000000000000000").refused(404, codeNotFound)
	b.sub.post(path+"/Evaluations", "PolicySid", PolicyShakenStir).refused(400, codeInvalidParameter)
	b.sub.post(path+"/Evaluations").refused(400, codeUnknownParameters)
}
