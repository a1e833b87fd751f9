// Package trusthubsim is Twilio's side of a Trust Hub onboarding, in memory: an http.Handler that
// holds accounts, addresses, phone numbers, customer profiles, trust products and what hangs on
// them, keeps Twilio's rules about them, evaluates, reviews, calls back, and fails on request. Any
// client of Twilio, the official libraries included, works against it once its host is changed.
//
// It knows nothing of the rest of this project, so that what is tested with it is tested against
// Twilio's rules and not against our own idea of them. It is unfriendly on purpose: where Twilio's
// behaviour is not known, a switch has each answer, and the default is the one that is harder for a
// client.
//
//	sim := trusthubsim.New(trusthubsim.Config{Review: trusthubsim.ReviewManual})
//	defer sim.Close()
//	server := httptest.NewServer(sim) // without sockets: http.Client{Transport: sim.Transport()}
//	...
//	rejection := trusthubsim.Decision{Status: trusthubsim.StatusRejected}
//	err := sim.Review("BU…", rejection)
//
// # Where to start
//
// docs/simulator.md is made from this package: it has every switch, the data that is refused or
// rejected, and the simulator's own paths. Its tables are switch_table.go, magic_data.go and
// control.go.
//
// routes.go lists every path of Twilio's with its parameters; exchange.go takes one request from
// arrival to answer; bundles.go holds what profiles and products share; catalogue.go the policies,
// the types and their attributes as data; review_rules.go what reviewers look for, as data;
// submission_checks.go what is checked by machine after a submission.
package trusthubsim
