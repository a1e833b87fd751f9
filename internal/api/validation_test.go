package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

// requestFaults each change one thing in a request that has no fault, and name the one fault that
// follows.
var requestFaults = []struct {
	path    string
	sent    any
	pointer string
	code    string
}{
	{"subaccount_sid", absent{}, "/subaccount_sid", "required"},
	{"subaccount_sid", nil, "/subaccount_sid", "required"},
	{"subaccount_sid", 5, "/subaccount_sid", "type"},
	{"subaccount_sid", "", "/subaccount_sid", "required"},
	{"subaccount", map[string]any{"friendly_name": "Example Plumbing LLC"}, "/subaccount", "exclusive"},
	{"subaccount_sid", "AC123", "/subaccount_sid", "format"},
	{"subaccount_sid", "BU0123456789abcdef0123456789abcdef", "/subaccount_sid", "format"},
	{"subaccountsid", "x", "/subaccountsid", "unknown_member"},
	{"a/b~c", "x", "/a~1b~0c", "unknown_member"},
	{"external_id", strings.Repeat("x", 129), "/external_id", "too_long"},
	{"external_id", "a\x00b", "/external_id", "control_character"},
	{"primary_profile_sid", "RN0123456789abcdef0123456789abcdef", "/primary_profile_sid", "format"},
	{"notification_email", "", "/notification_email", "empty"},
	{"notification_email", "nobody", "/notification_email", "format"},
	{"notification_email", "Trust Hub <trust-hub@isv.example>", "/notification_email", "format"},
	{"notification_email", "<trust-hub@isv.example>", "/notification_email", "format"},
	{"notification_email", "trust-hub@localhost", "/notification_email", "format"},
	{"notification_email", "a@isv.example, b@isv.example", "/notification_email", "format"},
	{"notification_email", strings.Repeat("x", 250) + "@isv.example", "/notification_email", "too_long"},

	{"business", absent{}, "/business", "required"},
	{"business", "Example Plumbing LLC", "/business", "type"},
	{"business/business_name", "", "/business/business_name", "empty"},
	{"business/business_name", "   ", "/business/business_name", "empty"},
	{"business/business_name", "Example\tPlumbing", "/business/business_name", "control_character"},
	{"business/business_name", "Example\nPlumbing", "/business/business_name", "control_character"},
	{"business/business_name", "Example\u2028Plumbing", "/business/business_name", "control_character"},
	{"business/business_name", "Example\ufffdPlumbing", "/business/business_name", "control_character"},
	{"business/business_name", strings.Repeat("x", 256), "/business/business_name", "too_long"},
	{"business/business_identity", "customer", "/business/business_identity", "not_allowed"},
	{"business/business_type", "LLC", "/business/business_type", "not_allowed"},
	{"business/business_type", nil, "/business/business_type", "null"},
	{"business/business_industry", "plumbing", "/business/business_industry", "not_allowed"},
	{"business/business_registration_identifier", "ein", "/business/business_registration_identifier", "not_allowed"},
	{"business/business_registration_number", "12345678", "/business/business_registration_number", "format"},
	{"business/business_registration_number", "123-456789", "/business/business_registration_number", "format"},
	{"business/business_registration_number", "12 3456789", "/business/business_registration_number", "format"},
	{"business/business_registration_number", 123456789, "/business/business_registration_number", "type"},
	{"business/business_regions_of_operation", "USA", "/business/business_regions_of_operation", "not_allowed"},
	{"business/business_regions_of_operation", "USA_AND_CANADA,", "/business/business_regions_of_operation", "not_allowed"},
	{"business/business_regions_of_operation", "ASIA, ASIA", "/business/business_regions_of_operation", "duplicate"},
	{"business/website_url", "www.example.com", "/business/website_url", "format"},
	{"business/website_url", "ftp://www.example.com", "/business/website_url", "format"},
	{"business/website_url", "https://", "/business/website_url", "format"},
	{"business/website_url", "https://localhost", "/business/website_url", "format"},
	{"business/website_url", "https://www..example.com", "/business/website_url", "format"},
	{"business/website_url", "https://user:secret@www.example.com", "/business/website_url", "format"},
	{"business/website_url", "https://www.example.com/a b", "/business/website_url", "format"},
	{"business/website_url", "https://www.example.com/%zz", "/business/website_url", "format"},
	{"business/social_media_profile_urls", "@example", "/business/social_media_profile_urls", "format"},
	{"business/social_media_profile_urls", "https://social.example.net/a,b", "/business/social_media_profile_urls", "format"},

	{"address", absent{}, "/address", "required"},
	{"address", map[string]any{}, "/address", "required"},
	{"address", map[string]any{"sid": nil}, "/address", "required"},
	{"address", map[string]any{"sid": "AD123"}, "/address/sid", "format"},
	{"address", map[string]any{"sid": 5}, "/address/sid", "type"},
	{"address/sid", "AD0123456789abcdef0123456789abcdef", "/address", "exclusive"},
	{"address/customer_name", absent{}, "/address/customer_name", "required"},
	{"address/customer_name", strings.Repeat("x", 65), "/address/customer_name", "too_long"},
	{"address/customer_name", strings.Repeat("é", 33), "/address/customer_name", "too_long"},
	{"address/street", "", "/address/street", "required"},
	{"address/city", nil, "/address/city", "required"},
	{"address/region", "Illinois", "/address/region", "format"},
	{"address/postal_code", "6270", "/address/postal_code", "format"},
	{"address/postal_code", "62701-12", "/address/postal_code", "format"},
	{"address/postal_code", 62701, "/address/postal_code", "type"},
	{"address/iso_country", "ZZ", "/address/iso_country", "format"},
	{"address/iso_country", "U1", "/address/iso_country", "format"},
	{"address/iso_country", "USA", "/address/iso_country", "format"},
	{"address/country", "US", "/address/country", "unknown_member"},

	{"authorized_representatives", []any{}, "/authorized_representatives", "too_few"},
	{"authorized_representatives", []any{representativeBody("First"), representativeBody("Second"), representativeBody("Third")}, "/authorized_representatives", "too_many"},
	{"authorized_representatives/1", representativeBody("First"), "/authorized_representatives/1", "duplicate"},
	{"authorized_representatives/1/email", "second@", "/authorized_representatives/1/email", "format"},
	{"authorized_representatives/0/first_name", absent{}, "/authorized_representatives/0/first_name", "required"},
	{"authorized_representatives/0/last_name", "A\x7fB", "/authorized_representatives/0/last_name", "control_character"},
	{"authorized_representatives/0/phone_number", "202-555-0143", "/authorized_representatives/0/phone_number", "format"},
	{"authorized_representatives/0/phone_number", "+1 202 5550143", "/authorized_representatives/0/phone_number", "format"},
	{"authorized_representatives/0/phone_number", "+1202555014", "/authorized_representatives/0/phone_number", "format"},
	{"authorized_representatives/0/phone_number", "+11115550143", "/authorized_representatives/0/phone_number", "format"},
	{"authorized_representatives/0/phone_number", "+99955501431", "/authorized_representatives/0/phone_number", "format"},
	{"authorized_representatives/0/job_position", "Owner", "/authorized_representatives/0/job_position", "not_allowed"},
	{"authorized_representatives/0/title", "Owner", "/authorized_representatives/0/title", "unknown_member"},

	{"phone_numbers", []any{}, "/phone_numbers", "too_few"},
	{"phone_numbers", tooManyNumbers(), "/phone_numbers", "too_many"},
	{"phone_numbers", "none", "/phone_numbers", "not_allowed"},
	{"phone_numbers", 7, "/phone_numbers", "type"},
	{"products", []any{}, "/products", "too_few"},
	{"products", []any{"cnam"}, "/cnam", "required"},
	{"products", []any{"shaken_stir", "shaken_stir"}, "/products", "duplicate"},
	{"products", []any{"fax"}, "/products/0", "not_allowed"},
	{"products", []any{"voice_integrity"}, "/voice_integrity", "required"},
	{"cnam", map[string]any{"cnam_display_name": "Example LLC"}, "/cnam", "conflict"},
	{"customer_profile_sid", "BU1", "/customer_profile_sid", "format"},
	{"end_user_sids", map[string]any{"business_information": "BU0123456789abcdef0123456789abcdef"}, "/end_user_sids/business_information", "format"},
	{"phone_numbers/0", "202-555-0100", "/phone_numbers/0", "format"},
	{"phone_numbers/0", "PN12", "/phone_numbers/0", "format"},
	{"phone_numbers/0", "+12", "/phone_numbers/0", "format"},
	{"phone_numbers/0", "+120255501000", "/phone_numbers/0", "format"},
	{"phone_numbers/0", "+999999999999999", "/phone_numbers/0", "format"},
	{"phone_numbers/0", nil, "/phone_numbers/0", "null"},
	{"phone_numbers/1", "+12025550100", "/phone_numbers/1", "duplicate"},
	{"phone_numbers", []any{"PN0123456789abcdef0123456789abcdef", "PN0123456789ABCDEF0123456789ABCDEF"}, "/phone_numbers/1", "duplicate"},
}

