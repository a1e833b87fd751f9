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

// call is one method of the [Client] while it runs. It is the [client.BaseClient] under twilio-go's generated services, and keeps what
// the last request was answered.
//
// The generated services are given an empty object as the answer: they build requests for us, and we read answers from here.
type call struct {
	*Client
	ctx context.Context //nolint:containedctx // twilio-go's interface has no parameter for it, and a call lives no longer than it
	// account is the one whose credentials sign.
	account string
	// about is the account that the call is about: another one when the parent asks about a subaccount. Failures are put down to it.
	about string
	// bundle is the one that the call assigns something to, if it does: a conflict with that very bundle means that it is done.
	bundle string

	method string
	url    *url.URL
	status int
	body   []byte
	// verdict is what the last request tells about the host.
	verdict verdict
	// bad is why the call must not be made.
	bad error
}

var _ client.BaseClient = (*call)(nil)

// as begins a call signed by account. sids are those that the call puts into a path.
func (c *Client) as(ctx context.Context, account string, sids ...string) *call {
	k := &call{Client: c, ctx: ctx, account: account, about: account}
	if !isSID(account) {
		k.bad = errors.New("malformed account SID")
	}
	for _, sid := range sids {
		if !isSID(sid) {
			k.bad = errors.New("malformed SID")
		}
	}
	return k
}

func (k *call) hub() *trusthub.ApiService { return trusthub.NewApiServiceWithClient(k) }
func (k *call) core() *api.ApiService     { return api.NewApiServiceWithClient(k) }

// AccountSid is the account in the path of an API of 2010-04-01, unless the parameters name one.
func (k *call) AccountSid() string { return k.account }

// SetTimeout is not used: the timeout is the client's.
func (k *call) SetTimeout(time.Duration) {}

// SetOauth is not used: Trust Hub takes an account's own credentials.
func (k *call) SetOauth(client.OAuth) {}

// OAuth is not used, see SetOauth.
func (k *call) OAuth() client.OAuth { return nil }

