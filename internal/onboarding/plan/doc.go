// Package plan has Trust Hub's sequence as data: which steps an onboarding takes, in which order,
// how each is done at Twilio and found again, and what Twilio's refusals mean for the request.
//
// It decides nothing about when something is done, writes nothing down, and never waits: the engine
// does that, for any plan. Start reading at [TrustHub].
package plan