func tooManyNumbers() []any {
	numbers := make([]any, onboarding.MostNumbers+1)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("PN%032x", i)
	}
	return numbers
}

func TestEachFaultIsFoundWhereItIs(t *testing.T) {
	t.Parallel()
	for _, test := range requestFaults {
		t.Run(fmt.Sprintf("%s %.40s", test.path, fmt.Sprint(test.sent)), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			body := validBody()
			if strings.Contains(test.path, "~") {
				body[test.path] = test.sent
			} else {
				set(body, test.path, test.sent)
			}

			a := b.call(http.MethodPost, "/onboardings", body)

			if a.status != http.StatusUnprocessableEntity {
				t.Fatalf("status %d: %s", a.status, a.body)
			}
			if got, want := faultsOf(t, a), []string{test.pointer + " " + test.code}; !slices.Equal(got, want) {
				t.Errorf("faults %v, want %v", got, want)
			}
			if len(b.service.requests) != 0 {
				t.Error("a request with a fault reached the service")
			}
		})
	}
}

func TestADUNSNumberHasNineDigits(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]int{"123456789": http.StatusAccepted, "12-3456789": http.StatusUnprocessableEntity, "1234567890": http.StatusUnprocessableEntity} {
		body := validBody()
		set(body, "business/business_registration_identifier", "DUNS")
		set(body, "business/business_registration_number", number)
		if a := setup(t).call(http.MethodPost, "/onboardings", body); a.status != want {
			t.Errorf("%s: status %d, want %d", number, a.status, want)
		}
	}
}

