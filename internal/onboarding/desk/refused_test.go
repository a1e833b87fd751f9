package desk

import (
	"errors"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// status gives the bundle of a step another status.
func status(key onboarding.Key, status string) func(o *onboarding.Onboarding) {
	return func(o *onboarding.Onboarding) { o.Step(key).RemoteStatus = status }
}

var approved = status("customer_profile.review", onboarding.BundleApproved)

// rename amends what is on the profile.
func rename(r *onboarding.Request) { r.Business.Name = "Another Name LLC" }

// refusals has everything that an amendment cannot change, and when.
var refusals = map[string]struct {
	given func(*onboarding.Onboarding)
	amend func(*onboarding.Request)
	code  string // "" if it is not refused
}{
	"another subaccount":               {amend: func(r *onboarding.Request) { r.SubaccountSID = "AC2" }, code: "subaccount_fixed"},
	"a new subaccount":                 {amend: func(r *onboarding.Request) { r.Subaccount = &onboarding.NewSubaccount{FriendlyName: "New"} }, code: "subaccount_fixed"},
	"another primary profile":          {amend: func(r *onboarding.Request) { r.PrimaryProfileSID = "BU9" }, code: "primary_profile_fixed"},
	"another external ID":              {amend: func(r *onboarding.Request) { r.ExternalID = "customer-2" }, code: "external_id_fixed"},
	"another mailbox":                  {amend: func(r *onboarding.Request) { r.NotificationEmail = "other@example.com" }, code: "notification_email_fixed"},
	"a product less":                   {amend: func(r *onboarding.Request) { r.Products = []onboarding.Product{onboarding.ProductCNAM} }},
	"a product less that was approved": {given: status("trust_product.review", onboarding.BundleApproved), amend: func(r *onboarding.Request) { r.Products = []onboarding.Product{onboarding.ProductCNAM} }, code: "approved"},
	"a product less that is in review": {given: status("trust_product.review", onboarding.BundleInReview), amend: func(r *onboarding.Request) { r.Products = []onboarding.Product{onboarding.ProductCNAM} }, code: "in_review"},
	"a product more":                   {amend: func(r *onboarding.Request) { r.Products = []onboarding.Product{"shaken_stir", "cnam"} }},
	"the same product, named":          {amend: func(r *onboarding.Request) { r.Products = []onboarding.Product{"shaken_stir"} }},
	"a profile to take over":           {amend: func(r *onboarding.Request) { r.CustomerProfileSID = "BU9" }, code: "taken_over_fixed"},
	"a product to take over":           {amend: func(r *onboarding.Request) { r.TrustProductSID = "BU9" }, code: "taken_over_fixed"},
	"a business to take over":          {amend: func(r *onboarding.Request) { r.EndUserSIDs.BusinessInformation = "IT9" }, code: "taken_over_fixed"},
	"a person to take over":            {amend: func(r *onboarding.Request) { r.EndUserSIDs.AuthorizedRepresentative1 = "IT9" }, code: "taken_over_fixed"},
	"a second person to be":            {amend: func(r *onboarding.Request) { r.EndUserSIDs.AuthorizedRepresentative2 = "IT9" }},
	"a profile that was refused":       {given: func(o *onboarding.Onboarding) { o.Step("customer_profile").State = onboarding.StepFailed }, amend: func(r *onboarding.Request) { r.CustomerProfileSID = "BU9" }},

	"a draft":                   {given: status("customer_profile.review", onboarding.BundleDraft), amend: rename},
	"what was rejected":         {given: status("customer_profile.review", onboarding.BundleRejected), amend: rename},
	"what was deleted":          {given: status("customer_profile.review", onboarding.BundleDeleted), amend: rename},
	"what was approved":         {given: approved, amend: rename, code: "approved"},
	"what is in review":         {given: status("customer_profile.review", onboarding.BundleInReview), amend: rename, code: "in_review"},
	"a status nobody has heard": {given: status("customer_profile.review", "on-hold"), amend: rename, code: "in_review"},
	"what is being submitted":   {given: func(o *onboarding.Onboarding) { o.Step("customer_profile.submission").State = onboarding.StepRunning }, amend: rename, code: "in_review"},
	"what has a call under way": {given: func(o *onboarding.Onboarding) { o.Step("business_information").State = onboarding.StepRunning }, amend: rename, code: "busy"},
	"a second person for an approved profile": {given: approved, amend: func(r *onboarding.Request) {
		r.AuthorizedRepresentatives = append(r.AuthorizedRepresentatives, onboarding.Representative{Email: "two@example.com"})
	}, code: "approved"},
	"a number for an approved profile":  {given: approved, amend: func(r *onboarding.Request) { r.PhoneNumbers = append(r.PhoneNumbers, "+13125550102") }},
	"a product for an approved profile": {given: approved, amend: func(r *onboarding.Request) { r.Products = []onboarding.Product{"shaken_stir", "cnam"} }},
	"anything of what was canceled":     {given: func(o *onboarding.Onboarding) { o.CanceledAt = time.Unix(1, 0) }, amend: rename, code: "canceled"},
}

func TestAnAmendmentIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, plan := arranged(func(o *onboarding.Onboarding) {
				if test.given != nil {
					test.given(o)
				}
			})
			amended := o.Request
			test.amend(&amended)
			_, err := amendment{plan: plan, amended: amended, retryFailed: true}.apply(o, "key:test", time.Unix(1, 0))
			code := ""
			if refused := (*RefusedError)(nil); errors.As(err, &refused) {
				code = refused.Code
				if refused.Reason == "" {
					t.Error("it is refused without a reason")
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if code != test.code {
				t.Errorf("refused with %q, want %q", code, test.code)
			}
		})
	}
}
