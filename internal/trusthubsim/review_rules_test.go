package trusthubsim

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// flaw is what is wrong with the data of a customer, in the way that setup_test.go writes changes.
type flaw struct {
	business, first, second, address []string
	email                            string // of the bundle
	voice, name                      string // attributes of the products, "" for good ones
	alone                            bool   // there is no second representative
}

const (
	goodVoice = `{"use_case": "Lead Management", "business_employee_count": "10", "average_business_day_call_volume": "500"}`
	goodName  = `{"cnam_display_name": "Example Plumb."}`
)

// customer is a profile with two representatives, that is flawed, and what of it may be corrected.
func (b *testBundle) customer(f flaw) (p parts, second string) {
	email := f.email
	setDefault(&email, "notify@example.com")
	p = b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID, "Email", email, "StatusCallback", callbackURL)
	second = b.sub.endUser(representative2, representative())
	if !f.alone {
		b.sub.assign(p.path, second).want(201)
	}
	b.sub.post("/v1/EndUsers/"+p.business, "Attributes", business(f.business...)).want(200)
	b.sub.post("/v1/EndUsers/"+p.representative, "Attributes", representative(f.first...)).want(200)
	b.sub.post("/v1/EndUsers/"+second, "Attributes", representative(f.second...)).want(200)
	if len(f.address) > 0 {
		address := b.sub.address(f.address...)
		b.sub.post("/v1/SupportingDocuments/"+p.document, "Attributes", `{"address_sids": "`+address+`"}`).want(200)
	}
	return p, second
}

// product is a product of a policy for the profile, with an end user where the policy asks for one.
func (b *testBundle) product(policySID string, p parts, f flaw) (sid string) {
	email := f.email
	setDefault(&email, "notify@example.com")
	sid = b.sub.draftProduct(policySID, "Email", email, "StatusCallback", callbackURL)
	b.sub.assign(productPath(sid), p.profile).want(201)
	switch policySID {
	case PolicyVoiceIntegrity:
		setDefault(&f.voice, goodVoice)
		b.sub.assign(productPath(sid), b.sub.endUser(voiceIntegrity, f.voice)).want(201)
	case PolicyCNAM:
		setDefault(&f.name, goodName)
		b.sub.assign(productPath(sid), b.sub.endUser(cnam, f.name)).want(201)
	}
	return sid
}

// outcome is how a submitted bundle stands after its review.
func (b *testBundle) outcome(path string) string {
	synctest.Wait()
	r := b.sub.get(path).want(http.StatusOK)
	text := r.text("status")
	if r.body["errors"] != nil {
		text += fmt.Sprint(" ", r.body["errors"])
	}
	return text
}

func rejected(code int) string { return fmt.Sprintf("twilio-rejected [map[code:%d]]", code) }

func callerNamed(name string) string {
	return attributesJSON(map[string]string{"cnam_display_name": name}, nil)
}

const approvedOutcome = "twilio-approved"

// reviewCase is data that breaks one rule. Of products the profile is approved beforehand.
type reviewCase struct {
	policy string
	code   int
	object string // the rule's, to see that each rule has a case
	flaw   flaw
	doubts Doubts // under which the same data is approved, where there is such a switch
	needs  Doubts // without which it is approved
	domain bool   // it is approved with the switch any_email_domain
}

