// Package api is the HTTP API of attestd. It speaks the contract in api/openapi.yaml, from which
// its types and routes are generated (openapi.gen.go).
//
// A request goes through these steps:
//
//   - it gets an ID ([requestID]);
//   - its answer is logged ([accessLog]);
//   - a panic becomes a 500 ([recoverPanics]);
//   - its key is looked up and the role of the key is checked ([authenticate]);
//   - its JSON body is read and trimmed ([readJSON]);
//   - the contract validates it ([contract]);
//   - a handler asks [Onboardings] for what the request wants.
//
// Every error is answered by a problem of RFC 9457, made in one place ([respondError]).
//
// The package knows nothing of SQL and of Twilio's API, and decides nothing about onboardings: it
// checks requests, and shows the content of the ledger. It logs nothing that a request says.
//
// Start reading at [New].
package api
