// Package trusthub is Twilio for the state machine: it implements [onboarding.TrustHub] through
// twilio-go. It knows no plan, no step and no database.
//
// twilio-go's generated services know the paths and the parameters. Everything below them is ours.
// The library's own client has no context and no limits, damages filters, and loses what an error
// answer says. So each call is a [client.BaseClient] of its own, which signs with the right
// account's credentials, bounds what it reads, and sorts every failure by what may be done about
// it. The answers are read here as well: the generated models refuse a whole page for one odd date.
//
// The client repeats no call, except one that Twilio refused for an old token, and so did not
// process. (net/http repeats a request of which a pooled connection took no byte, and a read whose
// connection was closed meanwhile.)
//
// Under strain calls are not sent. limiter.go limits what an account has in flight and lets the
// account back off after a 429; breaker.go cuts off a host that is down, but for one probe at a
// time; admission.go asks both before each request, and gives every caller that is not admitted a
// time of its own for the next try.
//
// Start reading at call.go, the way of one request. classify.go is the table of failures.
// sendguard.go lets no request be sent too late.
package trusthub
