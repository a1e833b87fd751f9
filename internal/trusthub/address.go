package trusthub

import (
	"context"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/attestd/attestd/internal/onboarding"
)

// FetchAddress reads an address of the account.
func (c *Client) FetchAddress(
	ctx context.Context, account, sid string,
) (onboarding.Object, error) {
	k := c.as(ctx, account, sid)
	_, err := k.core().FetchAddress(sid, nil)
	return k.object(err)
}

// CreateAddress creates an address. Twilio checks it and corrects it where it can
// (AutoCorrectAddress has its default, true); an address that fails the check is refused with 21628
// or 21629.
func (c *Client) CreateAddress(
	ctx context.Context, account, friendlyName string, a onboarding.Address,
) (onboarding.Object, error) {
	k := c.as(ctx, account)
	params := &api.CreateAddressParams{}
	params.SetFriendlyName(friendlyName).SetCustomerName(a.CustomerName).
		SetStreet(a.Street).SetCity(a.City).
		SetRegion(a.Region).SetPostalCode(a.PostalCode).SetIsoCountry(a.ISOCountry)
	if a.StreetSecondary != "" {
		params.SetStreetSecondary(a.StreetSecondary)
	}
	_, err := k.core().CreateAddress(params)
	return k.object(err)
}

// FindAddresses returns the account's addresses of exactly that name, oldest first.
func (c *Client) FindAddresses(
	ctx context.Context, account, friendlyName string,
) ([]onboarding.Object, error) {
	k := c.as(ctx, account)
	params := &api.ListAddressParams{}
	params.SetFriendlyName(friendlyName).SetPageSize(pageSize)
	_, err := k.core().PageAddress(params, "", "")
	return k.find(err, func(r *resource) bool { return r.FriendlyName == friendlyName })
}

// UpdateAddress replaces the fields of an address. StreetSecondary is sent even if it is empty:
// without it, Twilio would leave the old one in place.
func (c *Client) UpdateAddress(
	ctx context.Context, account, sid string, a onboarding.Address,
) (onboarding.Object, error) {
	k := c.as(ctx, account, sid)
	params := &api.UpdateAddressParams{}
	params.SetCustomerName(a.CustomerName).
		SetStreet(a.Street).SetStreetSecondary(a.StreetSecondary).SetCity(a.City).
		SetRegion(a.Region).SetPostalCode(a.PostalCode)
	_, err := k.core().UpdateAddress(sid, params)
	return k.object(err)
}

// DeleteAddress deletes an address, if it is there.
func (c *Client) DeleteAddress(ctx context.Context, account, sid string) error {
	k := c.as(ctx, account, sid)
	return k.deleted(k.core().DeleteAddress(sid, nil))
}
