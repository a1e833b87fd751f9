package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// approved makes a world with an approved onboarding, and returns the function that stops its
// service.
func approved(t *testing.T) (w *world, customer subaccount, id string, stop func() (int, string)) {
	t.Helper()
	w = newWorld(t, trusthubsim.Config{})
	w.environ["REVIEW_POLL_MIN"] = "1s"
	w.environ["LOOKUP_SETTLE"] = "100ms"
	stop = w.serve()
	customer = w.subaccount(2)
	id = w.post(customer.request(nil)).ID
	w.await(id, "approved")
	return w, customer, id, stop
}

// wantReconciled runs reconcile with the arguments, checks its exit status and returns all that it
// printed.
func (p *program) wantReconciled(wantStatus int, args ...string) string {
	p.t.Helper()
	status, out := p.command(append([]string{"reconcile"}, args...)...)
	if status != wantStatus {
		p.t.Errorf("reconcile %v ended with %d, want %d:\n%s", args, status, wantStatus, out)
	}
	return out
}

// wantLine checks that some line of the output has all the words.
func wantLine(t *testing.T, out string, words ...string) {
	t.Helper()
	for line := range strings.Lines(out) {
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(line, word) }) {
			return
		}
	}
	t.Errorf("no line with %q in:\n%s", words, out)
}

func TestReconcileOfAnUntouchedOnboardingAgreesAndChangesNothing(t *testing.T) {
	t.Parallel()
	w, customer, id, _ := approved(t)
	before := w.held(customer)
	w.sim.ResetRequests()
	out := w.wantReconciled(0, id)
	for _, s := range w.get(id).Steps {
		if s.Key != "numbers_check" { // What it looks at has lines of its own.
			wantLine(t, out, s.Key+" ", s.SID, "same")
		}
	}
	w.wantReconciled(0, "-fix", id)
	w.wantReconciled(0, id, "-fix")
	for _, r := range w.sim.Requests() {
		if r.Method != http.MethodGet {
			t.Errorf("a comparison that agrees made %s %s", r.Method, r.Path)
		}
	}
	if diff := cmp.Diff(before, w.held(customer)); diff != "" {
		t.Errorf("what Twilio holds (-before +after):\n%s", diff)
	}
	if events := w.history(id); events != nil {
		t.Errorf("the history has %q", events)
	}
}

func TestReconcileAgreesWhileNothingIsAmissAndMuchIsStillToDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
	w.environ["TRUST_PRODUCT_GATE"] = "approved"
	w.serve()
	customer := w.subaccount(1)
	id := w.post(customer.request(nil)).ID
	w.await(id, "in_review")
	out := w.wantReconciled(0, id)
	wantLine(t, out, "customer_profile.review", "waiting", "same")
	wantLine(t, out, "trust_product.evaluation", "pending", "not begun")
}

func TestReconcileWantsAnOnboardingAndAConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{})
	for _, args := range [][]string{{}, {"-fix"}, {"onb_a", "onb_b"}, {"onb_a", "-force"}} {
		wantLine(t, w.wantReconciled(2, args...), "server reconcile ID [-fix]")
	}
	for _, args := range [][]string{{"onb_nobody"}, {"onb_nobody", "-fix"}} {
		wantLine(t, w.wantReconciled(1, args...), "no such onboarding")
	}
	delete(w.environ, "TWILIO_AUTH_TOKEN")
	wantLine(t, w.wantReconciled(1, "onb_nobody"), "TWILIO_AUTH_TOKEN")
}

