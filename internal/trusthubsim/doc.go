// Package trusthubsim is Twilio's side of a Trust Hub onboarding, in memory: an http.Handler that holds accounts,
// addresses, phone numbers, customer profiles, trust products and what hangs on them, keeps Twilio's rules about
// them, evaluates, reviews, calls back, and fails on request. Any client of Twilio, the official libraries included,
// works against it once its host is changed.
//
// It knows nothing of the rest of this project, so that what is tested with it is tested against Twilio's rules and
// not against our own idea of them. It is unfriendly on purpose: where Twilio's behaviour is not documented it does
// what is harder for a client.
//
//	sim := trusthubsim.New(trusthubsim.Config{Review: trusthubsim.ReviewManual})
//	defer sim.Close()
//	server := httptest.NewServer(sim) // or, without sockets: http.Client{Transport: sim.Transport()}
//	...
//	err := sim.Review("BU…", trusthubsim.Decision{Status: trusthubsim.StatusRejected, Errors: trusthubsim.Codes(18602)})
//
// # Where to start
//
// routes.go lists every path with its parameters; exchange.go takes one request from arrival to answer; bundles.go
// holds what profiles and products share; catalogue.go the policies, the types and their attributes as data; control.go
// lists the simulator's own paths.
//
// # Choices
//
// Twilio's documents leave these open; the simulator decides:
//
//   - A suspended or closed account is answered 401 with code 20005, whoever's credentials came, except that the
//     parent may read what the account holds, and read and update the account itself.
//   - A missing or unknown parameter is 400 with code 20001, a malformed one 400 with 20422. Twilio ignores unknown
//     parameters in places; here each is refused. FriendlyName is held to 64 characters everywhere (20002).
//   - An edit that a bundle's status forbids is 409 with code 20409, the same status and code as a duplicate
//     assignment, which is told from it by its text only: "… is already assigned to BU…".
//   - A bundle holds at most one object of each type; a second one is 409 with code 20409.
//   - The FriendlyName filter of customer profiles and trust products matches parts of names, without case.
//   - Lists are newest first. Only PageToken moves through them; Page is the client's own count, as documented.
//   - Attributes sent in an update replace those that were there.
//   - A submission that is not compliant answers 200 and changes nothing. Submitting what is in review or approved is
//     409 with code 20409.
//   - A review of a product ends only after its customer profile is approved.
//   - A number that is released or moved to another account loses its assignments; a closed account's are released.
//   - Numbers of the area code 600 cannot make calls, all others can.
//   - A rejected product gives its numbers up even where it cannot be reopened (Config.RejectedProductsFinal).
//   - A number leaves its customer profile only after it left the products.
//   - A request that has arrived is worked on, however long it waits before and whether or not its client is still there.
//
// # Reviews decided by the data
//
// In automatic mode a customer profile is approved unless its data asks for a rejection: 18601 a business_name that
// contains "Unverified"; 18602 a business_registration_number that ends in 0000; 18603 an address whose street
// contains "Unverified"; 18604 and 18605 a first or second representative whose last_name is "Unverified"; 18606 a
// representative's e-mail domain that is not the website's. An address whose street contains "Unknown" or whose
// country is US with a postal code that is not 5 or 9 digits is refused when it is made (21629, 21628).
package trusthubsim
