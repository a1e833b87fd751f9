// Package onboarding is the heart of attestd: what an onboarding is, the plan of steps that takes a
// Twilio subaccount to A-level SHAKEN/STIR attestation, and the state machine that walks it.
//
// It knows nothing of SQL, HTTP or twilio-go. What it needs of the world it asks for through two
// interfaces: a [Ledger], which keeps every step and fences out a runner that lost its place, and a
// [TrustHub], which has one method per remote effect and one to find that effect again.
//
// Start reading at [TrustHubPlan], the plan, then at [Runner.Advance], which walks any plan.
package onboarding