func TestWithoutADefaultThePrimaryProfileIsNeeded(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) { c.DefaultPrimaryProfileSID = "" })
	body := validBody()
	set(body, "primary_profile_sid", absent{})
	a := b.call(http.MethodPost, "/onboardings", body)
	if got, want := faultsOf(t, a), []string{"/primary_profile_sid required"}; !slices.Equal(got, want) {
		t.Errorf("faults %v, want %v", got, want)
	}
}

// The faults of the contract and those of our own rules come in one answer, none twice, in the
// order of their pointers.
func TestEverythingWrongIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	body := validBody()
	set(body, "subaccount_sid", "AC1")
	set(body, "notification_email", absent{})
	set(body, "colour", "blue")
	set(body, "business/business_name", 7)
	set(body, "business/business_type", "LLC")
	set(body, "business/business_registration_number", "1")
	set(body, "business/website_url", "example.com")
	set(body, "address/customer_name", strings.Repeat("x", 70))
	set(body, "address/region", "Illinois")
	set(body, "address/street", absent{})
	set(body, "authorized_representatives/0/email", "first")
	set(body, "authorized_representatives/1/phone_number", "555")
	set(body, "authorized_representatives/1/job_position", absent{})
	numbers := []any{}
	for i := range 11 {
		numbers = append(numbers, fmt.Sprintf("+1202555010%d", i))
	}
	numbers[2], numbers[9], numbers[10] = "two", "nine", "+12025550100"
	set(body, "phone_numbers", numbers)

	a := setup(t).call(http.MethodPost, "/onboardings", body)

	want := []string{
		"/address/customer_name too_long",
		"/address/region format",
		"/address/street required",
		"/authorized_representatives/0/email format",
		"/authorized_representatives/1/job_position required",
		"/authorized_representatives/1/phone_number format",
		"/business/business_name type",
		"/business/business_registration_number format",
		"/business/business_type not_allowed",
		"/business/website_url format",
		"/colour unknown_member",
		"/notification_email required",
		"/phone_numbers/2 format",
		"/phone_numbers/9 format",
		"/phone_numbers/10 duplicate",
		"/subaccount_sid format",
	}
	if got := faultsOf(t, a); !slices.Equal(got, want) {
		t.Errorf("faults\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if p := a.problem(t); p.Detail != "16 faults must be put right, see errors." {
		t.Errorf("detail %q", p.Detail)
	}
}

