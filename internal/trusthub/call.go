package trusthub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
	trusthub "github.com/twilio/twilio-go/rest/trusthub/v1"

	"github.com/attestd/attestd/internal/onboarding"
)

// call is one call of a method of the [Client]. It is the [client.BaseClient] below twilio-go's
// generated services, and stores the answer to its last request.
//
// The generated services get an empty object as the answer: they build the requests, and the
// answers are read from here.
type call struct {
	*Client
	ctx context.Context //nolint:containedctx // twilio-go has no parameter for it
	// account signs the call.
	account string
	// subject is the account that the call is about: a subaccount if the parent asks about it. The
	// failures count as this account's.
	subject string
	// bundle is the bundle that the call assigns an object to, or "". A conflict with this bundle
	// means that the assignment exists.
	bundle string
	// invalid is the reason why the call must not be made, or nil.
	invalid error

	method string
	url    *url.URL
	status int
	body   []byte
	health health // what the last request told about its host
}

var _ client.BaseClient = (*call)(nil)

// as begins a call that the account signs. sids are those that the call puts into its path:
// twilio-go would put "../" or "?" there as well and so reach another resource.
func (c *Client) as(ctx context.Context, account string, sids ...string) *call {
	k := &call{Client: c, ctx: ctx, account: account, subject: account}
	if !onboarding.IsSID("AC", account) {
		k.invalid = errors.New("malformed account SID")
	}
	for _, sid := range sids {
		if !onboarding.IsSID("", sid) {
			k.invalid = errors.New("malformed SID")
		}
	}
	return k
}

func (k *call) hub() *trusthub.ApiService { return trusthub.NewApiServiceWithClient(k) }
func (k *call) core() *api.ApiService     { return api.NewApiServiceWithClient(k) }

// AccountSid is the account in the paths of the 2010-04-01 API, unless a parameter names another.
func (k *call) AccountSid() string { return k.account }

// SetTimeout does nothing: the timeout is the client's.
func (k *call) SetTimeout(time.Duration) {}

// SetOauth does nothing: Trust Hub is called with an account's own credentials.
func (k *call) SetOauth(client.OAuth) {}

// OAuth returns nothing, see SetOauth.
func (k *call) OAuth() client.OAuth { return nil }

// SendRequest sends the one request of a generated method. Only the path of rawURL counts: its host
// is the library's and follows environment variables that are not ours.
func (k *call) SendRequest(
	method, rawURL string, data url.Values, _ map[string]any, _ ...byte,
) (*http.Response, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		k.invalid = errors.New("malformed path")
		return nil, k.invalidCall()
	}
	base := k.trustHub
	if strings.HasPrefix(u.Path, "/2010-04-01/") {
		base = k.api
	}
	target := &url.URL{Scheme: base.Scheme, Host: base.Host, Path: u.Path}
	form := data.Encode()
	if method != http.MethodPost {
		target.RawQuery, form = form, ""
	}
	if err := k.send(method, target, form); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: k.status, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// send sends a request with the account's credentials. Twilio does not process a request that it
// refuses for its credentials, so a subaccount's is sent a second time, with a token fetched since.
// The error, if any, is a *onboarding.RemoteError.
func (k *call) send(method string, target *url.URL, form string) error {
	k.method, k.url, k.status, k.body = method, target, 0, nil
	if k.invalid != nil {
		return k.invalidCall()
	}
	token := k.parentToken
	if k.account != k.parent {
		var err error
		if token, err = k.tokens.get(k.ctx, k.account, ""); err != nil {
			return tokenFailure(err)
		}
	}
	failure := k.sendOnce(form, token)
	if failure != nil && failure.Class == onboarding.ClassCredentials && k.account != k.parent {
		var err error
		if token, err = k.tokens.get(k.ctx, k.account, token); err != nil {
			return tokenFailure(err)
		}
		failure = k.sendOnce(form, token)
	}
	if failure != nil {
		return failure
	}
	return nil
}

// tokenFailure is the failure of a call without a token. Whatever became of the token's request,
// the call itself was not sent.
func tokenFailure(err error) error {
	var remote *onboarding.RemoteError
	if !errors.As(err, &remote) {
		return &onboarding.RemoteError{
			Class: onboarding.ClassRepeatable, Err: fmt.Errorf("wait for the account's token: %w", err),
		}
	}
	if remote.Class != onboarding.ClassUnknown {
		return remote
	}
	repeatable := *remote
	repeatable.Class = onboarding.ClassRepeatable
	return &repeatable
}

