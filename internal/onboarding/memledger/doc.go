// Package memledger keeps onboardings in memory, with the same rules as the Postgres store: claims
// and epochs, wake-ups, one job for each onboarding. It is for tests and for simulations in virtual
// time: the only clock it knows is time.Now, it starts no goroutine and no timer, and everything
// that goes in or comes out is a copy.
//
// The rules are checked by the suite in internal/onboarding/ledgertest, which the Postgres store
// passes as well. Start reading at [Store]; a simulation takes its work from [Store.Fetch].
package memledger