func TestAnEmptyObjectIsToldEverythingItNeeds(t *testing.T) {
	t.Parallel()
	a := setup(t).call(http.MethodPost, "/onboardings", map[string]any{})
	want := []string{
		"/address required", "/authorized_representatives required", "/business required", "/notification_email required",
		"/phone_numbers required", "/subaccount_sid required",
	}
	if got := faultsOf(t, a); !slices.Equal(got, want) {
		t.Errorf("faults %v, want %v", got, want)
	}
}

func TestABodyThatIsNoObjectIsOfTheWrongType(t *testing.T) {
	t.Parallel()
	for _, body := range []any{[]any{}, "text", 5, true} {
		a := setup(t).call(http.MethodPost, "/onboardings", body)
		if got, want := faultsOf(t, a), []string{" type"}; !slices.Equal(got, want) {
			t.Errorf("%v: faults %q, want %q", body, got, want)
		}
	}
}

func TestTheNumberOfFaultsInAnAnswerIsBounded(t *testing.T) {
	t.Parallel()
	body := validBody()
	for i := range 5000 {
		body[fmt.Sprintf("unknown_%d", i)] = i
	}
	if got := faultsOf(t, setup(t).call(http.MethodPost, "/onboardings", body)); len(got) != maxFaults {
		t.Errorf("%d faults, want %d", len(got), maxFaults)
	}
}

func TestEachWarningIsGivenAndNothingIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		changes map[string]any
		want    []string
	}{
		"e-mail in another domain": {
			map[string]any{"authorized_representatives/0/email": "first@example.org"},
			[]string{"/authorized_representatives/0/email email_domain"},
		},
		"subdomains are the same domain": {
			map[string]any{"authorized_representatives/0/email": "first@mail.example.com"}, nil,
		},
		"a country's second level is no domain": {
			map[string]any{"business/website_url": "https://www.example.co.uk", "authorized_representatives/0/email": "first@other.co.uk", "authorized_representatives/1/email": "second@mail.example.co.uk"},
			[]string{"/authorized_representatives/0/email email_domain"},
		},
		"business type outside the guide":      {map[string]any{"business/business_type": "Non-profit Corporation"}, []string{"/business/business_type unusual_value"}},
		"industry outside the guide":           {map[string]any{"business/business_industry": "CONSTRUCTION"}, []string{"/business/business_industry unusual_value"}},
		"another industry outside the guide":   {map[string]any{"business/business_industry": "PROFESSIONAL_SERVICES"}, []string{"/business/business_industry unusual_value"}},
		"region outside the guide":             {map[string]any{"business/business_regions_of_operation": "AUSTRALIA"}, []string{"/business/business_regions_of_operation unusual_value"}},
		"several regions":                      {map[string]any{"business/business_regions_of_operation": "ASIA, EUROPE"}, []string{"/business/business_regions_of_operation several_regions"}},
		"job position outside the guide":       {map[string]any{"authorized_representatives/1/job_position": "Other"}, []string{"/authorized_representatives/1/job_position unusual_value"}},
		"one mailbox for two":                  {map[string]any{"authorized_representatives/1/email": "FIRST@example.com"}, []string{"/authorized_representatives/1/email same_email"}},
		"the customer's mailbox":               {map[string]any{"notification_email": "First@example.com"}, []string{"/notification_email notification_email"}},
		"an American register, a foreign home": {map[string]any{"address/iso_country": "CA", "address/region": "Ontario", "address/postal_code": "K1A 0B1"}, []string{"/business/business_registration_identifier country_mismatch"}},
		"a foreign register, an American home": {
			map[string]any{"business/business_registration_identifier": "CBN"},
			[]string{"/business/business_registration_identifier country_mismatch", "/business/business_registration_identifier unusual_value"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := validBody()
			for path, v := range test.changes {
				set(body, path, v)
			}
			a := setup(t).call(http.MethodPost, "/onboardings", body)
			if a.status != http.StatusAccepted {
				t.Fatalf("status %d: %s", a.status, a.body)
			}
			var shown Onboarding
			a.decode(t, &shown)
			var got []string
			for _, w := range *shown.Warnings {
				got = append(got, w.Pointer+" "+w.Code)
			}
			slices.Sort(got)
			if !slices.Equal(got, test.want) {
				t.Errorf("warnings %v, want %v", got, test.want)
			}
		})
	}
}

