package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// secretRequest is a request with personal data that cannot be mistaken for anything else.
func secretRequest(customer subaccount) map[string]any {
	return map[string]any{
		"subaccount_sid":     customer.sid,
		"notification_email": "mailbox-secret@isv.example",
		"business": map[string]any{
			"business_name": "Secretname Plumbing", "business_identity": "direct_customer", "business_type": "Corporation", "business_industry": "LEGAL",
			"business_registration_identifier": "EIN", "business_registration_number": "98-7654321",
			"business_regions_of_operation": "EUROPE", "website_url": "https://secretsite.example.com",
		},
		"address": map[string]any{
			"customer_name": "Secretname Plumbing", "street": "77 Secretstreet", "city": "Secretcity", "region": "IL", "postal_code": "60699", "iso_country": "US",
		},
		"authorized_representatives": []any{map[string]any{
			"first_name": "Secretfirst", "last_name": "Secretlast", "email": "secretmail@secretsite.example.com", "phone_number": "+13125550177",
			"business_title": "Secrettitle", "job_position": "CEO",
		}},
		"phone_numbers": customer.e164,
	}
}

// Everything is logged at debug level: a clean path, lost answers, a refusal that repeats the
// address, and a request that is refused. The log may have nothing personal and no secret.
func TestNothingPersonalIsLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	w.environ["LOG_LEVEL"] = "debug"
	stop := w.serve()
	customer := w.subaccount(2)
	body := secretRequest(customer)
	w.fault(trusthubsim.Fault{Method: http.MethodPost, Path: "/v1/EndUsers", Times: 1, Effect: trusthubsim.EffectDropAfter})
	w.fault(trusthubsim.Fault{Method: http.MethodPost, Path: "/v1/SupportingDocuments", Times: 1, Effect: trusthubsim.EffectHTMLAfter, Body: "<html>77 Secretstreet</html>"})
	w.fault(trusthubsim.Fault{Method: http.MethodPost, Path: "/2010-04-01/Accounts/*/Addresses.json", Times: 1, Effect: trusthubsim.EffectStatus,
		Status: http.StatusBadRequest, Body: `{"code":21628,"message":"77 Secretstreet is not valid","status":400}`})
	id := w.post(body).ID
	w.awaitThat(id, "the refused address", func(a answer) bool { return a.step("address").Status == "failed" })
	w.resume(id)
	w.await(id, "approved")

	body["business"].(map[string]any)["business_industry"] = "Secretname Plumbing"
	if status, raw := w.call(http.MethodPost, "/onboardings", body, nil); status != http.StatusUnprocessableEntity {
		t.Errorf("a faulty request answered %d: %s", status, raw)
	}
	status, log := stop()
	if status != 0 {
		t.Errorf("serve ended with %d", status)
	}
	if lines := strings.Count(log, "\n"); lines < 30 {
		t.Fatalf("only %d lines were logged at debug level: this test would see nothing\n%s", lines, log)
	}
	text, err := json.Marshal(w.sim.State().Accounts)
	if err != nil {
		t.Fatal(err)
	}
	var tokens []string
	for _, account := range w.sim.State().Accounts {
		tokens = append(tokens, account.AuthToken)
	}
	if !strings.Contains(string(text), "Secretfirst") {
		t.Fatal("the simulator never saw the personal data: this test would prove nothing")
	}
	personal := append(tokens, w.key, "Secret", "secretsite", "secretmail", "mailbox-secret", "98-7654321", "987654321", "60699", "13125550177")
	for _, number := range customer.e164 {
		personal = append(personal, strings.TrimPrefix(number, "+"))
	}
	for _, line := range strings.Split(log, "\n") {
		for _, p := range personal {
			if strings.Contains(line, p) {
				t.Errorf("%q is logged: %s", p, line)
			}
		}
	}
}
