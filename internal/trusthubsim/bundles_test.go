package trusthubsim

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestCreatingBundles(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	for _, test := range []struct {
		name   string
		path   string
		change []string
		status int
		code   int
	}{
		{"profile", "/v1/CustomerProfiles", nil, 201, 0},
		{"with a callback", "/v1/CustomerProfiles", []string{"StatusCallback", "https://example.com/cb"}, 201, 0},
		{"callback is no URL", "/v1/CustomerProfiles", []string{"StatusCallback", "example"}, 400, codeInvalidURL},
		{"no name", "/v1/CustomerProfiles", []string{"FriendlyName", ""}, 400, codeUnknownParameters},
		{"long name", "/v1/CustomerProfiles", []string{"FriendlyName", strings.Repeat("n", 65)}, 400, codeFriendlyName},
		{"no e-mail", "/v1/CustomerProfiles", []string{"Email", ""}, 400, codeUnknownParameters},
		{"e-mail is none", "/v1/CustomerProfiles", []string{"Email", "example"}, 400, codeInvalidParameter},
		{"policy is no SID", "/v1/CustomerProfiles", []string{"PolicySid", "RN1"}, 400, codeInvalidParameter},
		{"policy unknown", "/v1/CustomerProfiles", []string{"PolicySid", "RN00000000000000000000000000000000"}, 400, codeInvalidParameter},
		{"policy of a product", "/v1/CustomerProfiles", []string{"PolicySid", PolicyShakenStir}, 400, codeInvalidParameter},
		{"primary profile", "/v1/CustomerProfiles", []string{"PolicySid", PolicyPrimaryProfile}, 400, codeBadRequest},
		{"unknown parameter", "/v1/CustomerProfiles", []string{"Name", "x"}, 400, codeUnknownParameters},
		{"product", "/v1/TrustProducts", []string{"PolicySid", PolicyShakenStir}, 201, 0},
		{"policy of a profile", "/v1/TrustProducts", nil, 400, codeInvalidParameter},
	} {
		form := values(append([]string{"FriendlyName", "Name", "Email", "notify@example.com", "PolicySid", PolicySecondaryProfile}, test.change...)...)
		r := b.sub.do(http.MethodPost, test.path, form)
		r.request = test.name
		if test.code != 0 {
			r.refused(test.status, test.code)
			continue
		}
		if r.want(test.status); r.text("status") != "draft" || r.body["errors"] != nil || r.body["valid_until"] != nil {
			t.Errorf("%s: a new bundle is %v", test.name, r.body)
		}
	}
}

// TestSecondaryProfilesNeedAnApprovedPrimaryOfAnISV.
func TestSecondaryProfilesNeedAnApprovedPrimaryOfAnISV(t *testing.T) {
	t.Parallel()
	create := func(b *testBundle) result {
		return b.sub.post("/v1/CustomerProfiles", "FriendlyName", "n", "Email", "notify@example.com", "PolicySid", PolicySecondaryProfile)
	}
	const text = "Secondary Customer Profile for direct_customer can only be created through Twilio console."

	direct := setup(t, Config{PrimaryIdentity: "direct_customer"})
	if r := create(direct).refused(400, codeBadRequest); r.text("message") != text {
		t.Errorf("message %q", r.text("message"))
	}
	rejected := setup(t, Config{})
	rejected.decide(t, rejected.sim.cfg.PrimaryProfileSID, StatusRejected, 18602)
	create(rejected).refused(400, codeBadRequest)
	rejected.decide(t, rejected.sim.cfg.PrimaryProfileSID, StatusApproved)
	create(rejected).want(201)

	past := time.Now().Add(-time.Minute)
	if err := rejected.sim.Review(rejected.sim.cfg.PrimaryProfileSID, Decision{Status: StatusApproved, ValidUntil: &past}); err != nil {
		t.Fatal(err)
	}
	create(rejected).refused(400, codeBadRequest)
}

func TestBundleListFilters(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Review: ReviewManual})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID, "FriendlyName", "onb_1 customer_profile")
	b.sub.submit(p.path)
	b.sub.draftProfile("FriendlyName", "ONB_2 customer_profile")
	for query, want := range map[string]int{
		"": 2, "?Status=draft": 1, "?Status=pending-review": 1, "?Status=twilio-approved": 0,
		"?FriendlyName=onb_1%20customer_profile": 1, "?FriendlyName=onb_": 2, "?FriendlyName=none": 0,
		"?PolicySid=" + PolicySecondaryProfile: 2, "?PolicySid=" + PolicyPrimaryProfile: 0,
	} {
		if got := b.sub.get("/v1/CustomerProfiles" + query).sids(); len(got) != want {
			t.Errorf("%s: %d profiles, want %d", query, len(got), want)
		}
	}
	b.sub.get("/v1/CustomerProfiles?Status=approved").refused(400, codeBundleStatus)
	b.sub.get("/v1/CustomerProfiles?Name=x").refused(400, codeUnknownParameters)
}

