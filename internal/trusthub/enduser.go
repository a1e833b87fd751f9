package trusthub

import (
	"context"

	trusthub "github.com/twilio/twilio-go/rest/trusthub/v1"

	"github.com/attestd/attestd/internal/onboarding"
)

// CreateEndUser creates an end user.
func (c *Client) CreateEndUser(
	ctx context.Context, account string, u onboarding.EndUser,
) (onboarding.Object, error) {
	k := c.as(ctx, account)
	params := &trusthub.CreateEndUserParams{}
	params.SetFriendlyName(u.FriendlyName).SetType(u.Type).SetAttributes(u.Attributes)
	_, err := k.hub().CreateEndUser(params)
	return k.object(err)
}

// FindEndUsers returns the account's end users of exactly that name and type, oldest first. It
// reads all of them, because Twilio has no filter.
func (c *Client) FindEndUsers(
	ctx context.Context, account, friendlyName, endUserType string,
) ([]onboarding.Object, error) {
	k := c.as(ctx, account)
	params := &trusthub.ListEndUserParams{}
	_, err := k.hub().PageEndUser(params.SetPageSize(pageSize), "", "")
	return k.find(err, func(r *resource) bool {
		return r.FriendlyName == friendlyName && r.Type == endUserType
	})
}

// FetchEndUser reads an end user.
func (c *Client) FetchEndUser(
	ctx context.Context, account, sid string,
) (onboarding.RemoteEndUser, error) {
	k := c.as(ctx, account, sid)
	_, err := k.hub().FetchEndUser(sid)
	r, err := k.resource(err)
	if err != nil {
		return onboarding.RemoteEndUser{}, err
	}
	return onboarding.RemoteEndUser{
		Object: r.object(),
		EndUser: onboarding.EndUser{
			FriendlyName: r.FriendlyName, Type: r.Type, Attributes: r.attributes(),
		},
	}, nil
}

// UpdateEndUser replaces all attributes of an end user.
func (c *Client) UpdateEndUser(
	ctx context.Context, account, sid string, attributes map[string]string,
) (onboarding.Object, error) {
	k := c.as(ctx, account, sid)
	params := &trusthub.UpdateEndUserParams{}
	_, err := k.hub().UpdateEndUser(sid, params.SetAttributes(attributes))
	return k.object(err)
}

// DeleteEndUser deletes an end user, if it is there.
func (c *Client) DeleteEndUser(ctx context.Context, account, sid string) error {
	k := c.as(ctx, account, sid)
	return k.deleted(k.hub().DeleteEndUser(sid))
}