var reviewCases = []reviewCase{
	{policy: PolicySecondaryProfile, code: 18601, object: businessInformation, flaw: flaw{business: []string{"business_name", "Unverified LLC"}}},
	{policy: PolicySecondaryProfile, code: 18602, object: businessInformation, flaw: flaw{business: []string{"business_registration_number", "12-3450000"}}},
	{
		policy: PolicySecondaryProfile, code: 18602, object: businessInformation, doubts: Doubts{USDUNS: true},
		flaw: flaw{business: []string{"business_registration_identifier", "DUNS", "business_registration_number", "123456789"}},
	},
	{policy: PolicySecondaryProfile, code: 18603, object: profileAddress, flaw: flaw{address: []string{"Street", "1 Unverified St"}}},
	{policy: PolicySecondaryProfile, code: 18604, object: representative1, flaw: flaw{first: []string{"last_name", "Unverified"}}},
	{policy: PolicySecondaryProfile, code: 18605, object: representative2, flaw: flaw{second: []string{"last_name", "Unverified"}}},
	{policy: PolicySecondaryProfile, code: 18606, object: representative1, flaw: flaw{first: []string{"email", "owner@example.org"}}, domain: true},
	{policy: PolicySecondaryProfile, code: 18606, object: representative2, flaw: flaw{second: []string{"email", "owner@example.org"}}, domain: true},
	{policy: PolicySecondaryProfile, code: 18606, flaw: flaw{email: "trust@isv.example"}, needs: Doubts{BundleEmailDomain: true}},
	{policy: PolicySecondaryProfile, code: 18609, object: businessInformation, flaw: flaw{business: []string{"business_registration_number", "12-3458609"}}},

	{policy: PolicyVoiceIntegrity, code: 11001, object: businessInformation, flaw: flaw{business: []string{"website_url", "http://www.example.com"}}},
	{policy: PolicyVoiceIntegrity, code: 11002, object: representative1, flaw: flaw{first: []string{"phone_number", "+442071838750"}}},
	{policy: PolicyVoiceIntegrity, code: 11002, object: representative2, flaw: flaw{second: []string{"phone_number", "+442071838750"}}},
	{
		policy: PolicyVoiceIntegrity, code: 11003, object: profileAddress,
		flaw: flaw{address: []string{"City", "Toronto", "Region", "ON", "PostalCode", "M5H 1A1", "IsoCountry", "CA"}},
	},
	{policy: PolicyVoiceIntegrity, code: 11004, object: businessInformation, flaw: flaw{business: []string{"business_registration_number", "12-3451004"}}},
	{
		policy: PolicyVoiceIntegrity, code: 18609, object: businessInformation,
		flaw: flaw{business: []string{"business_registration_identifier", "CBN", "business_registration_number", "123456789"}},
	},

	{policy: PolicyCNAM, code: 11018, object: cnam, flaw: flaw{name: callerNamed("415 555 0100")}},
	{policy: PolicyCNAM, code: 11009, object: cnam, flaw: flaw{name: callerNamed("Example Plumbing")}},
	{policy: PolicyCNAM, code: 11009, object: cnam, flaw: flaw{name: callerNamed("1 Example")}},
	{policy: PolicyCNAM, code: 11009, object: cnam, flaw: flaw{name: callerNamed("Example & Co")}},
	{policy: PolicyCNAM, code: 11008, object: cnam, flaw: flaw{name: callerNamed("Police Dept")}},
	{policy: PolicyCNAM, code: 11008, object: cnam, flaw: flaw{name: callerNamed("Social Security")}},
	{policy: PolicyCNAM, code: 11007, object: cnam, flaw: flaw{name: callerNamed("Sunny Roofing")}, doubts: Doubts{AnyCallerName: true}},
	{policy: PolicyCNAM, code: 11007, object: cnam, flaw: flaw{name: callerNamed("Ex Roofing")}, doubts: Doubts{AnyCallerName: true}},
	{
		policy: PolicyCNAM, code: 18609, object: businessInformation,
		flaw: flaw{business: []string{"business_registration_identifier", "CBN", "business_registration_number", "123456789"}},
	},
}

// TestEachReviewRule rejects with its code alone, and the switch about it, where there is one,
// decides.
func TestEachReviewRule(t *testing.T) {
	t.Parallel()
	for _, test := range reviewCases {
		synctest.Test(t, func(t *testing.T) {
			reviewed := func(doubts Doubts, anyDomain bool) string {
				b := setup(t, Config{ReviewDelay: time.Second, Doubts: doubts, AnyEmailDomain: anyDomain, CallbackClient: &mailbox{}})
				p, _ := b.customer(test.flaw)
				path := p.path
				if test.policy != PolicySecondaryProfile {
					b.sub.submit(path)
					b.decide(t, p.profile, StatusApproved)
					path = productPath(b.product(test.policy, p, test.flaw))
				}
				b.sub.submit(path)
				pass(time.Second)
				return b.outcome(path)
			}
			if got := reviewed(test.needs, false); got != rejected(test.code) {
				t.Errorf("%d with %+v: %s", test.code, test.flaw, got)
			}
			if test.doubts == (Doubts{}) && test.needs == (Doubts{}) && !test.domain {
				return // no switch is about it
			}
			if got := reviewed(test.doubts, test.domain); got != approvedOutcome {
				t.Errorf("%d with %+v and the switch turned: %s", test.code, test.flaw, got)
			}
		})
	}
	for _, p := range policies {
		for _, r := range p.reviewRules() {
			tried := slices.ContainsFunc(reviewCases, func(c reviewCase) bool { return c.code == r.code && c.object == r.object })
			if !tried {
				t.Errorf("%s: no case breaks the rule %d on %s", p.friendlyName, r.code, r.place())
			}
			if wordsByCode[r.code] == "" || r.value == "" {
				t.Errorf("%s: the rule %d says nothing", p.friendlyName, r.code)
			}
		}
	}
}

