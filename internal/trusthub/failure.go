package trusthub

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

const (
	// maxBody bounds what is read of an answer, in bytes. A page of 1000 bundles is about 1 MiB.
	maxBody = 8 << 20
	// maxRetryAfter bounds the wait that an answer can ask for.
	maxRetryAfter = 24 * time.Hour
	// maxText bounds a text of Twilio's in an error, in bytes.
	maxText = 2000
)

// Failures of the client itself, as the Err of an onboarding.RemoteError.
var (
	errUnreadable   = errors.New("the answer cannot be read")
	errBodyTooLarge = errors.New("the answer is too large")
	errForeignPage  = errors.New("the next page is on another host")
	errPageLoop     = errors.New("the pages lead in a circle")
)

// readBody reads an answer to its end, or to the limit. A connection whose answer was read to its
// end can have a next request.
func readBody(r io.Reader) ([]byte, error) {
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(r, maxBody+1))
	switch {
	case err != nil:
		return b.Bytes(), err
	case n > maxBody:
		return b.Bytes()[:maxBody], errBodyTooLarge
	}
	return b.Bytes(), nil
}

// failure is the failure of a request without an answer, or with an unreadable one.
func (k *call) failure(o outcome, err error) *onboarding.RemoteError {
	o.method, o.status, o.bundle = k.method, k.status, k.bundle
	class, _ := classify(o)
	return &onboarding.RemoteError{Class: class, HTTPStatus: k.status, Err: withoutData(err)}
}

// unreadable is the failure of a request whose answer cannot be read.
func (k *call) unreadable() *onboarding.RemoteError {
	return k.failure(outcome{unreadable: true}, errUnreadable)
}

// errorAnswer is the failure that an answer tells by its status. The body may be JSON, HTML, empty
// or incomplete.
func (k *call) errorAnswer(h http.Header, body []byte) *onboarding.RemoteError {
	said := readErrorBody(body)
	wait, named := retryAfter(h, k.now())
	class, other := classify(outcome{
		method:     k.method,
		status:     k.status,
		code:       said.code,
		retryAfter: named,
		text:       said.message,
		bundle:     k.bundle,
	})
	return &onboarding.RemoteError{
		Class:      class,
		Code:       said.code,
		HTTPStatus: k.status,
		Message:    said.message,
		MoreInfo:   said.moreInfo,
		RetryAfter: wait,
		BundleSID:  other,
	}
}

// badPages is the failure of a list whose link to the next page cannot be followed.
func (k *call) badPages(err error) error {
	return &onboarding.RemoteError{Class: onboarding.ClassPermanent, HTTPStatus: k.status, Err: err}
}

// invalidCall is the failure of a call with invalid arguments, which is not sent.
func (k *call) invalidCall() error {
	return &onboarding.RemoteError{Class: onboarding.ClassPermanent, Err: k.invalid}
}

// asRemote returns the error of a generated method as a *onboarding.RemoteError. The library has a
// few errors of its own, before it sends anything.
func asRemote(err error) error {
	var remote *onboarding.RemoteError
	if errors.As(err, &remote) {
		return remote
	}
	return &onboarding.RemoteError{
		Class: onboarding.ClassPermanent, Err: errors.New("the request cannot be built"),
	}
}

// errorBody is Twilio's error body: {"code", "message", "more_info", "status"}.
type errorBody struct {
	code     int
	message  string
	moreInfo string
}

// readErrorBody reads the fields of an error body that are there.
func readErrorBody(body []byte) errorBody {
	var fields struct {
		Code     code   `json:"code"`
		Message  string `json:"message"`
		MoreInfo string `json:"more_info"`
	}
	if err := unmarshalLenient(body, &fields); err != nil {
		return errorBody{}
	}
	return errorBody{int(fields.Code), shortened(fields.Message), shortened(fields.MoreInfo)}
}

// shortened cuts a text at maxText.
func shortened(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}

// retryAfter reads the Retry-After header, in seconds or as a date (RFC 9110, section 10.2.3).
// named says that the header is there and makes sense.
func retryAfter(h http.Header, now time.Time) (wait time.Duration, named bool) {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil {
		if seconds > uint64(maxRetryAfter/time.Second) {
			return maxRetryAfter, true
		}
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return min(max(at.Sub(now), 0), maxRetryAfter), true
}

// withoutData returns err with a text that shows nothing of a request or an answer. errors.Is and
// errors.As see the whole error.
func withoutData(err error) error { return &redactedError{text: safeText(err), err: err} }

// safeText passes texts that are known to name hosts, ports and reasons only. Others of net/http
// quote from answers.
func safeText(err error) string {
	for _, known := range []error{
		errTooLate, errAbandoned, errUnreadable, errBodyTooLarge, errForeignPage, errPageLoop,
		context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF, io.EOF,
	} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Error()
	}
	var name *net.DNSError
	if errors.As(err, &name) {
		return name.Error()
	}
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	switch {
	case errors.As(err, &certificate):
		return certificate.Error()
	case errors.As(err, &authority):
		return authority.Error()
	case errors.As(err, &host):
		return host.Error()
	}
	return "the connection failed"
}

type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }
func (e *redactedError) Unwrap() error { return e.err }
