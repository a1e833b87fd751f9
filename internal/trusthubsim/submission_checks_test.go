package trusthubsim

import (
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// reasons are the FailureReasons that callbacks brought, in their order.
func (m *mailbox) reasons(t *testing.T) []string {
	t.Helper()
	var reasons []string
	for _, got := range m.received() {
		form, err := url.ParseQuery(got.body)
		if err != nil {
			t.Fatal(err)
		}
		if form.Has("FailureReason") {
			reasons = append(reasons, form.Get("FailureReason"))
		}
	}
	return reasons
}

// suggested is what the check says about a part of an address.
func suggested(part, street, city, region, postalCode string) string {
	return "[address_sids] - Invalid " + part + ". Address suggestion -> Street: " + street + ". Secondary Street: " + city + ", " +
		region + " " + postalCode + ". Locality: " + city + ". Region: " + region + ". Postal Code: " + postalCode + ". Country: US;"
}

// checkCases are data that a check after the submission rejects, with the words that it has for it.
var checkCases = []struct {
	flaw  flaw
	words string
}{
	{flaw{email: "notify@-example.com"}, emailSyntax},
	{flaw{first: []string{"email", "owner@exam_ple.com"}}, emailSyntax},
	{flaw{second: []string{"email", "owner@www..example.com"}}, emailSyntax},
	{flaw{email: "notify@example.invalid"}, emailUnknown},
	{flaw{first: []string{"email", "owner@Mailinator.com"}}, emailDisposable},
	{flaw{second: []string{"email", "owner@eu.mailinator.com"}}, emailDisposable},
	{flaw{first: []string{"email", "undeliverable@example.com"}}, emailInvalid},
	{flaw{address: []string{"Street", "1 Nowhere Ln"}}, addressNowhere},
	{
		flaw{address: []string{"City", "Austin", "Region", "TX", "PostalCode", "10001"}},
		suggested("Postal Code", "100 MAIN ST", "AUSTIN", "TX", "75001"),
	},
	{
		flaw{address: []string{"City", "Boston", "Region", "MAA", "PostalCode", "02215"}},
		suggested("Region", "100 MAIN ST", "BOSTON", "MA", "02215"),
	},
	{
		flaw{address: []string{"City", "Bostun", "Region", "Massachusetts", "PostalCode", "02215"}},
		suggested("Locality", "100 MAIN ST", "Boston", "MASSACHUSETTS", "02215"),
	},
	{flaw{address: []string{"Street", "1 Jersey Str"}}, suggested("Street", "1 JERSEY ST", "SAN FRANCISCO", "CA", "94105")},
	{flaw{address: []string{"Street", "10000 Jersey St"}}, "[address_sids] - Invalid House Number"},
	{
		flaw{address: []string{"City", "Vancouver", "Region", "ON", "PostalCode", "V6B 1A1", "IsoCountry", "CA"}},
		strings.ReplaceAll(suggested("Postal Code", "100 Main St", "Vancouver", "ON", "K1A 1A1"), ": US;", ": CA;"),
	},
	{
		flaw{email: "notify@example.invalid", first: []string{"email", "owner@mailinator.com"}},
		emailUnknown + " " + emailDisposable,
	},
}

// TestEachCheck rejects with its words, which come by callback alone, and the correction leads to
// approval.
func TestEachCheck(t *testing.T) {
	t.Parallel()
	for _, test := range checkCases {
		synctest.Test(t, func(t *testing.T) {
			m := &mailbox{}
			b := setup(t, Config{ReviewDelay: time.Hour, AnyEmailDomain: true, CallbackClient: m})
			p, second := b.customer(test.flaw)
			b.sub.submit(p.path)
			pass(15*time.Second - 1)
			if got := b.outcome(p.path); got != "pending-review" {
				t.Errorf("%s: before the check the profile is %s", test.words, got)
			}
			pass(1)
			if got := b.outcome(p.path); got != "twilio-rejected []" {
				t.Errorf("%s: the profile is %s", test.words, got)
			}
			if got := m.reasons(t); len(got) != 1 || got[0] != test.words {
				t.Errorf("reasons %q, want %q", got, test.words)
			}

			b.sub.post(p.path, "Email", "notify@example.com").want(200)
			b.sub.post("/v1/EndUsers/"+p.representative, "Attributes", representative()).want(200)
			b.sub.post("/v1/EndUsers/"+second, "Attributes", representative()).want(200)
			b.sub.post("/v1/SupportingDocuments/"+p.document, "Attributes", `{"address_sids": "`+b.sub.address()+`"}`).want(200)
			b.sub.submit(p.path)
			pass(time.Hour)
			if got := b.outcome(p.path); got != approvedOutcome {
				t.Errorf("%s: corrected, the profile is %s", test.words, got)
			}
		})
	}
}

// TestWhenAndWhetherChecksRun: in either review mode, at the latest with the decision, not for
// products, and not at all with the switch.
func TestWhenAndWhetherChecksRun(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		cfg   Config
		after time.Duration
		want  string
	}{
		"the review is shorter":          {Config{ReviewDelay: time.Second}, time.Second, "twilio-rejected []"},
		"somebody decides":               {Config{Review: ReviewManual}, 15 * time.Second, "twilio-rejected []"},
		"at another time":                {Config{ReviewDelay: time.Hour, CheckDelay: time.Minute}, 59 * time.Second, "pending-review"},
		"at another time, when it is up": {Config{ReviewDelay: time.Hour, CheckDelay: time.Minute}, time.Minute, "twilio-rejected []"},
		"skipped":                        {Config{ReviewDelay: time.Minute, Doubts: Doubts{SkipChecks: true}}, time.Minute, approvedOutcome},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				test.cfg.CallbackClient = &mailbox{}
				b := setup(t, test.cfg)
				p, _ := b.customer(flaw{email: "notify@example.invalid"})
				b.sub.submit(p.path)
				pass(test.after)
				if got := b.outcome(p.path); got != test.want {
					t.Errorf("after %s the profile is %s, want %s", test.after, got, test.want)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, Config{ReviewDelay: time.Minute, CallbackClient: &mailbox{}})
		p, _ := b.customer(flaw{})
		b.sub.submit(p.path)
		pass(time.Minute)
		if got := b.outcome(p.path); got != approvedOutcome {
			t.Fatalf("the profile is %s", got)
		}
		product := productPath(b.product(PolicyShakenStir, p, flaw{email: "notify@example.invalid"}))
		b.sub.submit(product)
		pass(time.Minute)
		if got := b.outcome(product); got != approvedOutcome {
			t.Errorf("the product is %s", got)
		}
	})
}

