package trusthubsim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// loose is an answer that is not held against its published shape, because a switch gives it
// another.
func (c caller) loose(method, path string, form ...string) map[string]any {
	c.t.Helper()
	response, err := c.send(method, path, values(form...))
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal(text, &body); err != nil {
		c.t.Fatalf("%s: %v", text, err)
	}
	return body
}

// TestShapesOfAnEvaluation: the same findings in each, on the answer and when it is read again.
func TestShapesOfAnEvaluation(t *testing.T) {
	t.Parallel()
	for _, shape := range []EvaluationShape{ShapeFields, ShapeBareFields} {
		b := setup(t, Config{Doubts: Doubts{EvaluationShape: shape}})
		p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
		b.sub.post("/v1/EndUsers/"+p.representative, "Attributes", representative("phone_number", "4155550101")).want(200)
		made := b.sub.loose(http.MethodPost, p.path+"/Evaluations", "PolicySid", PolicySecondaryProfile)
		read := b.sub.loose(http.MethodGet, p.path+"/Evaluations/"+made["sid"].(string))
		if made["status"] != "noncompliant" || fmt.Sprint(made) != fmt.Sprint(read) {
			t.Errorf("%s: made %v, read %v", shape, made, read)
		}
		var failed []string
		for _, item := range made["results"].([]any) {
			outcome := item.(map[string]any)
			for _, gone := range []string{"valid", "invalid"} {
				if _, there := outcome[gone]; there {
					t.Errorf("%s: a result has %s", shape, gone)
				}
			}
			if passed, there := outcome["passed"]; there != (shape == ShapeFields) || there && passed == (outcome["object_type"] == representative1) {
				t.Errorf("%s: %s passed: %v", shape, outcome["object_type"], passed)
			}
			for _, field := range outcome["fields"].([]any) {
				one := field.(map[string]any)
				if one["passed"] == true != (one["error_code"] == nil) {
					t.Errorf("%s: field %v", shape, one)
				}
				if one["passed"] == false {
					failed = append(failed, fmt.Sprint(one["object_field"], " ", one["error_code"], " ", one["failure_reason"]))
				}
			}
		}
		if want := []string{"phone_number 22218 Phone number is invalid."}; !slices.Equal(failed, want) {
			t.Errorf("%s: failed %q, want %q", shape, failed, want)
		}
	}
}

// TestTheEvaluationOfARejection has the shape of the others.
func TestTheEvaluationOfARejection(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Review: ReviewManual, Doubts: Doubts{EvaluationShape: ShapeFields, RejectionReason: ReasonEvaluation}})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	b.sub.submit(p.path)
	b.decide(t, p.profile, StatusRejected, 18602)
	newest := b.sub.loose(http.MethodGet, p.path+"/Evaluations")["results"].([]any)[0].(map[string]any)
	outcome := newest["results"].([]any)[0].(map[string]any)
	fields, ok := outcome["fields"].([]any)
	if !ok || len(fields) != 1 || fields[0].(map[string]any)["error_code"] != 18602.0 || outcome["passed"] != false {
		t.Errorf("the result is %v", outcome)
	}
}

// TestCodesOfAnEvaluation are those of the switches.
func TestCodesOfAnEvaluation(t *testing.T) {
	t.Parallel()
	for _, code := range []int{22218, 22215} {
		b := setup(t, Config{Doubts: Doubts{InvalidFieldCode: code}})
		p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
		b.sub.post("/v1/EndUsers/"+p.representative, "Attributes", representative("email", "owner", "first_name", "")).want(200)
		want := []string{
			"authorized_representative_1 22215", "authorized_representative_1/first_name 22215", fmt.Sprintf("authorized_representative_1/email %d", code),
		}
		if got := b.sub.evaluate(p.path).failures(); !slices.Equal(got, want) {
			t.Errorf("%d: %q, want %q", code, got, want)
		}
	}
	for _, code := range []int{22216, 22214, 22217} {
		b := setup(t, Config{Doubts: Doubts{MissingPrimaryCode: code}})
		results := b.sub.evaluate(profilePath(b.sub.draftProfile())).body["results"].([]any)
		primary := results[len(results)-1].(map[string]any)
		if primary["error_code"] != float64(code) || primary["failure_reason"] != "Primary customer profile bundle is null" ||
			primary["object_type"] != typePrimaryProfile || len(primary["valid"].([]any)) != 0 || len(primary["invalid"].([]any)) != 0 {
			t.Errorf("%d: %v", code, primary)
		}
	}
}

