package trusthub

import (
	"context"
	"errors"

	"github.com/attestd/attestd/internal/onboarding"
)

// FetchAccount reads an account with the parent's credentials. A subaccount's token comes with it
// and is remembered for the next calls; a suspended or closed account has one as well.
func (c *Client) FetchAccount(ctx context.Context, sid string) (onboarding.Account, error) {
	r, err := c.readAccount(ctx, sid)
	if err != nil {
		return onboarding.Account{}, err
	}
	return r.account(), nil
}

func (r *resource) account() onboarding.Account {
	return onboarding.Account{SID: r.SID, OwnerSID: r.OwnerAccountSID, Status: hyphenated(r.Status)}
}

func (c *Client) readAccount(ctx context.Context, sid string) (resource, error) {
	k := c.as(ctx, c.parent, sid)
	k.subject = sid
	_, err := k.core().FetchAccount(sid)
	r, err := k.resource(err)
	switch {
	case err != nil:
		return r, err
	case r.SID != sid:
		return r, k.unreadable()
	}
	c.rememberToken(&r)
	return r, nil
}

// rememberToken spares the call that would fetch a subaccount's token, if the answer has it.
func (c *Client) rememberToken(r *resource) {
	if r.AuthToken != "" && r.SID != c.parent {
		c.tokens.put(r.SID, r.AuthToken)
	}
}

// fetchToken fetches an account's token for c.tokens.
func (c *Client) fetchToken(ctx context.Context, sid string) (string, error) {
	r, err := c.readAccount(ctx, sid)
	if err != nil {
		return "", err
	}
	if r.AuthToken == "" {
		return "", &onboarding.RemoteError{
			Class: onboarding.ClassCredentials,
			Err: errors.New(
				"the answer has no token for the account: the configured credentials are not its parent's"),
		}
	}
	return r.AuthToken, nil
}
