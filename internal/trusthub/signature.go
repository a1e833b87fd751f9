package trusthub

import (
	"context"
	"encoding/base64"
	"mime"
	"net/url"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"
)

// doubtInterval is how often a signature that fits no known token may make us fetch a subaccount's token: it may have changed, but a
// forger must not make us call Twilio as often as he likes.
const doubtInterval = time.Minute

// SignedBy checks a callback's X-Twilio-Signature and returns the account whose token made it: the subaccount, the parent, or "" if it was
// neither's. Which of the two signs Trust Hub's callbacks is not documented, so both are right.
//
// callbackURL is the one that was given to Twilio; a fragment on it is not signed. contentType is the request's header. A form is signed
// with the URL; any other body is signed through its digest in the URL's bodySHA256, and without that it is not signed at all.
//
// The error is a *onboarding.RemoteError: the token that could decide was not to be had, and the caller should ask Twilio to come again.
func (c *Client) SignedBy(ctx context.Context, subaccount, signature, callbackURL, contentType string, body []byte) (string, error) {
	callbackURL, _, _ = strings.Cut(callbackURL, "#")
	if !isSignature(signature) || !isSID(subaccount) || !coversBody(callbackURL, contentType, body) {
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
	case subaccount == c.parent, !c.tokens.doubt(subaccount, c.now(), doubtInterval):
		return "", nil
	}
	token, err := c.tokens.get(ctx, subaccount, known)
	if err != nil {
		return "", unsent(err)
	}
	if token != known && signed(token) {
		return subaccount, nil
	}
	return "", nil
}

// isSignature says whether s can be one at all: the base64 of 20 bytes.
func isSignature(s string) bool {
	sum, err := base64.StdEncoding.DecodeString(s)
	return err == nil && len(sum) == 20
}

// coversBody says whether a signature of the URL would say anything about the body.
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