// SendRequest makes the one request of a generated method. Of rawURL only the path counts: the host is the library's, and is changed by
// environment variables that are not ours.
func (k *call) SendRequest(method, rawURL string, data url.Values, _ map[string]any, _ ...byte) (*http.Response, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		k.bad = errors.New("malformed path")
		return nil, k.refuse()
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

// send makes a request with the account's credentials. One that is refused for them was never processed: it is made once more with
// credentials that were fetched since, if the account is a subaccount. The error, if any, is a *onboarding.RemoteError.
func (k *call) send(method string, target *url.URL, form string) error {
	k.method, k.url, k.status, k.body = method, target, 0, nil
	if k.bad != nil {
		return k.refuse()
	}
	token := k.parentToken
	if k.account != k.parent {
		var err error
		if token, err = k.tokens.get(k.ctx, k.account, ""); err != nil {
			return unsent(err)
		}
	}
	failure := k.exchange(form, token)
	if failure != nil && failure.Class == onboarding.ClassCredentials && k.account != k.parent {
		var err error
		if token, err = k.tokens.get(k.ctx, k.account, token); err != nil {
			return unsent(err)
		}
		failure = k.exchange(form, token)
	}
	if failure != nil {
		return failure
	}
	return nil
}

// unsent is what became of a call whose token could not be had: whatever became of the token's request, the call itself was not made.
func unsent(err error) error {
	var remote *onboarding.RemoteError
	if !errors.As(err, &remote) {
		return &onboarding.RemoteError{Class: onboarding.ClassRepeatable, Err: fmt.Errorf("wait for the account's token: %w", err)}
	}
	if remote.Class != onboarding.ClassUnknown {
		return remote
	}
	never := *remote
	never.Class = onboarding.ClassRepeatable
	return &never
}

// exchange makes one request and reads its answer into k, if there is room for it. A request for which there is none does not leave; that
// is looked at again when its turn has come, since much may have happened in between.
func (k *call) exchange(form, token string) *onboarding.RemoteError {
	k.status, k.body, k.verdict = 0, nil, noVerdict
	if failure := k.heldBack(); failure != nil {
		return failure
	}
	entered := k.now()
	turn, err := k.lanes.enter(k.ctx, k.account, entered, k.patience(entered))
	if err != nil {
		return &onboarding.RemoteError{Class: onboarding.ClassRepeatable, Err: fmt.Errorf("wait for a turn: %w", err)}
	}
	var failure *onboarding.RemoteError
	defer func() { // also after a panic
		if failure != nil && isTooMany(failure) {
			failure.RetryAfter = k.lanes.leaveRefused(k.account, turn, failure.RetryAfter, k.now(), k.random())
			return
		}
		k.lanes.leave(k.account, turn, k.status != 0, k.now())
	}()
	if failure = k.heldBack(); failure != nil {
		return failure
	}
	circuit := k.circuitOf(k.url)
	pass, wait := circuit.enter(k.now(), k.random())
	if wait > 0 {
		failure = held(errCircuitOpen, wait)
		return failure
	}
	defer func() {
		var asked time.Duration
		if failure != nil {
			asked = failure.RetryAfter
		}
		done, wait := circuit.leave(pass, k.verdict, k.about, asked, k.now(), k.random())
		if failure != nil && wait > 0 {
			failure.Outage, failure.RetryAfter = true, max(failure.RetryAfter, wait)
		}
		k.logCircuit(done)
	}()

	begun := time.Now()
	failure = k.roundTrip(form, token)
	if k.log.Enabled(k.ctx, slog.LevelDebug) {
		k.logRequest(time.Since(begun), failure)
	}
	return failure
}

func (k *call) roundTrip(form, token string) *onboarding.RemoteError {
	timed, done := context.WithTimeout(k.ctx, k.timeout)
	defer done()
	ctx, cancel := context.WithCancelCause(timed)
	defer cancel(nil)

	d := &departure{now: k.now, cancel: cancel}
	d.by, d.limited = onboarding.SendBy(k.ctx)
	if k.atSocket {
		ctx = httptrace.WithClientTrace(ctx, d.trace())
	} else if err := d.leave(); err != nil {
		return k.fail(outcome{neverSent: true}, err)
	}

	response, err := k.transport.RoundTrip(k.request(ctx, form, token))
	switch {
	case err != nil && d.tooLate.Load():
		return k.fail(outcome{neverSent: true}, errTooLate)
	case err != nil:
		neverSent := d.neverLeft() || neverConnected(err)
		k.verdict = silence(neverSent, k.ctx.Err() != nil)
		return k.fail(outcome{neverSent: neverSent}, err)
	}
	defer response.Body.Close()
	d.arrived()
	k.status, k.verdict = response.StatusCode, alive
	body, err := readBody(response.Body)
	switch {
	case k.status < 200 || k.status > 299:
		// The status says enough, however the body ended.
		failure := k.refused(response.Header, body)
		k.verdict = spoken(k.status, failure.Code)
		return failure
	case err != nil && k.method != http.MethodDelete:
		return k.fail(outcome{unreadable: true}, err)
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
		// net/http asks for the body again only when a connection from the pool was dead before a byte was written to it.
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(form)), nil }
	}
	return r.WithContext(ctx)
}

var userAgent = fmt.Sprintf("attestd twilio-go/%s (%s %s) go/%s", client.LibraryVersion, runtime.GOOS, runtime.GOARCH, runtime.Version())

// logRequest says what was done and how it went. The path holds SIDs only; the query may hold a phone number or a name and is left out.
func (k *call) logRequest(took time.Duration, failure *onboarding.RemoteError) {
	attrs := make([]slog.Attr, 0, 7)
	attrs = append(attrs,
		slog.String("method", k.method),
		slog.String("path", k.url.Path),
		slog.String("account", k.account),
		slog.Int("status", k.status),
		slog.Duration("duration", took))
	if failure != nil {
		attrs = append(attrs, slog.Int("code", failure.Code), slog.String("class", failure.Class.String()))
		if failure.Err != nil {
			attrs = append(attrs, slog.String("error", failure.Err.Error()))
		}
	}
	k.log.LogAttrs(k.ctx, slog.LevelDebug, "twilio request", attrs...)
}

// logCircuit says that a host began or ceased to be held back: once, however many requests that concerns.
func (k *call) logCircuit(c change) {
	switch c {
	case opened:
		k.log.WarnContext(k.ctx, "twilio does not answer as it should; requests are held back but for one at a time", "host", k.url.Host)
	case closed:
		k.log.InfoContext(k.ctx, "twilio answers again; requests are let through", "host", k.url.Host)
	case unchanged, stayedOpen:
	}
}
