package trusthub

import (
	"context"
	"slices"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/attestd/attestd/internal/onboarding"
)

// accountClosed is the status that an account does not come back from.
const accountClosed = "closed"

// CreateSubaccount makes a subaccount of the parent. Twilio takes one name as often as it is given: whether an account was made whose
// answer did not come is for [Client.FindSubaccounts] to say.
func (c *Client) CreateSubaccount(ctx context.Context, friendlyName string) (onboarding.Account, error) {
	k := c.as(ctx, c.parent)
	params := &api.CreateAccountParams{}
	_, err := k.core().CreateAccount(params.SetFriendlyName(friendlyName))
	return k.oneSubaccount(err)
}

// FindSubaccounts returns the parent's subaccounts of exactly that name, oldest first, but for closed ones: closed is final, and such
// an account is of use to nobody. The parent, which Twilio lists as well, is not among them.
func (c *Client) FindSubaccounts(ctx context.Context, friendlyName string) ([]onboarding.Account, error) {
	k := c.as(ctx, c.parent)
	params := &api.ListAccountParams{}
	_, err := k.core().PageAccount(params.SetFriendlyName(friendlyName).SetPageSize(pageSize), "", "")
	found, err := k.all(err, func(r *resource) bool {
		return r.FriendlyName == friendlyName && r.SID != c.parent && hyphenated(r.Status) != accountClosed
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, byAge)
	accounts := make([]onboarding.Account, 0, len(found))
	for i := range found {
		c.keepToken(&found[i])
		accounts = append(accounts, found[i].account())
	}
	return accounts, nil
}

// RenameSubaccount gives a subaccount another name. To do it twice is to do it once.
func (c *Client) RenameSubaccount(ctx context.Context, sid, friendlyName string) (onboarding.Account, error) {
	k := c.as(ctx, c.parent, sid)
	k.about = sid
	params := &api.UpdateAccountParams{}
	_, err := k.core().UpdateAccount(sid, params.SetFriendlyName(friendlyName))
	return k.oneSubaccount(err)
}

func (k *call) oneSubaccount(err error) (onboarding.Account, error) {
	r, err := k.resource(err)
	if err != nil {
		return onboarding.Account{}, err
	}
	k.keepToken(&r)
	return r.account(), nil
}
