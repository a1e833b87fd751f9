package reconcile

import "github.com/attestd/attestd/internal/onboarding"

// Verdict is what a comparison says of a step, or of something that Twilio holds beyond the steps.
type Verdict string

// The verdicts. With the first two the ledger and Twilio agree.
const (
	VerdictSame     Verdict = "same"
	VerdictNotBegun Verdict = "not begun"
	// VerdictMissing: recorded, and not at Twilio.
	VerdictMissing Verdict = "missing at Twilio"
	// VerdictUnrecorded: at Twilio, and not recorded.
	VerdictUnrecorded Verdict = "not in the ledger"
	// VerdictSurplus: at Twilio beside the one that is recorded, or assigned to or from such a one.
	VerdictSurplus Verdict = "surplus"
	// VerdictOtherStatus: the same object, of which the two sides say different things.
	VerdictOtherStatus Verdict = "other status"
	// VerdictUnknown: a runner is at it. It settles this by itself.
	VerdictUnknown Verdict = "unknown"
	// VerdictNotCompared: the lookup failed, or what it needs is not there.
	VerdictNotCompared Verdict = "not compared"
)

// Finding is one line of a [Report].
type Finding struct {
	Step onboarding.Key
	// State, SID and Status are the ledger's.
	State  onboarding.State
	SID    string
	Status string
	// Remote is what Twilio has.
	Remote  onboarding.Seen
	Verdict Verdict
	// Note says more, in words for people; nothing personal.
	Note string
	// Err is why the lookup failed, with VerdictNotCompared; nil if there was none to fail.
	Err error

	kind onboarding.Kind
	// before is the step as it was read, adopt what to record in it.
	before onboarding.Step
	adopt  *onboarding.Seen
	// surplus is what is to be removed.
	surplus *surplus
}

// Report is one comparison, in the order of the plan.
type Report struct {
	ID       onboarding.ID
	Findings []Finding
}

// Differences counts the findings in which the ledger and Twilio do not agree, or do not agree yet.
func (r Report) Differences() int {
	n := 0
	for _, f := range r.Findings {
		if f.Differs() {
			n++
		}
	}
	return n
}

// Failure is why nothing at all could be compared, nil if something was or nothing had to be: the
// failure of the first lookup.
func (r Report) Failure() error {
	var first error
	for _, f := range r.Findings {
		switch f.Verdict {
		case VerdictNotBegun, VerdictUnknown:
		case VerdictNotCompared:
			if first == nil {
				first = f.Err
			}
		default:
			return nil
		}
	}
	return first
}

// Differs says that the two sides do not agree about the step, or were not compared.
func (f Finding) Differs() bool { return f.Verdict != VerdictSame && f.Verdict != VerdictNotBegun }

// Action is something that [Reconciler.Fix] did, or could not do.
type Action struct {
	Kind ActionKind
	Step onboarding.Key
	SID  string
	Note string
}

// ActionKind says what became of a finding.
type ActionKind string

// The kinds of action.
const (
	ActionAdopted ActionKind = "adopted"
	ActionRemoved ActionKind = "removed"
	// ActionKept: surplus, and still there. The note says why.
	ActionKept ActionKind = "kept"
	// ActionWoken: the runner reads the review now and acts on it, which may take it a moment.
	ActionWoken ActionKind = "woken"
)