// sendOnce sends one request, if it is admitted, and reads the answer into k.
func (k *call) sendOnce(form, token string) (failure *onboarding.RemoteError) {
	k.status, k.body, k.health = 0, nil, healthUnknown
	a, failure := k.admit()
	if failure != nil {
		return failure
	}
	defer func() { k.finish(a, failure) }() // after a panic as well
	begun := k.now()
	failure = k.roundTrip(form, token)
	if k.log.Enabled(k.ctx, slog.LevelDebug) {
		k.logRequest(k.now().Sub(begun), failure)
	}
	return failure
}

func (k *call) roundTrip(form, token string) *onboarding.RemoteError {
	timed, done := context.WithTimeout(k.ctx, k.timeout)
	defer done()
	ctx, cancel := context.WithCancelCause(timed)
	defer cancel(nil)

	guard := newSendGuard(k.ctx, k.now, cancel)
	if k.guarded {
		ctx = httptrace.WithClientTrace(ctx, guard.trace())
	} else if err := guard.allowWrite(); err != nil {
		return k.failure(outcome{neverSent: true}, err)
	}

	response, err := k.transport.RoundTrip(k.request(ctx, form, token))
	switch {
	case err != nil && guard.tooLate.Load():
		return k.failure(outcome{neverSent: true}, errTooLate)
	case err != nil:
		neverSent := guard.abandon() || neverConnected(err)
		k.health = healthOfSilence(neverSent, k.ctx.Err() != nil)
		return k.failure(outcome{neverSent: neverSent}, err)
	}
	defer response.Body.Close()
	guard.detach()
	k.status, k.health = response.StatusCode, healthy
	body, err := readBody(response.Body)
	switch {
	case k.status < 200 || k.status > 299:
		// The status says enough, however the body ended.
		failure := k.errorAnswer(response.Header, body)
		k.health = healthOfAnswer(k.status, failure.Code)
		return failure
	case err != nil && k.method != http.MethodDelete:
		return k.failure(outcome{unreadable: true}, err)
	}
	k.body = body
	return nil
}

func (k *call) request(ctx context.Context, form, token string) *http.Request {
	r := &http.Request{
		Method: k.method,
		URL:    k.url,
		Host:   k.url.Host,
		Header: http.Header{
			"Accept":     {"application/json"},
			"User-Agent": {userAgent},
		},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	r.SetBasicAuth(k.account, token)
	if k.method == http.MethodPost {
		r.Header["Content-Type"] = []string{"application/x-www-form-urlencoded"}
		r.ContentLength = int64(len(form))
		r.Body = io.NopCloser(strings.NewReader(form))
		// net/http asks for a second body only if a pooled connection was dead before it took a
		// byte of the first.
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(form)), nil }
	}
	return r.WithContext(ctx)
}

var userAgent = fmt.Sprintf("attestd twilio-go/%s (%s %s) go/%s",
	client.LibraryVersion, runtime.GOOS, runtime.GOARCH, runtime.Version())

// logRequest logs one request and its result. The path has SIDs only. The query may have a phone
// number or a name, and is left out.
func (k *call) logRequest(took time.Duration, failure *onboarding.RemoteError) {
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs,
		slog.String("method", k.method),
		slog.String("path", k.url.Path),
		slog.String("account", k.account),
		slog.Int("status", k.status),
		slog.Duration("duration", took))
	if failure != nil {
		attrs = append(attrs,
			slog.Int("code", failure.Code), slog.String("class", failure.Class.String()))
		if failure.Err != nil {
			attrs = append(attrs, slog.String("error", failure.Err.Error()))
		}
	}
	k.log.LogAttrs(k.ctx, slog.LevelDebug, "twilio request", attrs...)
}

// logTransition logs that the breaker of a host opened or closed: once, however many requests that
// concerns.
func (k *call) logTransition(t transition) {
	switch t {
	case opened:
		k.log.WarnContext(k.ctx, "twilio does not answer as it should; the breaker lets one probe at a time pass",
			"host", k.url.Host)
	case closed:
		k.log.InfoContext(k.ctx, "twilio answers; the breaker lets all requests pass", "host", k.url.Host)
	case unchanged:
	}
}
