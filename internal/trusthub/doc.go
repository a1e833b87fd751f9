// Package trusthub is Twilio as the state machine sees it: it implements [onboarding.TrustHub] through twilio-go.
//
// twilio-go's generated services know the paths and the parameters. Everything below them is ours, because the library's own client has no
// context, follows no limit, mangles filters and loses what an error answer says: each call brings a [client.BaseClient] of its own, which
// signs with the credentials of the right account, bounds what it reads, and sorts every failure by what may be done about it. The answers
// are read here as well, since the generated models refuse a whole page for one date they do not like.
//
// It repeats no call of its own accord, but for the one that was refused with stale credentials and so was never processed. (net/http
// repeats what a connection from its pool took no byte of, and a read whose connection was closed as it was sent.)
//
// Under strain it holds calls back before they leave: lanes.go limits what one account has under way, backoff.go makes an account that was
// refused wait, for all its callers together, and circuit.go keeps everyone from a host that is down but for one who tries. Nothing waits
// in here for longer than its turn; a call that is held back fails at once and says when to come again, each caller at another time.
//
// Start reading at call.go, the way of one request; classify.go is the table of failures; departure.go keeps a request from leaving late.
package trusthub