// Every value that any document of Twilio has is accepted.
func TestEveryDocumentedValueIsAccepted(t *testing.T) {
	t.Parallel()
	values := map[string][]string{
		"business/business_type":                    {"Sole Proprietorship", "Partnership", "Limited Liability Corporation", "Corporation", "Co-operative", "Limited Liability Partnership", "Non-profit", "Non-profit Corporation"},
		"business/business_identity":                {"direct_customer", "isv_reseller_or_partner", "unknown"},
		"business/business_regions_of_operation":    {"AFRICA", "ASIA", "EUROPE", "LATIN_AMERICA", "USA_AND_CANADA", "AUSTRALIA", "AFRICA,ASIA,EUROPE"},
		"business/business_registration_identifier": {"EIN", "DUNS", "CBN", "CCN", "CN", "ACN", "CIN", "VAT", "VATRN", "RN", "Other"},
		"authorized_representatives/0/job_position": {"Director", "GM", "VP", "CEO", "CFO", "General Counsel", "Other"},
		"business/business_industry": {
			"AUTOMOTIVE", "AGRICULTURE", "BANKING", "CONSUMER", "EDUCATION", "ENGINEERING", "ENERGY", "OIL_AND_GAS", "FAST_MOVING_CONSUMER_GOODS",
			"FINANCIAL", "FINTECH", "FOOD_AND_BEVERAGE", "GOVERNMENT", "HEALTHCARE", "HOSPITALITY", "INSURANCE", "LEGAL", "MANUFACTURING", "MEDIA",
			"ONLINE", "RAW_MATERIALS", "REAL_ESTATE", "RELIGION", "RETAIL", "JEWELRY", "TECHNOLOGY", "TELECOMMUNICATIONS", "TRANSPORTATION",
			"TRAVEL", "ELECTRONICS", "NOT_FOR_PROFIT", "CONSTRUCTION", "PROFESSIONAL_SERVICES",
		},
		"address/postal_code": {"62701", "62701-1234", "627011234"},
	}
	b := setup(t)
	for path, all := range values {
		for _, v := range all {
			body := validBody()
			set(body, "business/business_registration_number", "123456789")
			set(body, path, v)
			if a := b.call(http.MethodPost, "/onboardings", body); a.status != http.StatusAccepted {
				t.Errorf("%s %s: status %d: %s", path, v, a.status, a.body)
			}
		}
	}
}

func TestAnAddressOfTheSubaccountNeedsItsSIDAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := validBody()
	set(body, "address", map[string]any{"sid": "AD0123456789ABCDEF0123456789ABCDEF", "street": "", "city": nil})
	if a := b.call(http.MethodPost, "/onboardings", body); a.status != http.StatusAccepted {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	if got := b.service.requests[0].Address.SID; got != "AD0123456789abcdef0123456789abcdef" {
		t.Errorf("sid %s", got)
	}
}

func faultsOf(t *testing.T, a answer) []string {
	t.Helper()
	p := a.problem(t)
	if p.Errors == nil {
		t.Fatalf("status %d without errors: %s", a.status, a.body)
	}
	var faults []string
	for _, f := range *p.Errors {
		if f.Detail == "" {
			t.Errorf("%s says not what to change", f.Pointer)
		}
		faults = append(faults, f.Pointer+" "+f.Code)
	}
	return faults
}
