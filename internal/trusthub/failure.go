package trusthub

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// maxBody bounds what is read of an answer, in bytes. A full page of 1000 bundles is about 1 MiB.
const maxBody = 8 << 20

// maxRetryAfter bounds how long an answer may make us wait.
const maxRetryAfter = 24 * time.Hour

// Failures of the client itself, as the Err of an onboarding.RemoteError.
var (
	errUnreadable   = errors.New("the answer cannot be read")
	errBodyTooLarge = errors.New("the answer is too large")
	errForeignPage  = errors.New("the next page is on another host")
	errPageLoop     = errors.New("the pages lead in a circle")
)

// readBody reads an answer to its end, so that the connection can be used again, or to the limit.
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

// fail is the failure of a request that has no answer, or an answer that cannot be read.
func (k *call) fail(o outcome, err error) *onboarding.RemoteError {
	o.method, o.status, o.bundle = k.method, k.status, k.bundle
	class, _ := classify(o)
	return &onboarding.RemoteError{Class: class, HTTPStatus: k.status, Err: withoutData(err)}
}

// refused is the failure that an answer's status says it is. The body may be JSON, HTML, empty or cut off.
func (k *call) refused(h http.Header, body []byte) *onboarding.RemoteError {
	said := readRefusal(body)
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

// refuse is the failure of a call that is not made because of what it was given.
func (k *call) refuse() error {
	return &onboarding.RemoteError{Class: onboarding.ClassPermanent, Err: k.bad}
}

// failed makes sure that what a generated method returns is one of our failures: it has some of its own before it sends anything.
func failed(err error) error {
	var remote *onboarding.RemoteError
	if errors.As(err, &remote) {
		return remote
	}
	return &onboarding.RemoteError{Class: onboarding.ClassPermanent, Err: errors.New("the request cannot be built")}
}

type refusal struct {
	code     int
	message  string
	moreInfo string
}

// readRefusal reads Twilio's error body, {"code", "message", "more_info", "status"}, as far as it is one.
func readRefusal(body []byte) refusal {
	var wire struct {
		Code     code   `json:"code"`
		Message  string `json:"message"`
		MoreInfo string `json:"more_info"`
	}
	if err := unmarshal(body, &wire); err != nil {
		return refusal{}
	}
	return refusal{code: int(wire.Code), message: clipped(wire.Message), moreInfo: clipped(wire.MoreInfo)}
}

// clipped is a text as long as is worth keeping.
func clipped(s string) string {
	const limit = 2000
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}

// unmarshal is json.Unmarshal that bears a field of an unexpected type and leaves it empty.
func unmarshal(body []byte, into any) error {
	err := json.Unmarshal(body, into)
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		return nil
	}
	return err
}

// retryAfter reads the header of that name, in seconds or as a date (RFC 9110, 10.2.3). named says that it was there and made sense.
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

// withoutData is err with a text that holds nothing of a request or an answer. errors.Is and As still see what is underneath.
func withoutData(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return &quietError{text: quietText(err), err: err}
}

// quietText keeps the texts that are known to name hosts, ports and reasons only. net/http quotes from answers in others.
func quietText(err error) string {
	for _, known := range []error{
		errTooLate, errGivenUp, errUnreadable, errBodyTooLarge, errForeignPage, errPageLoop,
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

type quietError struct {
	text string
	err  error
}

func (e *quietError) Error() string { return e.text }
func (e *quietError) Unwrap() error { return e.err }