// TestTheOnlyTransitionIsToPendingReview for an account's own requests, and it goes alone.
func TestTheOnlyTransitionIsToPendingReview(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Review: ReviewManual})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	for _, status := range []string{"draft", "in-review", "twilio-approved", "twilio-rejected"} {
		b.sub.post(p.path, "Status", status).refused(400, codeBundleStatus)
	}
	b.sub.post(p.path, "Status", "approved").refused(400, codeBundleStatus)
	b.sub.post(p.path, "Status", "pending-review", "Email", "other@example.com").refused(400, codeStatusAndProps)
	if got := b.sub.post(p.path, "Email", "other@example.com").want(200).text("email"); got != "other@example.com" {
		t.Errorf("email %s", got)
	}
	if got := b.sub.submit(p.path); got != "pending-review" {
		t.Errorf("submitted: %s", got)
	}
	b.sub.post(p.path, "Status", "draft").refused(400, codeBundleStatus)
	b.sub.post(p.path, "Status", "pending-review").refused(409, codeConflict)
}

// TestAnIncompleteSubmissionIsLeftInDraft though it is answered with 200.
func TestAnIncompleteSubmissionIsLeftInDraft(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	profile := b.sub.draftProfile()
	if got := b.sub.submit(profilePath(profile)); got != "draft" {
		t.Errorf("an empty profile is %s after its submission", got)
	}
	if got := b.sim.State().Accounts[b.sub.sid].CustomerProfiles[0].Submissions; got != 0 {
		t.Errorf("%d submissions went into review", got)
	}
}

// TestEditsInEachStatus tries every edit in every status that a profile can have.
func TestEditsInEachStatus(t *testing.T) {
	t.Parallel()
	for _, status := range []Status{StatusDraft, StatusPendingReview, StatusInReview, StatusApproved, StatusRejected} {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			b := setup(t, Config{Review: ReviewManual})
			p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
			second := b.sub.endUser(representative2, representative())
			if status != StatusDraft {
				b.sub.submit(p.path)
			}
			if status != StatusDraft && status != StatusPendingReview {
				b.decide(t, p.profile, status)
			}
			if got := b.sub.status(p.path); got != string(status) {
				t.Fatalf("the profile is %s", got)
			}
			editable := status == StatusDraft || status == StatusRejected
			numbers := editable || status == StatusApproved
			for _, edit := range []struct {
				name    string
				allowed bool
				do      func() result
			}{
				{"property", editable, func() result { return b.sub.post(p.path, "FriendlyName", "Renamed") }},
				{"end user", editable, func() result {
					return b.sub.post("/v1/EndUsers/"+p.business, "Attributes", business("business_name", "Renamed LLC"))
				}},
				{"document", editable, func() result { return b.sub.post("/v1/SupportingDocuments/"+p.document, "FriendlyName", "Renamed") }},
				{"assign", editable, func() result { return b.sub.assign(p.path, second) }},
				{"unassign", editable, func() result { return b.sub.delete(p.path + "/EntityAssignments/" + p.businessAssignment) }},
				{"add a number", numbers, func() result { return b.sub.addNumber(p.path, b.sub.number()) }},
				{"remove a number", numbers, func() result { return b.sub.delete(p.path + "/ChannelEndpointAssignments/" + p.numberAssignment) }},
			} {
				r := edit.do()
				r.request = edit.name
				switch {
				case !edit.allowed:
					r.refused(409, codeConflict)
				case r.status >= 300:
					t.Errorf("%s: %d %v", edit.name, r.status, r.body)
				}
			}
		})
	}
}

func TestDeletingBundles(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Review: ReviewManual})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	b.sub.submit(p.path)
	b.sub.delete(p.path).refused(400, codeBundleInReview)
	b.decide(t, p.profile, StatusApproved)
	b.sub.delete(p.path).refused(400, codeBundleHasNumbers)
	b.sub.delete(p.path + "/ChannelEndpointAssignments/" + p.numberAssignment).want(204)

	product := b.sub.draftProduct(PolicyShakenStir)
	b.sub.assign(productPath(product), p.profile).want(201)
	b.sub.delete(p.path).refused(409, codeConflict)
	b.sub.delete(productPath(product)).want(204)

	b.sub.delete("/v1/EndUsers/"+p.business).refused(400, codeEndUserAssigned)
	b.sub.delete("/v1/SupportingDocuments/"+p.document).refused(400, codeDocumentAssigned)
	b.sub.delete(p.path).want(204)
	b.sub.get(p.path).refused(404, codeNotFound)
	b.sub.delete("/v1/EndUsers/" + p.business).want(204)
	b.sub.delete("/v1/SupportingDocuments/" + p.document).want(204)

	b.parent.delete(profilePath(b.sim.cfg.PrimaryProfileSID)).refused(400, codeBundleInReview)

	state := b.sim.State().Accounts[b.sub.sid]
	if len(state.CustomerProfiles) != 0 || len(state.Deleted.CustomerProfiles) != 1 || !state.Deleted.CustomerProfiles[0].Deleted {
		t.Errorf("profiles after the deletion: %+v, deleted %+v", state.CustomerProfiles, state.Deleted.CustomerProfiles)
	}
	if got := len(state.Deleted.EntityAssignments); got != 5 {
		t.Errorf("%d deleted assignments, want the profile's four and the product's one", got)
	}
}

// TestListLag: a list does not show what is younger than the lag, a fetch does.
func TestListLag(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, Config{ListLag: time.Second})
		profile := b.sub.draftProfile()
		b.sub.get(profilePath(profile)).want(200)
		if got := b.sub.get("/v1/CustomerProfiles").sids(); len(got) != 0 {
			t.Errorf("at once the list shows %v", got)
		}
		pass(time.Second)
		if got := b.sub.get("/v1/CustomerProfiles").sids(); len(got) != 1 {
			t.Errorf("after the lag the list shows %v", got)
		}
	})
}
