package server_test

import (
	"net/http"
	"slices"
	"strings"

	"github.com/attestd/attestd/internal/onboarding/engine"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// steps are all steps of an onboarding with one number and two representatives.
var steps = []string{
	"preflight", "customer_profile", "customer_profile.primary", "address", "address_document", "customer_profile.address_document",
	"business_information", "customer_profile.business_information", "representative_1", "customer_profile.representative_1",
	"representative_2", "customer_profile.representative_2", "customer_profile.number.PN", "customer_profile.evaluation",
	"customer_profile.submission", "customer_profile.review", "trust_product", "trust_product.customer_profile", "trust_product.number.PN",
	"trust_product.evaluation", "trust_product.submission", "trust_product.review",
}

// readOnly are the steps that leave nothing at Twilio. They have no intent, and no answer whose
// loss matters.
var readOnly = map[string]bool{"preflight": true, "customer_profile.review": true, "trust_product.review": true}

// pointSent is between the departure of a call and its answer: the call is at Twilio, which has not
// worked on it yet.
const pointSent engine.Point = "sent"

// pointsOf are the points of a step at which something may go wrong.
func pointsOf(step string) []engine.Point {
	if readOnly[step] {
		return []engine.Point{engine.AfterCommit}
	}
	return []engine.Point{engine.BeforeIntent, engine.AfterIntent, pointSent, engine.AfterAnswer, engine.AfterCommit}
}

// matchesStep lets "…number.PN" stand for any number, because its SID is not known beforehand.
func matchesStep(key, want string) bool {
	return key == want || strings.HasSuffix(want, ".PN") && strings.HasPrefix(key, want)
}

// holdStep holds the next call of the step.
func (tw *twilio) holdStep(at moment, step string) *hold {
	tw.t.Helper()
	return tw.holdCall(at, func(c twilioCall) bool {
		return c.method == http.MethodPost && matchesStep(stepOf(c, tw.sim.State().Accounts[c.account]), step)
	})
}

// stepOf is the key of the step that makes the call; "" if none does. The account is the one with
// the credentials of the call.
func stepOf(c twilioCall, account trusthubsim.AccountState) string {
	if key := keyInName(c.form.Get("FriendlyName")); key != "" {
		return key // It makes the object that has this name.
	}
	sid, what := cutBundle(c.path)
	bundle := objectKeys(account)[sid]
	switch {
	case bundle == "":
		return ""
	case c.form.Get("Status") != "":
		return bundle + ".submission"
	case what == "Evaluations":
		return bundle + ".evaluation"
	case what == "ChannelEndpointAssignments":
		return bundle + ".number." + c.form.Get("ChannelEndpointSid")
	case what == "EntityAssignments":
		return bundle + "." + objectKeys(account)[c.form.Get("ObjectSid")]
	}
	return ""
}

// objectKeys maps the SIDs of the objects in the account to the keys of the steps that made them.
// The primary profile, which no step makes, is "primary".
func objectKeys(account trusthubsim.AccountState) map[string]string {
	keys := map[string]string{trusthubsim.DefaultPrimaryProfileSID: "primary"}
	for _, o := range slices.Concat(account.EndUsers, account.SupportingDocuments) {
		keys[o.SID] = keyInName(o.FriendlyName)
	}
	for _, b := range slices.Concat(account.CustomerProfiles, account.TrustProducts) {
		keys[b.SID] = keyInName(b.FriendlyName)
	}
	return keys
}

// keyInName is the key of a step in the name of the object that it made: "onb_…/KEY".
func keyInName(friendlyName string) string {
	id, key, _ := strings.Cut(friendlyName, "/")
	if !strings.HasPrefix(id, "onb_") {
		return ""
	}
	return key
}