func TestReconcileTellsWhatWasDeletedAtTwilioAndPutsNothingInItsPlace(t *testing.T) {
	t.Parallel()
	w, customer, id, _ := approved(t)
	key := "trust_product.number." + customer.numbers[0]
	was := w.get(id).step(key).SID
	product := w.get(id).TrustProduct.SID
	path := "/v1/TrustProducts/" + product + "/ChannelEndpointAssignments"
	w.as(customer, http.MethodDelete, path+"/"+was, nil)
	w.environ["LOOKUP_SETTLE"] = "1ms" // The onboarding ended some milliseconds ago.
	wantLine(t, w.wantReconciled(1, id), key, was, "missing at Twilio")
	w.wantReconciled(1, id, "-fix")

	// Somebody puts the number back by hand. Only a person can say that this is the same.
	other := w.as(customer, http.MethodPost, path, url.Values{"ChannelEndpointType": {"phone-number"}, "ChannelEndpointSid": {customer.numbers[0]}})
	wantLine(t, w.wantReconciled(1, id, "-fix"), key, was, other, "missing at Twilio", "a person must decide")
	if got := w.get(id).step(key).SID; got != was {
		t.Errorf("the ledger has %s, want what it recorded, %s", got, was)
	}
	if events := w.history(id); events != nil {
		t.Errorf("the history has %q", events)
	}
}

func TestReconcileDoesNotMissWhatTwiliosListsMayNotShowYet(t *testing.T) {
	t.Parallel()
	w, customer, id, _ := approved(t)
	key := "trust_product.number." + customer.numbers[0]
	w.as(customer, http.MethodDelete, "/v1/TrustProducts/"+w.get(id).TrustProduct.SID+"/ChannelEndpointAssignments/"+w.get(id).step(key).SID, nil)
	w.environ["LOOKUP_SETTLE"] = "10m"
	wantLine(t, w.wantReconciled(1, id), key, "unknown", "lists may lag")
}

func TestReconcileFixRemovesWhatIsThereTwiceAndNothingForeign(t *testing.T) {
	t.Parallel()
	w, customer, id, _ := approved(t)
	held := w.held(customer)
	business, profile := held.EndUsers[0], held.CustomerProfiles[0]
	if business.Type != "customer_profile_business_information" {
		business = held.EndUsers[1]
	}
	attributes, err := json.Marshal(business.Attributes)
	if err != nil {
		t.Fatal(err)
	}
	endUser := url.Values{"FriendlyName": {business.FriendlyName}, "Type": {business.Type}, "Attributes": {string(attributes)}}
	bundle := url.Values{"FriendlyName": {profile.FriendlyName}, "PolicySid": {profile.PolicySID}, "Email": {profile.Email}}
	secondUser := w.as(customer, http.MethodPost, "/v1/EndUsers", endUser)
	secondProfile := w.as(customer, http.MethodPost, "/v1/CustomerProfiles", bundle)
	// One assignment is on the surplus profile, and one is of both surplus objects.
	primary := w.as(customer, http.MethodPost, "/v1/CustomerProfiles/"+secondProfile+"/EntityAssignments",
		url.Values{"ObjectSid": {trusthubsim.DefaultPrimaryProfileSID}})
	w.as(customer, http.MethodPost, "/v1/CustomerProfiles/"+secondProfile+"/EntityAssignments", url.Values{"ObjectSid": {secondUser}})
	// Others have made these, under names that are not, or not exactly, those of the onboarding.
	endUser.Set("FriendlyName", "Example Plumbing LLC")
	foreign := []string{w.as(customer, http.MethodPost, "/v1/EndUsers", endUser)}
	endUser.Set("FriendlyName", business.FriendlyName+" ")
	foreign = append(foreign, w.as(customer, http.MethodPost, "/v1/EndUsers", endUser))
	bundle.Set("FriendlyName", "Example Plumbing LLC")
	foreign = append(foreign, w.as(customer, http.MethodPost, "/v1/CustomerProfiles", bundle))

	out := w.wantReconciled(1, id)
	for _, sid := range []string{secondUser, secondProfile, primary} {
		wantLine(t, out, sid, "surplus")
	}
	if strings.Count(out, "surplus") < 3 || len(w.history(id)) != 0 {
		t.Errorf("a comparison that is to change nothing printed:\n%s", out)
	}
	out = w.wantReconciled(0, id, "-fix")
	for _, sid := range []string{secondUser, secondProfile, primary} {
		wantLine(t, out, "removed", sid)
		if !slices.ContainsFunc(w.history(id), func(e string) bool { return strings.HasPrefix(e, "step.surplus_removed ") && strings.HasSuffix(e, sid) }) {
			t.Errorf("the history does not tell of the removal of %s: %q", sid, w.history(id))
		}
	}
	var left []string
	now := w.held(customer)
	for _, u := range now.EndUsers[len(held.EndUsers):] {
		left = append(left, u.SID)
	}
	for _, b := range now.CustomerProfiles[len(held.CustomerProfiles):] {
		left = append(left, b.SID)
	}
	if diff := cmp.Diff(foreign, left); diff != "" {
		t.Errorf("what is left of what was added by hand (-foreign +left):\n%s", diff)
	}
	if diff := cmp.Diff(held.CustomerProfiles[0], now.CustomerProfiles[0]); diff != "" {
		t.Errorf("the onboarding's own profile (-before +after):\n%s", diff)
	}
	w.wantReconciled(0, id)
}

