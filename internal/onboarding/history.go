package onboarding

import "time"

// StoredCallback is a callback as it was stored. ID orders the callbacks of an onboarding by when
// they came.
type StoredCallback struct {
	ID int64
	Callback
}

// PastEvent is an event of the history. ID orders the events of an onboarding.
type PastEvent struct {
	ID int64
	Event
}

// RequestVersion is one version of a request.
type RequestVersion struct {
	Version   int
	Request   Request
	CreatedAt time.Time
	// Actor is who made it, as in [Event]; "" if the history does not say.
	Actor string
	// Changes are what is different from the version before, in the order of the request's members;
	// none for the first.
	Changes []RequestChange
	// Submissions are those that were made while this was the newest version, in order.
	Submissions []Submission
}

// Submission is one time that a bundle was handed to Twilio's reviewers.
type Submission struct {
	// Bundle is the key of the bundle's step, such as "customer_profile".
	Bundle Key
	// BundleSID is what was submitted (BU…).
	BundleSID string
	At        time.Time
	// Decision is the reviewers', zero while there is none.
	Decision  Decision
	DecidedAt time.Time
}

// Decision is what Twilio's reviewers said about a submission.
type Decision string

// The decisions.
const (
	DecisionApproved Decision = "approved"
	DecisionRejected Decision = "rejected"
)

// ReviewTime is one review that came to a decision.
type ReviewTime struct {
	SubmittedAt time.Time
	DecidedAt   time.Time
}

// Submissions reads from events in order, among which are all that succeeded for bundles,
// submissions and reviews, which submissions were made and what became of them. The ID of each
// submission's event comes with it.
func Submissions(events []PastEvent) (submissions []Submission, ids []int64) {
	sids := make(map[Key]string)
	open := make(map[Key]int) // the newest submission of a bundle that nothing was decided about
	for _, e := range events {
		succeeded := e.Kind == "step."+string(StepSucceeded)
		switch e.StepKind {
		case KindBundle:
			sids[e.Bundle] = e.Detail
		case KindSubmission:
			if succeeded {
				open[e.Bundle] = len(submissions)
				submissions = append(submissions, Submission{Bundle: e.Bundle, BundleSID: sids[e.Bundle], At: e.At})
				ids = append(ids, e.ID)
			}
		case KindReview:
			i, undecided := open[e.Bundle]
			if !undecided {
				continue // An approval that lapsed or was taken back: no decision about a submission.
			}
			delete(open, e.Bundle)
			submissions[i].DecidedAt = e.At
			submissions[i].Decision = DecisionRejected
			if succeeded {
				submissions[i].Decision = DecisionApproved
			}
		default:
		}
	}
	return submissions, ids
}
