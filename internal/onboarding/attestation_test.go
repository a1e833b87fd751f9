package onboarding

import (
	"slices"
	"testing"
	"time"
)

var one, two = PhoneNumber{SID: "PN1"}, PhoneNumber{SID: "PN2"}

// attested is an onboarding whose two numbers are on both approved bundles.
func attested() *Onboarding {
	o := &Onboarding{Numbers: []PhoneNumber{one, two}}
	for _, bundle := range []Key{CustomerProfileKey, ShakenStirKey} {
		o.Steps = append(o.Steps, Step{Key: bundle.Review(), State: StepSucceeded, RemoteStatus: BundleApproved})
		for _, n := range o.Numbers {
			o.Steps = append(o.Steps, Step{Key: bundle.Number(n.SID), State: StepSucceeded, SID: "RA"})
		}
	}
	return o
}

func TestAttestationIsAOnlyWhileItIsTrue(t *testing.T) {
	ending := []Requirement{{Code: CodeApprovalEnding}}
	tests := []struct {
		name   string
		change func(o *Onboarding)
		whole  string
		second bool // whether the second number is attested; the first is wherever any is
	}{
		{"both approved and both numbers on both", func(*Onboarding) {}, "A", true},
		{"another product is rejected", func(o *Onboarding) {
			o.Steps = append(o.Steps, Step{Key: "cnam.review", State: StepFailed, RemoteStatus: BundleRejected})
		}, "A", true},
		{"the approval nears its end", func(o *Onboarding) {
			s := o.Step("customer_profile.review")
			s.State, s.Requirements = StepFailed, ending
		}, "A", true},
		{"a number is not on the product", func(o *Onboarding) { o.Step(ShakenStirKey.Number(two.SID)).State = StepPending }, "", false},
		{"a number is not on the profile any more", func(o *Onboarding) { o.Step(CustomerProfileKey.Number(two.SID)).State = StepFailed }, "", false},
		{"a number is not resolved yet", func(o *Onboarding) { o.Request.PhoneNumbers = []string{one.SID, two.SID, "+13125550103"} }, "", true},
		{"a number has no steps yet", func(o *Onboarding) {
			o.Steps = slices.DeleteFunc(o.Steps, func(s Step) bool { return s.Key == ShakenStirKey.Number(two.SID) })
		}, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := attested()
			tt.change(o)
			if got := o.Attestation(); got != tt.whole {
				t.Errorf("attestation %q, want %q", got, tt.whole)
			}
			if got := o.AttestedNumbers(); !got[one.SID] || got[two.SID] != tt.second {
				t.Errorf("attested numbers %v, want the first, and the second: %v", got, tt.second)
			}
		})
	}
}

func TestNothingIsAttestedWithoutBothApprovals(t *testing.T) {
	none := map[string]func(o *Onboarding){
		"the product is rejected": func(o *Onboarding) {
			s := o.Step("trust_product.review")
			s.State, s.RemoteStatus = StepFailed, BundleRejected
		},
		"the approval has ended": func(o *Onboarding) {
			s := o.Step("customer_profile.review")
			s.State, s.Requirements = StepFailed, []Requirement{{Code: "approval_ended"}}
		},
		"the profile is reviewed anew": func(o *Onboarding) {
			s := o.Step("customer_profile.review")
			s.State, s.RemoteStatus = StepWaiting, BundleInReview
		},
		"canceled":          func(o *Onboarding) { o.CanceledAt = time.Now() },
		"no numbers at all": func(o *Onboarding) { o.Numbers = nil },
	}
	for name, change := range none {
		t.Run(name, func(t *testing.T) {
			o := attested()
			change(o)
			if got := o.Attestation(); got != "" || len(o.AttestedNumbers()) > 0 {
				t.Errorf("attestation %q, numbers %v; want none", got, o.AttestedNumbers())
			}
		})
	}
}
