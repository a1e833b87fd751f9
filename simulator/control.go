package simulator

import "github.com/attestd/attestd/internal/trusthubsim"

// What the simulator takes and tells, field by field as its own paths do.
type (
	// Decision is what a review comes to.
	Decision = trusthubsim.Decision
	// ReviewError is one entry of a rejected bundle's errors.
	ReviewError = trusthubsim.ReviewError
	// Fault is something that goes wrong with the requests that it matches.
	Fault = trusthubsim.Fault
	// Duration is a time.Duration that is text in JSON.
	Duration = trusthubsim.Duration
	// State is everything that the simulator holds.
	State = trusthubsim.State
	// Request is the record of one request to Twilio's paths.
	Request = trusthubsim.Request
	// CallbackRecord is one delivery of a status callback.
	CallbackRecord = trusthubsim.CallbackRecord
	// Switch is one switch with its values.
	Switch = trusthubsim.Switch
)

// The statuses of bundles.
const (
	StatusDraft         = trusthubsim.StatusDraft
	StatusPendingReview = trusthubsim.StatusPendingReview
	StatusInReview      = trusthubsim.StatusInReview
	StatusRejected      = trusthubsim.StatusRejected
	StatusApproved      = trusthubsim.StatusApproved
)

// What a Fault does to a request.
const (
	EffectStatus        = trusthubsim.EffectStatus
	EffectHTML          = trusthubsim.EffectHTML
	EffectDelay         = trusthubsim.EffectDelay
	EffectDropBefore    = trusthubsim.EffectDropBefore
	EffectStatusAfter   = trusthubsim.EffectStatusAfter
	EffectHTMLAfter     = trusthubsim.EffectHTMLAfter
	EffectDelayAfter    = trusthubsim.EffectDelayAfter
	EffectDropAfter     = trusthubsim.EffectDropAfter
	EffectTruncateAfter = trusthubsim.EffectTruncateAfter
)

// Approve approves a bundle that was submitted. It returns an error for a bundle that does not
// exist or is a draft.
func (s *Simulator) Approve(bundleSID string) error {
	return s.sim.Review(bundleSID, Decision{Status: StatusApproved})
}

// Reject rejects a bundle that was submitted, or approved, with Twilio's codes. It returns an error
// for a bundle that does not exist or is a draft.
func (s *Simulator) Reject(bundleSID string, codes ...int) error {
	return s.sim.Review(bundleSID, Decision{Status: StatusRejected, Errors: trusthubsim.Codes(codes...)})
}

// Review decides about a bundle in full: the words of the callback, the place of the reason, the
// end of an approval. It returns an error for a bundle or a decision that does not exist, and for a
// draft.
func (s *Simulator) Review(bundleSID string, decision Decision) error {
	return s.sim.Review(bundleSID, decision)
}

// AddFault makes requests go wrong from now on, and returns the fault's ID. It returns an error for
// a fault that makes no sense.
func (s *Simulator) AddFault(f Fault) (id int, err error) { return s.sim.AddFault(f) }

// ClearFaults ends all faults.
func (s *Simulator) ClearFaults() { s.sim.ClearFaults() }

// DeleteInConsole deletes an object as somebody in Twilio's Console does, whatever the rules of the
// API. It returns an error for a SID that nothing has.
func (s *Simulator) DeleteInConsole(sid string) error { return s.sim.DeleteInConsole(sid) }

// RepeatCallback calls back about a bundle's present status once more. It returns an error for a
// bundle that does not exist.
func (s *Simulator) RepeatCallback(bundleSID string) error { return s.sim.RepeatCallback(bundleSID) }

// State is a copy of everything that the simulator holds, account by account.
func (s *Simulator) State() State { return s.sim.State() }

// Requests are the last requests to Twilio's paths, in the order of their arrival.
func (s *Simulator) Requests() []Request { return s.sim.Requests() }

// Callbacks are the deliveries of the last status callbacks, the lost ones included.
func (s *Simulator) Callbacks() []CallbackRecord { return s.sim.CallbackRecords() }

// Switches are all switches, with the values in force.
func (s *Simulator) Switches() []Switch { return s.sim.Switches() }
