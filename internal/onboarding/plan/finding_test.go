package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

// twoRepresentatives is a request whose second representative has an address elsewhere and a phone
// number abroad.
func twoRepresentatives() onboarding.Request {
	r := exampleRequest()
	r.Business.WebsiteURL = "https://www.plumbing.example.com"
	r.AuthorizedRepresentatives = []onboarding.Representative{
		{Email: "one@plumbing.example.com", PhoneNumber: "+13125550101"}, {Email: "two@mail.example", PhoneNumber: "+442075550102"},
	}
	return r
}

// findings are what Twilio can find amiss: what it is about follows from object, field and code
// together.
var findings = map[string]struct {
	finding     finding
	pointers    []string
	responsible onboarding.Responsible
	action      onboarding.Action
}{
	"a phone number that is none":            {finding{code: 22218, object: "authorized_representative_1", field: "phone_number"}, []string{"/authorized_representatives/0/phone_number"}, "customer", "correct"},
	"an address of another name":             {finding{code: 22218, object: "customer_profile_address", field: "customer_name"}, []string{"/address"}, "customer", "correct"},
	"a business name":                        {finding{code: 22215, object: "customer_profile_business_information", field: "business_name"}, []string{"/business/business_name"}, "customer", "correct"},
	"a missing primary profile":              {finding{code: 22216, object: "primary_customer_profile"}, []string{"/primary_profile_sid"}, "operator", "resume"},
	"a missing document":                     {finding{code: 22216, object: "customer_profile_address"}, []string{"/address"}, "customer", "resubmit_unchanged"},
	"a use case that is none":                {finding{code: 22215, object: "voice_integrity_information", field: "use_case"}, []string{"/voice_integrity/use_case"}, "customer", "correct"},
	"a display name":                         {finding{code: 22215, object: "cnam_information", field: "cnam_display_name"}, []string{"/cnam/cnam_display_name"}, "customer", "correct"},
	"a code that nobody knows, of an object": {finding{code: 99999, object: "authorized_representative_2", field: "email"}, []string{"/authorized_representatives/1/email"}, "customer", "correct"},
	"a code that nobody knows, of a step":    {finding{code: 99999, pointer: "/cnam"}, []string{"/cnam"}, "customer", "correct"},

	"the e-mail that is elsewhere":    {finding{code: 18606}, []string{"/authorized_representatives/1/email"}, "customer", "correct"},
	"the second representative":       {finding{code: 18605}, []string{"/authorized_representatives/1"}, "customer", "correct"},
	"a website":                       {finding{code: 11001}, []string{"/business/website_url"}, "customer", "correct"},
	"the phone number that is abroad": {finding{code: 11002}, []string{"/authorized_representatives/1/phone_number"}, "customer", "correct"},
	"an address abroad":               {finding{code: 11003}, []string{"/address/iso_country"}, "customer", "correct"},
	"a registration":                  {finding{code: 11004}, []string{"/business/business_registration_number"}, "customer", "correct"},
	"a profile that is not approved":  {finding{code: 11006}, []string{""}, "twilio", "wait_until"},
	"prohibited words":                {finding{code: 11008}, []string{"/cnam/cnam_display_name"}, "customer", "correct"},
	"a letter of authorization":       {finding{code: 11010}, []string{""}, "operator", "contact_twilio"},
}

func TestAFindingIsAboutWhatItsObjectFieldAndCodeSay(t *testing.T) {
	t.Parallel()
	for name, test := range findings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := test.finding.requirement(twoRepresentatives())
			var pointers []string
			for _, r := range asked {
				pointers = append(pointers, r.Pointer)
				if r.Responsible != test.responsible || r.Action != test.action || r.Message == "" {
					t.Errorf("asked %+v, want %s to %s", r, test.responsible, test.action)
				}
			}
			if strings.Join(pointers, " ") != strings.Join(test.pointers, " ") {
				t.Errorf("pointers %q, want %q", pointers, test.pointers)
			}
		})
	}
}

// Where the request does not tell who is to blame, all are.
func TestAllAreToBlameWhereTheRequestDoesNotTell(t *testing.T) {
	t.Parallel()
	r := twoRepresentatives()
	r.AuthorizedRepresentatives[1].Email = "two@plumbing.example.com"
	if asked := (finding{code: 18606}).requirement(r); len(asked) != 2 {
		t.Errorf("asked %+v, want both e-mail addresses", asked)
	}
	r.AuthorizedRepresentatives = r.AuthorizedRepresentatives[:1]
	if asked := (finding{code: 18605}).requirement(r); len(asked) != 1 || asked[0].Pointer != "/authorized_representatives/0" {
		t.Errorf("asked %+v, want the one that there is", asked)
	}
}

func TestTwiliosWordsAreKeptApartAndShort(t *testing.T) {
	t.Parallel()
	asked := finding{code: 18602, said: strings.Repeat("é", 600)}.requirement(exampleRequest())[0]
	if got := len([]rune(asked.TwilioMessage)); got != onboarding.MostTwilioMessage {
		t.Errorf("%d characters are kept, want %d", got, onboarding.MostTwilioMessage)
	}
	if strings.Contains(asked.Message, "é") {
		t.Error("our message repeats Twilio's")
	}
}

func TestTwoEqualRequirementsAreOne(t *testing.T) {
	t.Parallel()
	errors := []onboarding.BundleError{{Code: 18602}, {Code: 18601}, {Code: 18602}}
	if asked := rejectionRequirements(exampleRequest(), errors); len(asked) != 2 {
		t.Errorf("asked %+v, want two", asked)
	}
}

// Twilio can report a missing primary profile as a finding about nothing in particular.
func TestAPrimaryProfileThatIsNullIsTheOperators(t *testing.T) {
	t.Parallel()
	asked := onboarding.AskedIn(evaluated(onboarding.Evaluation{Status: onboarding.EvaluationNoncompliant, Results: []onboarding.EvaluationResult{
		{Code: 22216, FailureReason: "Primary customer profile bundle is null"},
	}}, ""))
	if len(asked) != 1 || asked[0].Pointer != "/primary_profile_sid" || asked[0].Responsible != onboarding.ResponsibleOperator {
		t.Errorf("asked %+v, want the operator to look at the primary profile", asked)
	}
}

// Each advice can be acted on, and tells how.
func TestEachAdviceSaysWhatToDo(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, a := range codes {
		if a.message == "" {
			t.Errorf("%d: no word on what to do", a.code)
		}
		about := fmt.Sprint(a.code, a.object, a.field)
		if seen[about] {
			t.Errorf("%d for %q and %q is there twice", a.code, a.object, a.field)
		}
		seen[about] = true
	}
}
