// Package engine walks any plan: it takes an onboarding from where its ledger stands as far as it
// can go, whatever crashes on the way.
//
// It knows no step by its name, and nothing of what the plan is about. What it promises, for any
// plan: a deed is done only after its intent is in the ledger; one of unknown outcome is looked for
// and never repeated blindly; a runner that lost its place writes nothing any more, and a call that
// is late does not leave.
//
// Start reading at [Runner.Advance]. A run is a loop of four parts: decide.go says what is to be
// done now, as a pure function; call.go does it; answer.go takes in what came of it; undo.go has
// the ways that lead back.
package engine
