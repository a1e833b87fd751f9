package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// comparison is the answer of GET /onboardings/{id}/trust-hub.
type comparison struct {
	Differences int
	Findings    []struct {
		Step, Verdict string
		Ledger        side
		TrustHub      side `json:"trust_hub"`
		Differs       bool
		Note          string
	}
}

type side struct{ SID, Status string }

// verdicts are the verdicts by step and SID. The SID is that at Twilio, or that of the ledger if
// Twilio has none.
func (c comparison) verdicts() map[string]string {
	all := make(map[string]string)
	for _, f := range c.Findings {
		sid := f.TrustHub.SID
		if sid == "" {
			sid = f.Ledger.SID
		}
		all[f.Step+" "+sid] = f.Verdict
	}
	return all
}

// asViewer makes all later calls of the client with the key of a viewer.
func (w *world) asViewer() {
	w.t.Helper()
	status, out := w.command("keys", "create", "-name", "support", "-role", "viewer")
	if status != 0 {
		w.t.Fatalf("keys create ended with %d: %s", status, out)
	}
	w.key = strings.TrimSpace(out)
}

func (c *client) compare(id string) comparison {
	c.t.Helper()
	var compared comparison
	if status, raw := c.call(http.MethodGet, "/onboardings/"+id+"/trust-hub", nil, &compared); status != http.StatusOK {
		c.t.Fatalf("trust-hub answered %d: %s", status, raw)
	}
	return compared
}

// problem has the members of a problem that tell what Twilio said.
type problem struct {
	Type   string
	Twilio struct {
		Code       int
		Message    string
		HTTPStatus int `json:"http_status"`
	}
}

func wantProblem(t *testing.T, raw, kind string) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(raw), &p); err != nil || p.Type != "urn:attestd:problem:"+kind {
		t.Fatalf("answer %s is no problem of the kind %s", raw, kind)
	}
	return p
}

func TestSupportSeesWhatTwilioHoldsBesideTheLedger(t *testing.T) {
	t.Parallel()
	w, customer, id, _ := approved(t)
	w.asViewer()
	if c := w.compare(id); c.Differences != 0 || len(c.Findings) == 0 {
		t.Errorf("of an untouched onboarding: %+v, want no differences", c)
	}
	document := w.get(id).step("address_document").SID
	extra := w.as(customer, http.MethodPost, "/v1/SupportingDocuments", url.Values{
		"FriendlyName": {id + "/address_document"}, "Type": {"customer_profile_address"},
		"Attributes": {`{"address_sids":"` + w.get(id).step("address").SID + `"}`},
	})
	c := w.compare(id)
	if got := c.verdicts(); got["address_document "+document] != "same" || got["address_document "+extra] != "surplus" {
		t.Errorf("verdicts %v, want %s the same and %s surplus", got, document, extra)
	}
	if c.Differences == 0 {
		t.Error("no differences are counted")
	}
}

func TestWhatTwilioRefusesIsNotComparedAndTheRestIs(t *testing.T) {
	t.Parallel()
	w, _, id, _ := approved(t)
	done := w.get(id)
	refuse(t, w, "/v1/EndUsers")
	got := w.compare(id).verdicts()
	if got["business_information "+done.step("business_information").SID] != "not_compared" || got["address "+done.step("address").SID] != "same" ||
		got["customer_profile.business_information "+done.step("customer_profile.business_information").SID] != "same" {
		t.Errorf("verdicts %v, want the end users alone not compared", got)
	}
}

func TestAComparisonOfNothingIsAProblemThatSaysWhatTwilioSaid(t *testing.T) {
	t.Parallel()
	w, _, id, _ := approved(t)
	refuse(t, w, "")
	status, raw := w.call(http.MethodGet, "/onboardings/"+id+"/trust-hub", nil, nil)
	if status != http.StatusBadGateway {
		t.Fatalf("answered %d: %s", status, raw)
	}
	if p := wantProblem(t, raw, "twilio-failed"); p.Twilio.Code != 20001 || p.Twilio.HTTPStatus != http.StatusBadRequest {
		t.Errorf("problem %+v, want Twilio's code and status", p)
	}
}

func TestAComparisonOfNoOnboardingIsNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.serve()
	if status, raw := w.call(http.MethodGet, "/onboardings/onb_01890a5d-ac96-774b-bcce-b302099a8057/trust-hub", nil, nil); status != http.StatusNotFound {
		t.Errorf("answered %d: %s", status, raw)
	}
}

// refuse lets the simulated Twilio refuse every call with a path that matches, "" for all, until
// further notice.
func refuse(t *testing.T, w *world, path string) {
	t.Helper()
	_, err := w.sim.AddFault(trusthubsim.Fault{
		Path: path, Effect: trusthubsim.EffectStatus, Status: http.StatusBadRequest,
		Body: `{"code": 20001, "message": "Unknown parameters", "more_info": "https://www.twilio.com/docs/errors/20001", "status": 400}`,
	})
	if err != nil {
		t.Fatal(err)
	}
}
