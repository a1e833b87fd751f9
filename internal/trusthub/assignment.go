package trusthub

import (
	"context"

	trusthub "github.com/twilio/twilio-go/rest/trusthub/v1"

	"github.com/attestd/attestd/internal/onboarding"
)

// phoneNumberEndpoint is the type of channel endpoint that a phone number is.
const phoneNumberEndpoint = "phone-number"

// AssignEntity puts an end user, a document or another bundle on a bundle. What is there already is refused as onboarding.ClassExists.
func (c *Client) AssignEntity(ctx context.Context, account string, kind onboarding.BundleKind, bundleSID, objectSID string) (
	onboarding.Object, error) {
	k := c.onBundle(ctx, account, kind, bundleSID)
	k.bundle = bundleSID
	return k.object(either(kind,
		func() error {
			params := &trusthub.CreateCustomerProfileEntityAssignmentParams{ObjectSid: &objectSID}
			_, err := k.hub().CreateCustomerProfileEntityAssignment(bundleSID, params)
			return err
		},
		func() error {
			params := &trusthub.CreateTrustProductEntityAssignmentParams{ObjectSid: &objectSID}
			_, err := k.hub().CreateTrustProductEntityAssignment(bundleSID, params)
			return err
		}))
}

// FindEntityAssignments returns the bundle's assignments of that object, oldest first. Twilio filters them by the object's type only, so
// all are read.
func (c *Client) FindEntityAssignments(ctx context.Context, account string, kind onboarding.BundleKind, bundleSID, objectSID string) (
	[]onboarding.Object, error) {
	k := c.onBundle(ctx, account, kind, bundleSID)
	err := either(kind,
		func() error {
			params := &trusthub.ListCustomerProfileEntityAssignmentParams{}
			_, err := k.hub().PageCustomerProfileEntityAssignment(bundleSID, params.SetPageSize(pageSize), "", "")
			return err
		},
		func() error {
			params := &trusthub.ListTrustProductEntityAssignmentParams{}
			_, err := k.hub().PageTrustProductEntityAssignment(bundleSID, params.SetPageSize(pageSize), "", "")
			return err
		})
	return k.find(err, func(r *resource) bool { return r.ObjectSID == objectSID })
}

// DeleteEntityAssignment takes an object off a bundle, if it is there.
func (c *Client) DeleteEntityAssignment(ctx context.Context, account string, kind onboarding.BundleKind, bundleSID, sid string) error {
	k := c.onBundle(ctx, account, kind, bundleSID, sid)
	return k.gone(either(kind,
		func() error { return k.hub().DeleteCustomerProfileEntityAssignment(bundleSID, sid) },
		func() error { return k.hub().DeleteTrustProductEntityAssignment(bundleSID, sid) }))
}

// AssignNumber puts a phone number on a bundle. What is there already is refused as onboarding.ClassExists.
func (c *Client) AssignNumber(ctx context.Context, account string, kind onboarding.BundleKind, bundleSID, numberSID string) (
	onboarding.Object, error) {
	k := c.onBundle(ctx, account, kind, bundleSID)
	k.bundle = bundleSID
	endpoint := phoneNumberEndpoint
	return k.object(either(kind,
		func() error {
			params := &trusthub.CreateCustomerProfileChannelEndpointAssignmentParams{
				ChannelEndpointType: &endpoint, ChannelEndpointSid: &numberSID,
			}
			_, err := k.hub().CreateCustomerProfileChannelEndpointAssignment(bundleSID, params)
			return err
		},
		func() error {
			params := &trusthub.CreateTrustProductChannelEndpointAssignmentParams{
				ChannelEndpointType: &endpoint, ChannelEndpointSid: &numberSID,
			}
			_, err := k.hub().CreateTrustProductChannelEndpointAssignment(bundleSID, params)
			return err
		}))
}

// FindNumberAssignments returns the bundle's assignments of that number, oldest first.
func (c *Client) FindNumberAssignments(ctx context.Context, account string, kind onboarding.BundleKind, bundleSID, numberSID string) (
	[]onboarding.Object, error) {
	k := c.onBundle(ctx, account, kind, bundleSID)
	err := either(kind,
		func() error {
			params := &trusthub.ListCustomerProfileChannelEndpointAssignmentParams{}
			params.SetChannelEndpointSid(numberSID).SetPageSize(pageSize)
			_, err := k.hub().PageCustomerProfileChannelEndpointAssignment(bundleSID, params, "", "")
			return err
		},
		func() error {
			params := &trusthub.ListTrustProductChannelEndpointAssignmentParams{}
			params.SetChannelEndpointSid(numberSID).SetPageSize(pageSize)
			_, err := k.hub().PageTrustProductChannelEndpointAssignment(bundleSID, params, "", "")
			return err
		})
	return k.find(err, func(r *resource) bool { return r.ChannelEndpointSID == numberSID })
}

// DeleteNumberAssignment takes a number off a bundle, if it is there.
func (c *Client) DeleteNumberAssignment(ctx context.Context, account string, kind onboarding.BundleKind, bundleSID, sid string) error {
	k := c.onBundle(ctx, account, kind, bundleSID, sid)
	return k.gone(either(kind,
		func() error { return k.hub().DeleteCustomerProfileChannelEndpointAssignment(bundleSID, sid) },
		func() error { return k.hub().DeleteTrustProductChannelEndpointAssignment(bundleSID, sid) }))
}
