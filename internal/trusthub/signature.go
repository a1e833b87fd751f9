package trusthub

import (
	"context"
	"encoding/base64"
	"mime"
	"net/url"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"

	"github.com/attestd/attestd/internal/onboarding"
)

// checkInterval is how often an unknown signature can cause a fetch of a subaccount's token. The
// token may be a new one, but a forger must not make us call Twilio at will.
const checkInterval = time.Minute

// SignedBy checks a callback's X-Twilio-Signature and returns the account whose token made it: the
// subaccount, the parent, or "" for neither. Twilio does not document which of the two signs the
// callbacks of Trust Hub, so both are right.
//
// callbackURL is the URL that Twilio was given; Twilio does not sign its fragment. contentType is
// the request's header. A form is signed together with the URL. Any other body is signed by its
// digest in the URL's parameter bodySHA256, and not at all without it.
//
// The error is a *onboarding.RemoteError: the deciding token could not be fetched, and the caller
// should ask Twilio for the callback a second time.
func (c *Client) SignedBy(
	ctx context.Context, subaccount, signature, callbackURL, contentType string, body []byte,
) (string, error) {
	callbackURL, _, _ = strings.Cut(callbackURL, "#")
	if !isSignature(signature) || !onboarding.IsSID("AC", subaccount) ||
		!coversBody(callbackURL, contentType, body) {
		return "", nil
	}
	signed := func(token string) bool {
		if token == "" {
			return false
		}
		validator := client.NewRequestValidator(token)
		return validator.ValidateBody(callbackURL, body, signature)
	}
	known := c.tokens.peek(subaccount)
	switch {
	case subaccount != c.parent && signed(known):
		return subaccount, nil
	case signed(c.parentToken):
		return c.parent, nil
	case subaccount == c.parent, !c.tokens.mayCheck(subaccount, c.now(), checkInterval):
		return "", nil
	}
	token, err := c.tokens.get(ctx, subaccount, known)
	if err != nil {
		return "", tokenFailure(err)
	}
	if token != known && signed(token) {
		return subaccount, nil
	}
	return "", nil
}

// isSignature says whether s has the form of a signature: the base64 of 20 bytes.
func isSignature(s string) bool {
	sum, err := base64.StdEncoding.DecodeString(s)
	return err == nil && len(sum) == 20
}

// coversBody says whether a signature of the URL tells anything about the body.
func coversBody(callbackURL, contentType string, body []byte) bool {
	u, err := url.Parse(callbackURL)
	if err != nil {
		return false
	}
	if u.Query().Get("bodySHA256") != "" || len(body) == 0 {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == "application/x-www-form-urlencoded"
}
