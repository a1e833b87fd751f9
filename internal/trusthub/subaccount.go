package trusthub

import (
	"context"
	"errors"
	"net/http"
	"slices"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/attestd/attestd/internal/onboarding"
)

// accountClosed is the final status of an account.
const accountClosed = "closed"

// CreateSubaccount creates a subaccount of the parent. Twilio accepts one name any number of times:
// if the answer is lost, only [Client.FindSubaccounts] tells whether the account exists.
func (c *Client) CreateSubaccount(
	ctx context.Context, friendlyName string,
) (onboarding.Account, error) {
	k := c.as(ctx, c.parent)
	params := &api.CreateAccountParams{}
	_, err := k.core().CreateAccount(params.SetFriendlyName(friendlyName))
	return k.subaccount(err)
}

// FindSubaccounts returns the parent's subaccounts of exactly that name, oldest first, without
// closed ones and without the parent, which Twilio lists as well.
func (c *Client) FindSubaccounts(
	ctx context.Context, friendlyName string,
) ([]onboarding.Account, error) {
	k := c.as(ctx, c.parent)
	params := &api.ListAccountParams{}
	params.SetFriendlyName(friendlyName).SetPageSize(pageSize)
	_, err := k.core().PageAccount(params, "", "")
	found, err := k.all(err, func(r *resource) bool {
		return r.FriendlyName == friendlyName && r.SID != c.parent && hyphenated(r.Status) != accountClosed
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, byAge)
	accounts := make([]onboarding.Account, 0, len(found))
	for i := range found {
		c.rememberToken(&found[i])
		accounts = append(accounts, found[i].account())
	}
	return accounts, nil
}

// RenameSubaccount gives a subaccount another name. It may be repeated without harm.
func (c *Client) RenameSubaccount(
	ctx context.Context, sid, friendlyName string,
) (onboarding.Account, error) {
	k := c.as(ctx, c.parent, sid)
	k.subject = sid
	params := &api.UpdateAccountParams{}
	_, err := k.core().UpdateAccount(sid, params.SetFriendlyName(friendlyName))
	return k.subaccount(err)
}

func (k *call) subaccount(err error) (onboarding.Account, error) {
	r, err := k.resource(err)
	if err != nil {
		return onboarding.Account{}, err
	}
	k.rememberToken(&r)
	return r.account(), nil
}

// checkSubaccount returns onboarding.ErrNoSubaccount unless the account is the parent's. One read
// per account is enough, since accounts have one owner for ever.
func (c *Client) checkSubaccount(ctx context.Context, account string) error {
	if account == c.parent {
		return onboarding.ErrNoSubaccount
	}
	if _, known := c.subaccounts.Load(account); known {
		return nil
	}
	read, err := c.readAccount(ctx, account)
	var remote *onboarding.RemoteError
	switch {
	case errors.As(err, &remote) && remote.HTTPStatus == http.StatusNotFound:
		return onboarding.ErrNoSubaccount
	case err != nil:
		return err
	case read.OwnerAccountSID != c.parent:
		return onboarding.ErrNoSubaccount
	}
	c.subaccounts.Store(account, struct{}{})
	return nil
}