func TestReconcileFixKeepsWhatTwilioDoesNotLetGoAndSaysSo(t *testing.T) {
	t.Parallel()
	w, customer, id, _ := approved(t)
	held := w.held(customer)
	address := held.Addresses[0]
	second := url.Values{
		"FriendlyName": {address.FriendlyName}, "CustomerName": {address.CustomerName}, "Street": {address.Street}, "City": {address.City},
		"Region": {address.Region}, "PostalCode": {address.PostalCode}, "IsoCountry": {address.IsoCountry},
	}
	sid := w.as(customer, http.MethodPost, "/2010-04-01/Accounts/"+customer.sid+"/Addresses.json", second)
	// A document of somebody else names the address.
	w.as(customer, http.MethodPost, "/v1/SupportingDocuments", url.Values{
		"FriendlyName": {"Example Plumbing LLC"}, "Type": {"customer_profile_address"}, "Attributes": {`{"address_sids":"` + sid + `"}`},
	})
	out := w.wantReconciled(1, id, "-fix")
	wantLine(t, out, "kept", sid)
	if got := len(w.held(customer).Addresses); got != 2 {
		t.Errorf("%d addresses, want both", got)
	}
	if want := []string{"step.surplus_kept address " + sid}; !slices.Equal(w.history(id), want) {
		t.Errorf("the history has %q, want %q", w.history(id), want)
	}
}

func TestReconcileFixAdoptsWhatTheLedgerHasLost(t *testing.T) {
	t.Parallel()
	w, customer, id, _ := approved(t)
	before := w.get(id).sids()
	lost := []string{"customer_profile", "representative_1", "customer_profile.representative_1", "trust_product.evaluation"}
	if n := w.sql(`UPDATE steps SET sid = '' WHERE onboarding_id = $1 AND key = ANY($2)`, id, lost); n != 4 {
		t.Fatalf("%d rows lost their SID, want 4", n)
	}
	w.sim.ResetRequests()
	out := w.wantReconciled(1, id)
	for _, key := range lost {
		wantLine(t, out, key+" ", before[key], "not in the ledger")
	}
	out = w.wantReconciled(0, id, "-fix")
	for _, key := range lost {
		wantLine(t, out, "adopted", key+" ", before[key])
	}
	if diff := cmp.Diff(before, w.get(id).sids()); diff != "" {
		t.Errorf("the ledger's SIDs (-before +after):\n%s", diff)
	}
	var want []string
	for _, key := range []string{"customer_profile", "representative_1", "customer_profile.representative_1", "trust_product.evaluation"} {
		want = append(want, "step.adopted "+key+" "+before[key])
	}
	if diff := cmp.Diff(want, w.history(id)); diff != "" {
		t.Errorf("the history (-want +got):\n%s", diff)
	}
	w.wantReconciled(0, id)
	for _, r := range w.sim.Requests() {
		if r.Method != http.MethodGet {
			t.Errorf("%s %s was made, by whomever", r.Method, r.Path)
		}
	}
	wantEachOnce(t, w.held(customer), 1, 2)
}