// TestAcceptedValues: what the onboarding guide lists, what only other pages list, and lists of
// regions, each under the switch that decides about it.
func TestAcceptedValues(t *testing.T) {
	t.Parallel()
	guide, single := Doubts{GuideLists: true}, Doubts{SingleRegion: true}
	for _, test := range []struct {
		attribute, value string
		doubts           Doubts
		want             string
	}{
		{"business_industry", "RETAIL", Doubts{}, "compliant"},
		{"business_industry", "RETAIL", guide, "compliant"},
		{"business_industry", "CONSTRUCTION", Doubts{}, "compliant"},
		{"business_industry", "CONSTRUCTION", guide, "noncompliant"},
		{"business_type", "Non-profit Corporation", Doubts{}, "compliant"},
		{"business_type", "Non-profit Corporation", guide, "noncompliant"},
		{"business_type", "corporation", Doubts{}, "noncompliant"},
		{"business_registration_identifier", "VAT", Doubts{}, "compliant"},
		{"business_registration_identifier", "VAT", guide, "noncompliant"},
		{"business_regions_of_operation", "AUSTRALIA", Doubts{}, "compliant"},
		{"business_regions_of_operation", "AUSTRALIA", guide, "noncompliant"},
		{"business_regions_of_operation", "EUROPE,ASIA", Doubts{}, "compliant"},
		{"business_regions_of_operation", "EUROPE,ASIA", single, "noncompliant"},
		{"business_regions_of_operation", "EUROPE", single, "compliant"},
	} {
		b := setup(t, Config{Doubts: test.doubts})
		p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
		b.sub.post("/v1/EndUsers/"+p.business, "Attributes", business(test.attribute, test.value)).want(200)
		if got := b.sub.evaluate(p.path).text("status"); got != test.want {
			t.Errorf("%s=%s with %+v: %s, want %s", test.attribute, test.value, test.doubts, got, test.want)
		}
	}
	b := setup(t, Config{Doubts: Doubts{GuideLists: true}})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	b.sub.post("/v1/EndUsers/"+p.representative, "Attributes", representative("job_position", "Other")).want(200)
	r := b.sub.evaluate(p.path)
	if got := r.failures(); len(got) != 2 {
		t.Errorf("a job position that the guide does not list: %q", got)
	}
	text, err := json.Marshal(r.body)
	if want := "Job Position should be one of Director GM VP CEO CFO General Counsel"; err != nil || !strings.Contains(string(text), want) {
		t.Errorf("the evaluation does not say %q: %s", want, text)
	}
}

// TestVoiceIntegrityValues: the closed list of use cases, and the counts.
func TestVoiceIntegrityValues(t *testing.T) {
	t.Parallel()
	if len(useCases) != 45 {
		t.Errorf("%d use cases", len(useCases))
	}
	fields := []string{"use_case", "business_employee_count", "average_business_day_call_volume"}
	voice := func(changes ...string) string {
		return attributesJSON(map[string]string{fields[0]: "Lead Management", fields[1]: "10", fields[2]: "500"}, changes)
	}
	for _, test := range []struct {
		attributes string
		doubts     Doubts
		wrong      string // "" for none
	}{
		{voice(), Doubts{}, ""},
		{voice(fields[0], "Identify & Verification"), Doubts{}, ""},
		{voice(fields[0], "Identity Verification"), Doubts{}, fields[0]},
		{voice(fields[0], "lead management"), Doubts{}, fields[0]},
		{voice(fields[0], "sales_dialer"), Doubts{AnyUseCase: true}, ""},
		{voice(fields[1], "0"), Doubts{}, fields[1]},
		{voice(fields[1], "a few"), Doubts{}, fields[1]},
		{voice(fields[1], "25-50"), Doubts{}, fields[1]},
		{voice(fields[1], "25-50"), Doubts{CountRanges: true}, ""},
		{voice(fields[2], "1.5"), Doubts{CountRanges: true}, fields[2]},
		{voice(fields[2], "-5"), Doubts{}, fields[2]},
	} {
		b := setup(t, Config{Doubts: test.doubts})
		product := productPath(b.sub.draftProduct(PolicyVoiceIntegrity))
		b.sub.assign(product, b.sub.endUser(voiceIntegrity, test.attributes)).want(201)
		var want []string
		if test.wrong != "" {
			want = []string{"voice_integrity_information 22218", "voice_integrity_information/" + test.wrong + " 22218"}
		}
		var got []string
		for _, failure := range b.sub.evaluate(product).failures() {
			if strings.HasPrefix(failure, voiceIntegrity) {
				got = append(got, failure)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s with %+v: %q, want %q", test.attributes, test.doubts, got, want)
		}
	}
}
