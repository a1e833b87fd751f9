package onboarding

import "time"

// ID names an onboarding: "onb_" and a UUIDv7, 40 characters.
type ID string

// Status is what an onboarding amounts to. It is derived from the steps, see [Onboarding.Status].
type Status string

// The statuses of an onboarding.
const (
	StatusInProgress     Status = "in_progress"
	StatusInReview       Status = "in_review"
	StatusActionRequired Status = "action_required"
	StatusApproved       Status = "approved"
	StatusCanceled       Status = "canceled"
)

// Onboarding is one subaccount's way to attestation: the request, and the ledger of steps that were
// taken for it.
type Onboarding struct {
	ID      ID
	Request Request
	// SubaccountSID is the account in which everything is made: the one that the request names, or
	// the one that was made for it; "" before.
	SubaccountSID string
	// CallbackToken is the unguessable last segment of the URL that Twilio calls with status
	// changes of this onboarding's bundles.
	CallbackToken string
	// Version counts the versions of Request, from 1.
	Version int
	// Numbers are the phone numbers as they were resolved: those of Request.PhoneNumbers in the
	// same order, or all that the subaccount has; empty before the preflight.
	Numbers []PhoneNumber
	// Steps are in the plan's order, once [Plan.Arrange] has been there: a store returns those that
	// something was done about, in any order. The steps of numbers are there once the numbers are
	// resolved.
	Steps []Step

	CreatedAt  time.Time
	UpdatedAt  time.Time
	CanceledAt time.Time
	// Cleanup says of a canceled onboarding that what it made is deleted, as far as Twilio lets go
	// of it.
	Cleanup bool

	// Epoch is the claim under which this copy was read: a write under an older one is refused
	// (invariant 3).
	Epoch int64
	// Woken says that something happened since the claim before this one (a callback, a resume):
	// reviews are read now, whatever their time.
	Woken bool
	// ReadAt is the ledger's own clock at the claim. Times in the ledger are by this clock, not by
	// the replica's.
	ReadAt time.Time
}

// Step returns the step of that key, or nil. The pointer is into o.Steps.
func (o *Onboarding) Step(key Key) *Step {
	for i := range o.Steps {
		if o.Steps[i].Key == key {
			return &o.Steps[i]
		}
	}
	return nil
}

// SID returns the SID that the step of that key has recorded, or "".
func (o *Onboarding) SID(key Key) string {
	if s := o.Step(key); s != nil {
		return s.SID
	}
	return ""
}

// BundleRef is a bundle as far as the ledger knows it: "" before it was created.
type BundleRef struct {
	SID string
	// Status is Twilio's, as last read: draft, pending-review, in-review, twilio-approved,
	// twilio-rejected.
	Status string
}

// Bundle returns the bundle of that key with its newest known status.
func (o *Onboarding) Bundle(key Key) BundleRef {
	ref := BundleRef{SID: o.SID(key)}
	for _, k := range []Key{key, key.Submission(), key.Review()} {
		if s := o.Step(k); s != nil && s.RemoteStatus != "" {
			ref.Status = s.RemoteStatus
		}
	}
	return ref
}

// Requirements lists what someone must do before the onboarding can go on, in the order of the
// steps.
func (o *Onboarding) Requirements() []Requirement {
	var all []Requirement
	for _, s := range o.Steps {
		if s.State == StepFailed {
			all = append(all, s.Requirements...)
		}
	}
	return all
}

// RequirementsOf lists those of the requirements that are about the bundle, or about what goes onto
// it. The steps are arranged.
func (o *Onboarding) RequirementsOf(bundle Key) []Requirement {
	var all []Requirement
	for _, s := range o.Steps {
		if s.State == StepFailed && s.Bundle == bundle {
			all = append(all, s.Requirements...)
		}
	}
	return all
}

// Status is derived from the steps and never set by hand. The steps are arranged.
//
// One failed step makes it action_required even while others still run: a person can begin at once.
// It is in_review when nothing is left to do but to wait for a reviewer. A check that is made now
// and then counts only if it has found something for a person to do.
func (o *Onboarding) Status() Status {
	if !o.CanceledAt.IsZero() {
		return StatusCanceled
	}
	var reviewing, busy, open bool
	done := make(map[Key]bool, len(o.Steps))
	for _, s := range o.Steps {
		done[s.Key] = s.State == StepSucceeded
	}
	for _, s := range o.Steps {
		switch {
		case s.State == StepFailed:
			return StatusActionRequired
		case s.Kind == KindCheck:
			continue
		}
		switch s.State {
		case StepRunning:
			busy = true
		case StepWaiting:
			if s.Kind == KindReview {
				reviewing = true
			} else if s.WaitsFor == "" || done[s.WaitsFor] {
				busy = true
			}
		case StepPending:
			open = true
		case StepSucceeded, StepFailed, StepCanceled:
		}
	}
	switch {
	case busy:
		return StatusInProgress
	case reviewing:
		return StatusInReview
	case open || len(o.Steps) == 0:
		return StatusInProgress
	default:
		return StatusApproved
	}
}

// Canceled returns the keys of the steps that are over.
func (o *Onboarding) Canceled() map[Key]bool {
	over := make(map[Key]bool)
	for i := range o.Steps {
		if o.Steps[i].State == StepCanceled {
			over[o.Steps[i].Key] = true
		}
	}
	return over
}

// ReplacedSIDs are the SIDs of the earlier objects of the step: others have taken their places.
// They bear the same name at Twilio.
func (o *Onboarding) ReplacedSIDs(key Key) []string {
	var sids []string
	for i := range o.Steps {
		if of, _, ok := o.Steps[i].Key.SplitReplaced(); ok && of == key {
			sids = append(sids, o.Steps[i].SID)
		}
	}
	return sids
}

// Kept returns the steps of a canceled onboarding whose objects remain at Twilio although they were
// to be deleted: Twilio does not let go of them, or they were there before. An assignment to a
// bundle that is gone went with it. The steps are arranged.
func (o *Onboarding) Kept() []Step {
	if !o.Cleanup {
		return nil
	}
	var kept []Step
	for _, s := range o.Steps {
		if s.State != StepCanceled || s.SID == "" {
			continue
		}
		if s.Kind == KindAssignment {
			if bundle := o.Step(s.Bundle); bundle != nil && bundle.State == StepCanceled && bundle.SID == "" {
				continue
			}
		}
		kept = append(kept, s)
	}
	return kept
}
