// Package reconcile compares the ledger of an onboarding with what Twilio holds, and repairs what
// needs nobody's judgement. The protocol keeps the two together; they part when somebody makes or
// deletes things at Twilio by hand, when rows are changed by hand, or when the database was
// restored to an earlier day.
//
// It knows no step by its name: a node says how its step is looked up, and its kind how to judge
// what is found. Start reading at [Reconciler].
package reconcile
