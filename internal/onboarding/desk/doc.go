// Package desk does what people ask for: to begin an onboarding, to amend its request, to add and
// remove numbers, to resume and to cancel it, and to hear how long reviews take.
//
// It decides what changes in the ledger and has that written, in one transaction under the
// onboarding's row lock; the engine does the work afterwards. Which steps a change concerns it asks
// the plan's nodes. Start reading at [Service].
package desk