// The database is restored to the moment after the POST, and Twilio has everything. Nothing worse
// can happen short of the loss of the database.
func TestReconcileFixOfALedgerThatWasRestoredToItsFirstDayLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	w, customer, id, stop := approved(t)
	before := w.get(id).sids()
	stop()
	w.sql(`DELETE FROM phone_numbers WHERE onboarding_id = $1`, id)
	w.sql(`DELETE FROM steps WHERE onboarding_id = $1 AND key LIKE '%.number.%'`, id)
	w.sql(`UPDATE steps SET state = 'pending', sid = '', remote_status = '', attempts = 0, intent_at = NULL, started_at = NULL, finished_at = NULL, next_attempt_at = NULL
		WHERE onboarding_id = $1`, id)
	w.sql(`UPDATE onboardings SET status = 'in_progress' WHERE id = $1`, id)
	w.sql(`UPDATE river_job SET state = 'available', scheduled_at = now() WHERE id = (SELECT job_id FROM onboardings WHERE id = $1)`, id)

	out := w.wantReconciled(0, id, "-fix")
	wantLine(t, out, "adopted", "customer_profile ", before["customer_profile"])
	wantLine(t, out, "adopted", "trust_product.submission")
	w.serve()
	after := w.await(id, "approved").sids()
	for key, sid := range before {
		if !strings.HasSuffix(key, ".evaluation") && after[key] != sid {
			t.Errorf("%s was %s and is %s", key, sid, after[key])
		}
	}
	wantEachOnce(t, w.held(customer), 1, 2)
	w.wantReconciled(0, id)
}

func TestReconcileLeavesAnUnknownOutcomeToTheRunner(t *testing.T) {
	t.Parallel()
	w, customer, id, stop := approved(t)
	sid := w.get(id).step("business_information").SID
	stop()
	w.sql(`UPDATE steps SET state = 'running', sid = '', finished_at = NULL, intent_at = now() WHERE onboarding_id = $1 AND key = 'business_information'`, id)
	out := w.wantReconciled(1, id, "-fix")
	wantLine(t, out, "business_information ", "running", "unknown", "runner")
	if events := w.history(id); events != nil {
		t.Errorf("the history has %q", events)
	}
	w.sql(`UPDATE onboardings SET status = 'in_progress', job_id = NULL WHERE id = $1`, id)
	w.serve()
	w.resume(id)
	done := w.awaitThat(id, "the lookup", func(a answer) bool { return a.step("business_information").Status == "succeeded" })
	if got := done.step("business_information").SID; got != sid {
		t.Errorf("the runner took %s, want %s", got, sid)
	}
	wantEachOnce(t, w.held(customer), 1, 2)
	w.wantReconciled(0, id)
}

func TestReconcileTellsOfAReviewThatTheLedgerHasNotHeardOfAndFixHasItRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
	w.environ["PUBLIC_URL"] = "" // No callbacks, and the first poll is far away.
	w.serve()
	customer := w.subaccount(1)
	id := w.post(customer.request(nil)).ID
	w.await(id, "in_review")
	if err := w.sim.Review(w.get(id).CustomerProfile.SID, trusthubsim.Decision{Status: trusthubsim.StatusApproved}); err != nil {
		t.Fatal(err)
	}
	wantLine(t, w.wantReconciled(1, id), "customer_profile.review", "waiting", "twilio-approved", "other status")
	_, out := w.command("reconcile", id, "-fix")
	wantLine(t, out, "woken", "customer_profile.review")
	w.awaitThat(id, "the approval", func(a answer) bool { return a.step("customer_profile.review").Status == "succeeded" })
}