// TestGoodDataIsApproved on a profile and on each of its products, with the names that are close to
// what is refused.
func TestGoodDataIsApproved(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		policy string
		flaw   flaw
	}{
		{PolicyShakenStir, flaw{}},
		{PolicyVoiceIntegrity, flaw{alone: true}},
		{PolicyShakenStir, flaw{first: []string{"email", "owner@mail.example.com"}}},
		{PolicyShakenStir, flaw{business: []string{"website_url", "https://shop.example.com"}}},
		{PolicyVoiceIntegrity, flaw{}},
		{PolicyCNAM, flaw{}},
		{PolicyCNAM, flaw{name: callerNamed("EXAMPLE PLUMBIN")}},
		{PolicyCNAM, flaw{name: callerNamed("Exa, Policeman")}},
		{PolicyVoiceIntegrity, flaw{
			business: []string{"business_registration_identifier", "DUNS", "business_registration_number", "123456789"},
		}},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := setup(t, Config{ReviewDelay: time.Second, CallbackClient: &mailbox{}, Doubts: Doubts{USDUNS: true}})
			p, _ := b.customer(test.flaw)
			b.sub.submit(p.path)
			pass(time.Second)
			if got := b.outcome(p.path); got != approvedOutcome {
				t.Fatalf("the profile is %s", got)
			}
			path := productPath(b.product(test.policy, p, test.flaw))
			b.sub.submit(path)
			pass(time.Second)
			if got := b.outcome(path); got != approvedOutcome {
				t.Errorf("%s with %+v is %s", test.policy, test.flaw, got)
			}
		})
	}
}

// TestAReviewFindsEverything, each code once.
func TestAReviewFindsEverything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, Config{ReviewDelay: time.Second, CallbackClient: &mailbox{}})
		p, _ := b.customer(flaw{
			business: []string{"business_name", "Unverified LLC"},
			first:    []string{"email", "first@example.org"}, second: []string{"email", "second@example.org"},
		})
		b.sub.submit(p.path)
		pass(time.Second)
		if got := b.outcome(p.path); got != "twilio-rejected [map[code:18601] map[code:18606]]" {
			t.Errorf("the profile is %s", got)
		}
	})
}

// TestTheTagInAnEmail rejects the bundles that it names, until it is gone.
func TestTheTagInAnEmail(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ email, profile, product string }{
		{"trust+reject-18604@isv.example", rejected(18604), rejected(18604)},
		{"trust+reject-profile-11011@isv.example", rejected(11011), approvedOutcome},
		{"trust+reject-product-18602@isv.example", approvedOutcome, rejected(18602)},
		{"trust+reject-18604-callback@isv.example", "twilio-rejected []", "twilio-rejected []"},
		{"trust+reject-product-18604-evaluation@isv.example", approvedOutcome, "twilio-rejected []"},
		{"trust+reject-me@isv.example", approvedOutcome, approvedOutcome},
		{"trust@isv.example", approvedOutcome, approvedOutcome},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := setup(t, Config{ReviewDelay: time.Second, CallbackClient: &mailbox{}})
			p, _ := b.customer(flaw{email: test.email})
			b.sub.submit(p.path)
			pass(time.Second)
			if got := b.outcome(p.path); got != test.profile {
				t.Errorf("%s: the profile is %s, want %s", test.email, got, test.profile)
			}
			if test.profile != approvedOutcome {
				b.sub.post(p.path, "Email", "trust@isv.example").want(200)
				b.sub.submit(p.path)
				pass(time.Second)
				if got := b.outcome(p.path); got != approvedOutcome {
					t.Errorf("%s: without the tag the profile is %s", test.email, got)
				}
			}
			product := productPath(b.product(PolicyShakenStir, p, flaw{email: test.email}))
			b.sub.submit(product)
			pass(time.Second)
			if got := b.outcome(product); got != test.product {
				t.Errorf("%s: the product is %s, want %s", test.email, got, test.product)
			}
		})
	}
}
