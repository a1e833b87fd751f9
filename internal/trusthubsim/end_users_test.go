package trusthubsim

import "testing"

func TestAttributes(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	for _, test := range []struct {
		name, path, kind, attributes string
		code                         int
	}{
		{"business", "/v1/EndUsers", businessInformation, business(), 0},
		{"none", "/v1/EndUsers", businessInformation, "{}", 0},
		{"unknown key", "/v1/EndUsers", businessInformation, `{"business_nmae":"x"}`, codeUnknownParameters},
		{"key of another type", "/v1/EndUsers", representative1, `{"business_name":"x"}`, codeUnknownParameters},
		{"no JSON", "/v1/EndUsers", businessInformation, `{`, codeAttributesJSON},
		{"no object", "/v1/EndUsers", businessInformation, `[]`, codeAttributesJSON},
		{"null", "/v1/EndUsers", businessInformation, `null`, codeAttributesJSON},
		{"number", "/v1/EndUsers", businessInformation, `{"business_name":1}`, codeAttributesJSON},
		{"list where text belongs", "/v1/EndUsers", businessInformation, `{"business_name":["x"]}`, codeAttributesJSON},
		{"unknown type", "/v1/EndUsers", "business", `{}`, codeEndUserType},
		{"voice integrity", "/v1/EndUsers", voiceIntegrity, `{"use_case":"x","business_employee_count":"1","average_business_day_call_volume":"1","notes":"x"}`, 0},
		{"CNAM", "/v1/EndUsers", cnam, `{"cnam_display_name":"EXAMPLE"}`, 0},
		{"address", "/v1/SupportingDocuments", profileAddress, `{"address_sids":"AD00000000000000000000000000000000"}`, 0},
		{"addresses", "/v1/SupportingDocuments", profileAddress, `{"address_sids":["AD00000000000000000000000000000000"]}`, 0},
		{"unknown key of a document", "/v1/SupportingDocuments", profileAddress, `{"address_sid":"x"}`, codeUnknownParameters},
		{"unknown type of documents", "/v1/SupportingDocuments", "address", `{}`, codeDocumentType},
	} {
		r := b.sub.post(test.path, "FriendlyName", "n", "Type", test.kind, "Attributes", test.attributes)
		r.request = test.name
		if test.code == 0 {
			r.want(201)
		} else {
			r.refused(400, test.code)
		}
	}
}

// TestAnUpdateReplacesAttributes; without the parameter they stay.
func TestAnUpdateReplacesAttributes(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	path := "/v1/EndUsers/" + b.sub.endUser(businessInformation, business())
	kept := b.sub.post(path, "FriendlyName", "Renamed").want(200)
	if got := len(kept.body["attributes"].(map[string]any)); got != 9 {
		t.Errorf("%d attributes after a rename, want 9", got)
	}
	replaced := b.sub.post(path, "Attributes", `{"business_name":"Other LLC"}`).want(200)
	if got := replaced.body["attributes"].(map[string]any); len(got) != 1 || got["business_name"] != "Other LLC" {
		t.Errorf("attributes after the update: %v", got)
	}
	b.sub.post(path, "Type", representative1).refused(400, codeUnknownParameters)
}

// TestDocumentStatusFollowsItsBundle, in upper case as Twilio writes it since 2025.
func TestDocumentStatusFollowsItsBundle(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Review: ReviewManual})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	path := "/v1/SupportingDocuments/" + p.document
	want := func(status string) {
		t.Helper()
		if got := b.sub.status(path); got != status {
			t.Errorf("status %s, want %s", got, status)
		}
	}
	want("DRAFT")
	b.sub.submit(p.path)
	want("PENDING_REVIEW")
	b.decide(t, p.profile, StatusRejected, 18603)
	want("REJECTED")
	b.sub.submit(p.path)
	b.decide(t, p.profile, StatusApproved)
	want("APPROVED")
}
