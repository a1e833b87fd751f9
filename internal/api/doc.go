// Package api is attestd's HTTP API: it speaks the contract of api/openapi.yaml, from which its types and routes are generated
// (openapi.gen.go).
//
// What happens to a request, in order: it gets a name ([requestID]), is logged by its route's pattern ([accessLog]), a panic under it becomes
// a 500 ([recoverPanics]), its key is looked up and its role checked ([authenticate]), its JSON body is read, bounded and trimmed ([readJSON]), it is
// validated against the contract ([contract]), and its handler asks [Onboardings] for what it wants. Every error answer is an RFC 9457
// problem, made in one place ([respondError]).
//
// The package knows nothing of SQL and of Twilio's API, and decides nothing about onboardings: it checks requests, and shows what the ledger
// holds. Nothing that a request says is logged.
//
// Start reading at [New].
package api
