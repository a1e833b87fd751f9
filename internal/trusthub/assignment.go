package trusthub

import (
	"context"
	"slices"

	trusthub "github.com/twilio/twilio-go/rest/trusthub/v1"

	"github.com/attestd/attestd/internal/onboarding"
)

// phoneNumberEndpoint is the channel endpoint type of a phone number.
const phoneNumberEndpoint = "phone-number"

// AssignEntity puts an end user, a document or another bundle on a bundle. If it is there already,
// the error has the class onboarding.ClassExists.
func (c *Client) AssignEntity(
	ctx context.Context, account string, kind onboarding.BundleKind, bundleSID, objectSID string,
) (onboarding.Object, error) {
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

// FindEntityAssignments returns the bundle's assignments of that object, oldest first. It reads all
// of them, because Twilio filters by the object's type only.
func (c *Client) FindEntityAssignments(
	ctx context.Context, account string, kind onboarding.BundleKind, bundleSID, objectSID string,
) ([]onboarding.Object, error) {
	k := c.onBundle(ctx, account, kind, bundleSID)
	return k.find(k.pageEntities(kind, bundleSID), func(r *resource) bool {
		return r.ObjectSID == objectSID
	})
}

// ListEntityAssignments returns all assignments of the bundle except those of numbers, oldest
// first.
func (c *Client) ListEntityAssignments(
	ctx context.Context, account string, kind onboarding.BundleKind, bundleSID string,
) ([]onboarding.Assignment, error) {
	k := c.onBundle(ctx, account, kind, bundleSID)
	return k.assignments(k.pageEntities(kind, bundleSID), func(r *resource) string {
		return r.ObjectSID
	})
}

// pageEntities asks for the first page of a bundle's entity assignments.
func (k *call) pageEntities(kind onboarding.BundleKind, bundleSID string) error {
	return either(kind,
		func() error {
			params := &trusthub.ListCustomerProfileEntityAssignmentParams{}
			params.SetPageSize(pageSize)
			_, err := k.hub().PageCustomerProfileEntityAssignment(bundleSID, params, "", "")
			return err
		},
		func() error {
			params := &trusthub.ListTrustProductEntityAssignmentParams{}
			params.SetPageSize(pageSize)
			_, err := k.hub().PageTrustProductEntityAssignment(bundleSID, params, "", "")
			return err
		})
}

// DeleteEntityAssignment removes an object from a bundle, if it is there.
func (c *Client) DeleteEntityAssignment(
	ctx context.Context, account string, kind onboarding.BundleKind, bundleSID, sid string,
) error {
	k := c.onBundle(ctx, account, kind, bundleSID, sid)
	return k.deleted(either(kind,
		func() error { return k.hub().DeleteCustomerProfileEntityAssignment(bundleSID, sid) },
		func() error { return k.hub().DeleteTrustProductEntityAssignment(bundleSID, sid) }))
}

// AssignNumber puts a phone number on a bundle. If it is there already, the error has the class
// onboarding.ClassExists.
func (c *Client) AssignNumber(
	ctx context.Context, account string, kind onboarding.BundleKind, bundleSID, numberSID string,
) (onboarding.Object, error) {
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
func (c *Client) FindNumberAssignments(
	ctx context.Context, account string, kind onboarding.BundleKind, bundleSID, numberSID string,
) ([]onboarding.Object, error) {
	k := c.onBundle(ctx, account, kind, bundleSID)
	return k.find(k.pageNumbers(kind, bundleSID, &numberSID), func(r *resource) bool {
		return r.ChannelEndpointSID == numberSID
	})
}

// ListNumberAssignments returns the bundle's assignments of numbers, oldest first.
func (c *Client) ListNumberAssignments(
	ctx context.Context, account string, kind onboarding.BundleKind, bundleSID string,
) ([]onboarding.Assignment, error) {
	k := c.onBundle(ctx, account, kind, bundleSID)
	return k.assignments(k.pageNumbers(kind, bundleSID, nil), func(r *resource) string {
		return r.ChannelEndpointSID
	})
}

// pageNumbers asks for the first page of a bundle's assignments of numbers: of one number, or of
// all if numberSID is nil.
func (k *call) pageNumbers(kind onboarding.BundleKind, bundleSID string, numberSID *string) error {
	size := pageSize
	return either(kind,
		func() error {
			params := &trusthub.ListCustomerProfileChannelEndpointAssignmentParams{
				ChannelEndpointSid: numberSID, PageSize: &size,
			}
			_, err := k.hub().PageCustomerProfileChannelEndpointAssignment(bundleSID, params, "", "")
			return err
		},
		func() error {
			params := &trusthub.ListTrustProductChannelEndpointAssignmentParams{
				ChannelEndpointSid: numberSID, PageSize: &size,
			}
			_, err := k.hub().PageTrustProductChannelEndpointAssignment(bundleSID, params, "", "")
			return err
		})
}

// assignments returns a whole list of assignments, oldest first. object returns the SID of the
// assigned object. An assignment without it makes the list unreadable: an object that is not on the
// list counts as missing from the bundle.
func (k *call) assignments(
	err error, object func(*resource) string,
) ([]onboarding.Assignment, error) {
	found, err := k.all(err, func(*resource) bool { return true })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, byAge)
	all := make([]onboarding.Assignment, 0, len(found))
	for i := range found {
		sid := object(&found[i])
		if sid == "" {
			return nil, k.unreadable()
		}
		all = append(all, onboarding.Assignment{Object: found[i].object(), ObjectSID: sid})
	}
	return all, nil
}

// DeleteNumberAssignment removes a number from a bundle, if it is there.
func (c *Client) DeleteNumberAssignment(
	ctx context.Context, account string, kind onboarding.BundleKind, bundleSID, sid string,
) error {
	k := c.onBundle(ctx, account, kind, bundleSID, sid)
	return k.deleted(either(kind,
		func() error { return k.hub().DeleteCustomerProfileChannelEndpointAssignment(bundleSID, sid) },
		func() error { return k.hub().DeleteTrustProductChannelEndpointAssignment(bundleSID, sid) }))
}
