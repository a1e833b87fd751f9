package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/attestd/attestd/internal/onboarding"
)

// CallbackAuth says what proves that a callback is from Twilio.
type CallbackAuth string

// The ways to authenticate a callback. Both ask for the token in the URL.
const (
	// CallbackSignature refuses a callback without a valid signature.
	CallbackSignature CallbackAuth = "signature"
	// CallbackToken accepts a callback without a signature, for accounts whose callbacks from Trust
	// Hub come unsigned. It refuses a wrong signature: either the callback is not from Twilio, or
	// PUBLIC_URL is not the URL that Twilio called, and somebody should see both. Polling finds
	// what a refused callback has told.
	CallbackToken CallbackAuth = "token"
)

// Valid tells whether a is one of the ways.
func (a CallbackAuth) Valid() bool { return a == CallbackSignature || a == CallbackToken }

const (
	callbackPath = "/webhooks/twilio/"
	// maxCallback is the largest callback that is read. Those of Twilio have a few hundred bytes.
	maxCallback = 64 << 10
)

var (
	// callbackTokenForm takes what needs no escaping in a URL.
	callbackTokenForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,128}$`)
	// keptHeaderForm is the form of a header that is stored with a callback. Those of Twilio are
	// media types and UUIDs.
	keptHeaderForm = regexp.MustCompile(`^[ -~]{1,128}$`)
)

// CallbackURL is the URL that Twilio gets for the status callbacks of the onboarding with this
// token.
func CallbackURL(publicURL, token string) string {
	return strings.TrimRight(publicURL, "/") + callbackPath + url.PathEscape(token)
}

// callbackHandler receives status callbacks. It is not generated, because the signature is over the
// raw body and the URL.
func callbackHandler(c Config) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		callback, err := readCallback(c, w, r)
		if err == nil {
			err = c.Service.ReceiveCallback(r.Context(), callback)
		}
		if err != nil {
			respondError(w, r, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// readCallback reads a callback and checks that it is from Twilio.
func readCallback(c Config, w http.ResponseWriter, r *http.Request) (onboarding.Callback, error) {
	token := chi.URLParam(r, "token")
	if !callbackTokenForm.MatchString(token) {
		// The answer is that to a wrong signature. Its time tells nothing either: the token is 256
		// random bits that are looked up in an index.
		return onboarding.Callback{}, refused(nil)
	}
	id, subaccount, err := c.Callbacks.FindByCallbackToken(r.Context(), token)
	if errors.Is(err, onboarding.ErrNotFound) {
		// The same answer as to a wrong signature. The token is 256 random bits looked up in an
		// index, so time tells nothing either.
		return onboarding.Callback{}, refused(nil)
	}
	if err != nil {
		return onboarding.Callback{}, fmt.Errorf("find the onboarding of a callback: %w", err)
	}
	body, err := readBody(w, r, maxCallback)
	if err != nil {
		return onboarding.Callback{}, err
	}
	signedBy, err := authenticateCallback(r.Context(), c, r, subaccount, body)
	if err != nil {
		return onboarding.Callback{}, err
	}
	contentType := keptHeader(r, "Content-Type")
	bundleSID, status := callbackClaims(contentType, body)
	return onboarding.Callback{
		OnboardingID:     id,
		IdempotencyToken: keptHeader(r, "I-Twilio-Idempotency-Token"),
		SignedBy:         signedBy,
		ContentType:      contentType,
		Body:             body,
		BundleSID:        bundleSID,
		Status:           status,
	}, nil
}

// keptHeader returns a header, or "" if it does not have the form of one from Twilio.
func keptHeader(r *http.Request, name string) string {
	if v := r.Header.Get(name); keptHeaderForm.MatchString(v) {
		return v
	}
	return ""
}

// authenticateCallback returns the account that signed the callback, or "" if no signature is
// needed.
func authenticateCallback(ctx context.Context, c Config, r *http.Request, subaccount string, body []byte) (string, error) {
	signature := r.Header.Get("X-Twilio-Signature")
	if signature == "" {
		if c.CallbackAuth == CallbackToken {
			return "", nil
		}
		return "", refused(errors.New("a callback with a known token came without a signature; see CALLBACK_AUTH"))
	}
	account, err := c.Verifier.SignedBy(ctx, subaccount, signature, calledURL(c.PublicURL, r.URL), r.Header.Get("Content-Type"), body)
	switch {
	case err != nil && c.CallbackAuth == CallbackToken:
		return "", nil // The URL's token is enough.
	case err != nil:
		// Twilio tries again after a 503 if the callback URL asks for that, and polling finds what
		// is lost.
		return "", &problemError{kind: problemUnavailable, detail: "The signature cannot be checked at the moment.", cause: fmt.Errorf("check a callback's signature: %w", err)}
	case account == "":
		return "", refused(errors.New("a callback with a known token has a wrong signature; compare PUBLIC_URL with the URL that Twilio calls"))
	}
	return account, nil
}

// refused answers every callback that is not proven to be from Twilio. It logs cause: with a known
// token that is more likely our configuration than a forger.
func refused(cause error) error {
	return &problemError{kind: problemForbidden, detail: "This callback could not be shown to be Twilio's.", cause: cause}
}

// calledURL is the URL that Twilio called and signed: the public one, with the path and the query
// as they came.
func calledURL(publicURL string, u *url.URL) string {
	called := strings.TrimRight(publicURL, "/") + u.EscapedPath()
	if u.RawQuery != "" || u.ForceQuery {
		called += "?" + u.RawQuery
	}
	return called
}
