package trusthub

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	api "github.com/twilio/twilio-go/rest/api/v2010"
	trusthub "github.com/twilio/twilio-go/rest/trusthub/v1"

	"github.com/attestd/attestd/internal/onboarding"
)

var _ onboarding.SubaccountReader = (*Client)(nil)

// PagePhoneNumbers reads a page of the account's numbers.
func (c *Client) PagePhoneNumbers(ctx context.Context, account string, f onboarding.PhoneNumberFilter, at onboarding.PageAt, size int) (
	onboarding.Page[onboarding.HeldPhoneNumber], error) {
	return listPage(ctx, c, account, "incoming_phone_numbers", heldPhoneNumber.held, func(k *call) error {
		params := &api.ListIncomingPhoneNumberParams{PhoneNumber: unlessEmpty(f.PhoneNumber)}
		_, err := k.core().PageIncomingPhoneNumber(params.SetPageSize(size), at.Token, at.Number)
		return err
	})
}

// PageAddresses reads a page of the account's addresses.
func (c *Client) PageAddresses(ctx context.Context, account string, f onboarding.AddressFilter, at onboarding.PageAt, size int) (
	onboarding.Page[onboarding.HeldAddress], error) {
	return listPage(ctx, c, account, "addresses", heldAddress.held, func(k *call) error {
		params := &api.ListAddressParams{
			CustomerName: unlessEmpty(f.CustomerName), FriendlyName: unlessEmpty(f.FriendlyName), IsoCountry: unlessEmpty(f.ISOCountry),
		}
		_, err := k.core().PageAddress(params.SetPageSize(size), at.Token, at.Number)
		return err
	})
}

// PageBundles reads a page of the account's customer profiles or trust products.
func (c *Client) PageBundles(ctx context.Context, account string, kind onboarding.BundleKind, f onboarding.BundleFilter, at onboarding.PageAt, size int) (
	onboarding.Page[onboarding.HeldBundle], error) {
	status, name, policy := unlessEmpty(f.Status), unlessEmpty(f.FriendlyName), unlessEmpty(f.PolicySID)
	return listPage(ctx, c, account, "results", heldBundle.held, func(k *call) error {
		return either(kind,
			func() error {
				params := &trusthub.ListCustomerProfileParams{Status: status, FriendlyName: name, PolicySid: policy}
				_, err := k.hub().PageCustomerProfile(params.SetPageSize(size), at.Token, at.Number)
				return err
			},
			func() error {
				params := &trusthub.ListTrustProductParams{Status: status, FriendlyName: name, PolicySid: policy}
				_, err := k.hub().PageTrustProduct(params.SetPageSize(size), at.Token, at.Number)
				return err
			})
	})
}

// PageEndUsers reads a page of the account's end users. Twilio has no filter for them, nor for documents.
func (c *Client) PageEndUsers(ctx context.Context, account string, at onboarding.PageAt, size int) (
	onboarding.Page[onboarding.HeldObject], error) {
	return listPage(ctx, c, account, "results", heldObject.held, func(k *call) error {
		params := &trusthub.ListEndUserParams{}
		_, err := k.hub().PageEndUser(params.SetPageSize(size), at.Token, at.Number)
		return err
	})
}

// PageSupportingDocuments reads a page of the account's supporting documents.
func (c *Client) PageSupportingDocuments(ctx context.Context, account string, at onboarding.PageAt, size int) (
	onboarding.Page[onboarding.HeldObject], error) {
	return listPage(ctx, c, account, "results", heldObject.held, func(k *call) error {
		params := &trusthub.ListSupportingDocumentParams{}
		_, err := k.hub().PageSupportingDocument(params.SetPageSize(size), at.Token, at.Number)
		return err
	})
}

func unlessEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// listPage makes the call for a page of a subaccount's list, signed by the subaccount, and reads the entries that the answer has under key.
func listPage[W, T any](ctx context.Context, c *Client, account, key string, read func(W) T, ask func(*call) error) (page onboarding.Page[T], err error) {
	if err := c.checkSubaccount(ctx, account); err != nil {
		return page, err
	}
	k := c.as(ctx, account)
	if err := ask(k); err != nil {
		return page, failed(err)
	}
	var members map[string]json.RawMessage
	var entries []W
	if json.Unmarshal(k.body, &members) != nil || unmarshal(members[key], &entries) != nil || entries == nil {
		return page, k.fail(outcome{unreadable: true}, errUnreadable)
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

// nextPage is the place that the link to the next page leads to, zero if there is none. Only what says where in the list it is is taken
// from the link, and only if it leads to the list that it came with.
func (k *call) nextPage() (onboarding.PageAt, error) {
	var p page
	_ = unmarshal(k.body, &p) // It was read before.
	if p.next() == "" {
		return onboarding.PageAt{}, nil
	}
	to, ok := sameOrigin(k.url, p.next())
	if !ok || to.EscapedPath() != k.url.EscapedPath() {
		return onboarding.PageAt{}, &onboarding.RemoteError{Class: onboarding.ClassPermanent, HTTPStatus: k.status, Err: errForeignPage}
	}
	query := to.Query()
	at := onboarding.PageAt{Number: query.Get("Page"), Token: query.Get("PageToken")}
	if at == (onboarding.PageAt{}) {
		return at, &onboarding.RemoteError{Class: onboarding.ClassPermanent, HTTPStatus: k.status, Err: errPageLoop}
	}
	return at, nil
}

// checkSubaccount returns onboarding.ErrNoSubaccount unless the account is the parent's. Accounts do not change hands, so it is read once.
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