// TestADecisionGoesBeforeTheChecks: who decides by hand has the last word.
func TestADecisionGoesBeforeTheChecks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, Config{Review: ReviewManual, CallbackClient: &mailbox{}})
		p, _ := b.customer(flaw{email: "notify@example.invalid"})
		b.sub.submit(p.path)
		b.decide(t, p.profile, StatusApproved)
		pass(time.Hour)
		if got := b.outcome(p.path); got != approvedOutcome {
			t.Errorf("the profile is %s", got)
		}
	})
}

// TestRegionsAndPostalCodes: every region takes the code that a suggestion would name for it, and
// is found by it.
func TestRegionsAndPostalCodes(t *testing.T) {
	t.Parallel()
	for _, r := range regions {
		code := r.example()
		if !postalCodes[r.country].MatchString(code) || !r.has(code) || regionOf(r.country, strings.ToLower(r.name)) == nil {
			t.Errorf("%s %s: the code %s", r.country, r.code, code)
		}
		if found := regionOf(r.country, regionByPostalCode(r.country, code)); found == nil || !found.has(code) {
			t.Errorf("%s is found to be of %v", code, found)
		}
	}
	for _, test := range []struct {
		country, region, code string
		want                  bool
	}{
		{"US", "NY", "10001", true},
		{"US", "ny", "00501", true},
		{"US", "TX", "73301", true},
		{"US", "OK", "73301", false},
		{"US", "DC", "20500", true},
		{"US", "VA", "20101", true},
		{"US", "PR", "00907", true},
		{"US", "GU", "96910", true},
		{"US", "CA", "9410", false},
		{"CA", "Ontario", "m5v 2t6", true},
		{"CA", "QC", "K1A 0B1", false},
	} {
		if got := regionOf(test.country, test.region).has(test.code); got != test.want {
			t.Errorf("%s has %s: %t", test.region, test.code, got)
		}
	}
	if regionOf("US", "ON") != nil || regionOf("CA", "CA") != nil || regionOf("GB", "London") != nil {
		t.Error("a region is found in another country")
	}
}
