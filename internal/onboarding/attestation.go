package onboarding

// AttestationA is the full attestation of SHAKEN/STIR: who calls is known, and may use the number.
const AttestationA = "A"

// Attestation is "A" while the calls of every number that the onboarding is to have can be signed
// so, else "". It is judged by what Twilio has said of the bundles and not by [Onboarding.Status]:
// another product's trouble, or an approval that nears its end, takes no attestation away.
func (o *Onboarding) Attestation() string {
	if len(o.Numbers) == 0 {
		return ""
	}
	attested := o.AttestedNumbers()
	known := make(map[string]bool, 2*len(o.Numbers))
	for _, n := range o.Numbers {
		if !attested[n.SID] {
			return ""
		}
		known[n.SID], known[n.Number] = true, true
	}
	for _, name := range o.Request.PhoneNumbers {
		if !known[name] {
			return ""
		}
	}
	return AttestationA
}

// AttestedNumbers holds the SIDs of the numbers whose calls can be signed with A: both bundles are
// approved, and the number is on both.
func (o *Onboarding) AttestedNumbers() map[string]bool {
	attested := make(map[string]bool, len(o.Numbers))
	if !o.CanceledAt.IsZero() || !o.holdsApproval(CustomerProfileKey) || !o.holdsApproval(ShakenStirKey) {
		return attested
	}
	assigned := make(map[Key]bool, len(o.Steps))
	for i := range o.Steps {
		assigned[o.Steps[i].Key] = o.Steps[i].State == StepSucceeded
	}
	for _, n := range o.Numbers {
		if assigned[CustomerProfileKey.Number(n.SID)] && assigned[ShakenStirKey.Number(n.SID)] {
			attested[n.SID] = true
		}
	}
	return attested
}

// holdsApproval tells whether the bundle was approved when last read, and still is: an approval
// that only nears its end counts.
func (o *Onboarding) holdsApproval(bundle Key) bool {
	review := o.Step(bundle.Review())
	switch {
	case review == nil || review.RemoteStatus != BundleApproved:
		return false
	case review.State == StepFailed:
		return onlyAsk(review.Requirements, CodeApprovalEnding)
	default:
		return review.State == StepSucceeded
	}
}

// onlyAsk tells whether nothing but that code is asked for.
func onlyAsk(requirements []Requirement, code string) bool {
	for _, r := range requirements {
		if r.Code != code {
			return false
		}
	}
	return len(requirements) > 0
}
