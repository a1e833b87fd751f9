package trusthub

import (
	"context"

	trusthub "github.com/twilio/twilio-go/rest/trusthub/v1"

	"github.com/attestd/attestd/internal/onboarding"
)

// addressDocument is the type of the supporting document for a customer profile's address.
const addressDocument = "customer_profile_address"

// CreateSupportingDocument creates a document that names the address.
func (c *Client) CreateSupportingDocument(
	ctx context.Context, account, friendlyName, addressSID string,
) (onboarding.Object, error) {
	k := c.as(ctx, account)
	params := &trusthub.CreateSupportingDocumentParams{}
	params.SetFriendlyName(friendlyName).SetType(addressDocument).
		SetAttributes(map[string]string{"address_sids": addressSID})
	_, err := k.hub().CreateSupportingDocument(params)
	return k.object(err)
}

// FindSupportingDocuments returns the account's documents of exactly that name, oldest first. It
// reads all of them, because Twilio has no filter.
func (c *Client) FindSupportingDocuments(
	ctx context.Context, account, friendlyName string,
) ([]onboarding.Object, error) {
	k := c.as(ctx, account)
	params := &trusthub.ListSupportingDocumentParams{}
	_, err := k.hub().PageSupportingDocument(params.SetPageSize(pageSize), "", "")
	return k.find(err, func(r *resource) bool { return r.FriendlyName == friendlyName })
}

// FetchSupportingDocument reads a document.
func (c *Client) FetchSupportingDocument(
	ctx context.Context, account, sid string,
) (onboarding.SupportingDocument, error) {
	k := c.as(ctx, account, sid)
	_, err := k.hub().FetchSupportingDocument(sid)
	r, err := k.resource(err)
	if err != nil {
		return onboarding.SupportingDocument{}, err
	}
	return onboarding.SupportingDocument{
		Object: r.object(), Type: r.Type, AddressSIDs: r.addressSIDs(),
	}, nil
}

// UpdateSupportingDocument makes a document name another address.
func (c *Client) UpdateSupportingDocument(
	ctx context.Context, account, sid, addressSID string,
) (onboarding.Object, error) {
	k := c.as(ctx, account, sid)
	params := &trusthub.UpdateSupportingDocumentParams{}
	params.SetAttributes(map[string]string{"address_sids": addressSID})
	_, err := k.hub().UpdateSupportingDocument(sid, params)
	return k.object(err)
}

// DeleteSupportingDocument deletes a document, if it is there.
func (c *Client) DeleteSupportingDocument(ctx context.Context, account, sid string) error {
	k := c.as(ctx, account, sid)
	return k.deleted(k.hub().DeleteSupportingDocument(sid))
}
