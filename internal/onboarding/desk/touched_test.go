package desk

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/onboarding"
)

// TestAnAmendmentMakesDueAgainWhatHoldsTheChange has, for each part of a request, the steps that
// are due again after it has changed. The profile was rejected, and so is evaluated and submitted
// anew.
func TestAnAmendmentMakesDueAgainWhatHoldsTheChange(t *testing.T) {
	t.Parallel()
	anew := []onboarding.Key{"customer_profile.evaluation", "customer_profile.submission", "customer_profile.review"}
	with := func(keys ...onboarding.Key) []onboarding.Key { return append(keys, anew...) }
	for name, test := range map[string]struct {
		amend func(*onboarding.Request)
		want  []onboarding.Key
	}{
		"nothing":               {func(*onboarding.Request) {}, anew},
		"the business":          {func(r *onboarding.Request) { r.Business.WebsiteURL = "https://other.example.com" }, with("business_information")},
		"a representative":      {func(r *onboarding.Request) { r.AuthorizedRepresentatives[0].Email = "new@example.com" }, with("representative_1")},
		"the street":            {func(r *onboarding.Request) { r.Address.Street = "2 Main St" }, with("address")},
		"the country":           {func(r *onboarding.Request) { r.Address.ISOCountry = "CA" }, with("address", "address_document")},
		"an address of its own": {func(r *onboarding.Request) { r.Address = onboarding.Address{SID: "AD9"} }, with("address", "address_document")},
		"the numbers":           {func(r *onboarding.Request) { r.PhoneNumbers = []string{"+13125550101", "+13125550102"} }, with("preflight")},
		"all numbers":           {func(r *onboarding.Request) { r.PhoneNumbers, r.AllPhoneNumbers = nil, true }, with("preflight")},
		"a product's use": {func(r *onboarding.Request) { r.VoiceIntegrity.UseCase = "Telehealth" }, slices.Concat(
			[]onboarding.Key{"voice_integrity_user", "voice_integrity.evaluation", "voice_integrity.submission", "voice_integrity.review"}, anew)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, plan := arranged(func(o *onboarding.Onboarding) {})
			o.Request.Products = []onboarding.Product{"shaken_stir", "voice_integrity"}
			o.Request.VoiceIntegrity.UseCase = "Customer Support"
			o.Request.AuthorizedRepresentatives = slices.Clone(o.Request.AuthorizedRepresentatives)
			plan.Arrange(o)
			for i := range o.Steps {
				if s := &o.Steps[i]; s.State == onboarding.StepPending {
					s.State, s.SID = onboarding.StepSucceeded, "SID of "+string(s.Key)
				}
			}
			review := o.Step("customer_profile.review")
			review.State, review.RemoteStatus = onboarding.StepFailed, onboarding.BundleRejected
			o.Step("trust_product.review").RemoteStatus = onboarding.BundleApproved
			amended := o.Request
			amended.AuthorizedRepresentatives = slices.Clone(amended.AuthorizedRepresentatives)
			test.amend(&amended)
			change, err := amendment{plan: plan, amended: amended, retryFailed: true}.apply(o, "key:test", time.Unix(1, 0))
			if err != nil {
				t.Fatal(err)
			}
			var due []onboarding.Key
			for _, s := range change.Steps {
				if s.State == onboarding.StepPending {
					due = append(due, s.Key)
				}
			}
			slices.Sort(due)
			slices.Sort(test.want)
			if diff := cmp.Diff(test.want, due); diff != "" {
				t.Errorf("steps that are due again (-want +got):\n%s", diff)
			}
			if makesVersion := name != "nothing"; (change.Request != nil) != makesVersion || makesVersion && change.Version != 2 {
				t.Errorf("version %d is written; want one more if anything changes", change.Version)
			}
		})
	}
}

// An address that cannot become what is wanted is recorded and replaced; one that was given is not
// ours to record.
func TestWhatTwilioCannotChangeIsReplaced(t *testing.T) {
	t.Parallel()
	for name, given := range map[string]string{"ours": "", "given": "AD1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, plan := arranged(func(o *onboarding.Onboarding) {
				if given != "" {
					o.Request.Address = onboarding.Address{SID: given}
				}
				o.Step("customer_profile.review").RemoteStatus = onboarding.BundleRejected
			})
			had := o.SID("address")
			amended := o.Request
			amended.Address = onboarding.Address{Street: "1 Rue", City: "Paris", ISOCountry: "FR"}
			change, err := amendment{plan: plan, amended: amended}.apply(o, "key:test", time.Unix(1, 0))
			if err != nil {
				t.Fatal(err)
			}
			recorded := false
			for _, s := range change.Steps {
				recorded = recorded || s.Key == onboarding.AddressKey.Replaced(had) && s.SID == had
				if s.Key == "address" && (s.SID != "" || s.State != onboarding.StepPending) {
					t.Errorf("the address is %s with %q, want it to be made anew", s.State, s.SID)
				}
			}
			if recorded != (given == "") {
				t.Errorf("recorded as replaced: %v", recorded)
			}
			told := slices.ContainsFunc(change.Events, func(e onboarding.Event) bool { return strings.HasPrefix(e.Kind, "object.replaced") })
			if told != recorded {
				t.Errorf("the history tells of it: %v", told)
			}
		})
	}
}
