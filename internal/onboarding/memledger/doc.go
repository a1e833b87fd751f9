// Package memledger is the [onboarding.Ledger] and the [onboarding.Repository] in memory, for tests
// and for simulations in virtual time. It has the rules of the Postgres store: claims and epochs,
// wake-ups, one job for each onboarding. The suite in internal/onboarding/ledgertest checks them
// for both.
//
// The ledger's clock is time.Now, which is virtual in a bubble of testing/synctest. There is no
// goroutine and no timer. Everything that goes in or comes out is a copy.
//
// Start reading at [Store]. A simulation gets its work from [Store.Fetch].
package memledger
