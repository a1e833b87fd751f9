package trusthub

import (
	"context"
	"encoding/json"

	api "github.com/twilio/twilio-go/rest/api/v2010"
	trusthub "github.com/twilio/twilio-go/rest/trusthub/v1"

	"github.com/attestd/attestd/internal/onboarding"
)

var _ onboarding.SubaccountReader = (*Client)(nil)

// PagePhoneNumbers reads a page of the account's numbers.
func (c *Client) PagePhoneNumbers(
	ctx context.Context, account string, f onboarding.PhoneNumberFilter, at onboarding.PageAt, size int,
) (onboarding.Page[onboarding.RemotePhoneNumber], error) {
	const key = "incoming_phone_numbers"
	return listPage(ctx, c, account, key, numberEntry.number, func(k *call) error {
		params := &api.ListIncomingPhoneNumberParams{PhoneNumber: orNil(f.PhoneNumber)}
		_, err := k.core().PageIncomingPhoneNumber(params.SetPageSize(size), at.Token, at.Number)
		return err
	})
}

// PageAddresses reads a page of the account's addresses.
func (c *Client) PageAddresses(
	ctx context.Context, account string, f onboarding.AddressFilter, at onboarding.PageAt, size int,
) (onboarding.Page[onboarding.RemoteAddress], error) {
	return listPage(ctx, c, account, "addresses", addressEntry.address, func(k *call) error {
		params := &api.ListAddressParams{
			CustomerName: orNil(f.CustomerName),
			FriendlyName: orNil(f.FriendlyName),
			IsoCountry:   orNil(f.ISOCountry),
		}
		_, err := k.core().PageAddress(params.SetPageSize(size), at.Token, at.Number)
		return err
	})
}

// PageBundles reads a page of the account's customer profiles or trust products.
func (c *Client) PageBundles(
	ctx context.Context, account string, kind onboarding.BundleKind, f onboarding.BundleFilter,
	at onboarding.PageAt, size int,
) (onboarding.Page[onboarding.RemoteBundle], error) {
	status, name, policy := orNil(f.Status), orNil(f.FriendlyName), orNil(f.PolicySID)
	return listPage(ctx, c, account, "results", bundleEntry.bundle, func(k *call) error {
		return either(kind,
			func() error {
				params := &trusthub.ListCustomerProfileParams{
					Status: status, FriendlyName: name, PolicySid: policy,
				}
				_, err := k.hub().PageCustomerProfile(params.SetPageSize(size), at.Token, at.Number)
				return err
			},
			func() error {
				params := &trusthub.ListTrustProductParams{
					Status: status, FriendlyName: name, PolicySid: policy,
				}
				_, err := k.hub().PageTrustProduct(params.SetPageSize(size), at.Token, at.Number)
				return err
			})
	})
}

// PageEndUsers reads a page of the account's end users. Twilio has no filter for them, nor for
// documents.
func (c *Client) PageEndUsers(
	ctx context.Context, account string, at onboarding.PageAt, size int,
) (onboarding.Page[onboarding.RemoteObject], error) {
	return listPage(ctx, c, account, "results", objectEntry.object, func(k *call) error {
		params := &trusthub.ListEndUserParams{}
		_, err := k.hub().PageEndUser(params.SetPageSize(size), at.Token, at.Number)
		return err
	})
}

// PageSupportingDocuments reads a page of the account's supporting documents.
func (c *Client) PageSupportingDocuments(
	ctx context.Context, account string, at onboarding.PageAt, size int,
) (onboarding.Page[onboarding.RemoteObject], error) {
	return listPage(ctx, c, account, "results", objectEntry.object, func(k *call) error {
		params := &trusthub.ListSupportingDocumentParams{}
		_, err := k.hub().PageSupportingDocument(params.SetPageSize(size), at.Token, at.Number)
		return err
	})
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// listPage asks, as the subaccount, for a page of one of its lists. The entries are under key in
// the answer; read converts one.
func listPage[E, T any](
	ctx context.Context, c *Client, account, key string, read func(E) T, ask func(*call) error,
) (page onboarding.Page[T], err error) {
	if err := c.checkSubaccount(ctx, account); err != nil {
		return page, err
	}
	k := c.as(ctx, account)
	if err := ask(k); err != nil {
		return page, asRemote(err)
	}
	var members map[string]json.RawMessage
	var entries []E
	if json.Unmarshal(k.body, &members) != nil ||
		unmarshalLenient(members[key], &entries) != nil || entries == nil {
		return page, k.unreadable()
	}
	if page.Next, err = k.nextPage(); err != nil {
		return page, err
	}
	page.Items = make([]T, 0, len(entries))
	for _, e := range entries {
		page.Items = append(page.Items, read(e))
	}
	return page, nil
}

// nextPage returns the place of the next page, zero after the last. Of Twilio's link it uses only
// the place in the list, and only if the link leads to the list that it came with.
func (k *call) nextPage() (onboarding.PageAt, error) {
	var p page
	_ = unmarshalLenient(k.body, &p) // listPage has read it without an error.
	if p.next() == "" {
		return onboarding.PageAt{}, nil
	}
	to, ok := sameOrigin(k.url, p.next())
	if !ok || to.EscapedPath() != k.url.EscapedPath() {
		return onboarding.PageAt{}, k.badPages(errForeignPage)
	}
	query := to.Query()
	at := onboarding.PageAt{Number: query.Get("Page"), Token: query.Get("PageToken")}
	if at == (onboarding.PageAt{}) {
		return at, k.badPages(errPageLoop)
	}
	return at, nil
}
