package api

import (
	"context"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// subaccountTimeout bounds one call for a list of Twilio, with the fetch of the account's token.
const subaccountTimeout = 20 * time.Second

// ListSubaccountPhoneNumbers shows a page of the subaccount's numbers.
func (h *operationHandlers) ListSubaccountPhoneNumbers(ctx context.Context, r ListSubaccountPhoneNumbersRequestObject) (
	ListSubaccountPhoneNumbersResponseObject, error) {
	const list = "phone-numbers"
	filter := onboarding.PhoneNumberFilter{PhoneNumber: value(r.Params.PhoneNumber)}
	shown, next, err := pageOfTwilio(ctx, list, r.Params.Limit, r.Params.Cursor, phoneNumberHeldJSON,
		func(ctx context.Context, at onboarding.PageAt, size int) (onboarding.Page[onboarding.RemotePhoneNumber], error) {
			return h.config.Subaccounts.PagePhoneNumbers(ctx, lowerSID(r.SID), filter, at, size)
		})
	if err != nil {
		return nil, err
	}
	return ListSubaccountPhoneNumbers200JSONResponse{PhoneNumbers: shown, NextCursor: next}, nil
}

// ListSubaccountAddresses shows a page of the subaccount's addresses.
func (h *operationHandlers) ListSubaccountAddresses(ctx context.Context, r ListSubaccountAddressesRequestObject) (
	ListSubaccountAddressesResponseObject, error) {
	const list = "addresses"
	filter := onboarding.AddressFilter{
		CustomerName: value(r.Params.CustomerName), FriendlyName: value(r.Params.FriendlyName), ISOCountry: value(r.Params.IsoCountry),
	}
	shown, next, err := pageOfTwilio(ctx, list, r.Params.Limit, r.Params.Cursor, addressHeldJSON,
		func(ctx context.Context, at onboarding.PageAt, size int) (onboarding.Page[onboarding.RemoteAddress], error) {
			return h.config.Subaccounts.PageAddresses(ctx, lowerSID(r.SID), filter, at, size)
		})
	if err != nil {
		return nil, err
	}
	return ListSubaccountAddresses200JSONResponse{Addresses: shown, NextCursor: next}, nil
}

// ListSubaccountCustomerProfiles shows a page of the subaccount's customer profiles.
func (h *operationHandlers) ListSubaccountCustomerProfiles(ctx context.Context, r ListSubaccountCustomerProfilesRequestObject) (
	ListSubaccountCustomerProfilesResponseObject, error) {
	const list = "customer-profiles"
	filter := onboarding.BundleFilter{
		Status: string(value(r.Params.Status)), FriendlyName: value(r.Params.FriendlyName), PolicySID: lowerSID(value(r.Params.PolicySID)),
	}
	shown, next, err := pageOfTwilio(ctx, list, r.Params.Limit, r.Params.Cursor, bundleHeldJSON,
		func(ctx context.Context, at onboarding.PageAt, size int) (onboarding.Page[onboarding.RemoteBundle], error) {
			return h.config.Subaccounts.PageBundles(ctx, lowerSID(r.SID), onboarding.CustomerProfile, filter, at, size)
		})
	if err != nil {
		return nil, err
	}
	return ListSubaccountCustomerProfiles200JSONResponse{CustomerProfiles: shown, NextCursor: next}, nil
}

// ListSubaccountTrustProducts shows a page of the subaccount's trust products.
func (h *operationHandlers) ListSubaccountTrustProducts(ctx context.Context, r ListSubaccountTrustProductsRequestObject) (
	ListSubaccountTrustProductsResponseObject, error) {
	const list = "trust-products"
	filter := onboarding.BundleFilter{
		Status: string(value(r.Params.Status)), FriendlyName: value(r.Params.FriendlyName), PolicySID: lowerSID(value(r.Params.PolicySID)),
	}
	shown, next, err := pageOfTwilio(ctx, list, r.Params.Limit, r.Params.Cursor, bundleHeldJSON,
		func(ctx context.Context, at onboarding.PageAt, size int) (onboarding.Page[onboarding.RemoteBundle], error) {
			return h.config.Subaccounts.PageBundles(ctx, lowerSID(r.SID), onboarding.TrustProduct, filter, at, size)
		})
	if err != nil {
		return nil, err
	}
	return ListSubaccountTrustProducts200JSONResponse{TrustProducts: shown, NextCursor: next}, nil
}

// ListSubaccountEndUsers shows a page of the subaccount's end users.
func (h *operationHandlers) ListSubaccountEndUsers(ctx context.Context, r ListSubaccountEndUsersRequestObject) (
	ListSubaccountEndUsersResponseObject, error) {
	const list = "end-users"
	shown, next, err := pageOfTwilio(ctx, list, r.Params.Limit, r.Params.Cursor, endUserHeldJSON,
		func(ctx context.Context, at onboarding.PageAt, size int) (onboarding.Page[onboarding.RemoteObject], error) {
			return h.config.Subaccounts.PageEndUsers(ctx, lowerSID(r.SID), at, size)
		})
	if err != nil {
		return nil, err
	}
	return ListSubaccountEndUsers200JSONResponse{EndUsers: shown, NextCursor: next}, nil
}

// ListSubaccountSupportingDocuments shows a page of the subaccount's supporting documents.
func (h *operationHandlers) ListSubaccountSupportingDocuments(ctx context.Context, r ListSubaccountSupportingDocumentsRequestObject) (
	ListSubaccountSupportingDocumentsResponseObject, error) {
	const list = "supporting-documents"
	shown, next, err := pageOfTwilio(ctx, list, r.Params.Limit, r.Params.Cursor, documentHeldJSON,
		func(ctx context.Context, at onboarding.PageAt, size int) (onboarding.Page[onboarding.RemoteObject], error) {
			return h.config.Subaccounts.PageSupportingDocuments(ctx, lowerSID(r.SID), at, size)
		})
	if err != nil {
		return nil, err
	}
	return ListSubaccountSupportingDocuments200JSONResponse{SupportingDocuments: shown, NextCursor: next}, nil
}

// pageOfTwilio reads a page of a list of Twilio. It returns the entries in the form of the
// contract, and the cursor of the next page.
func pageOfTwilio[T, J any](ctx context.Context, list string, limit *int, cursor *string, show func(T) J,
	read func(ctx context.Context, at onboarding.PageAt, size int) (onboarding.Page[T], error)) ([]J, *string, error) {
	var at onboarding.PageAt
	if cursor != nil {
		var ok bool
		if at, ok = decodePageCursor(list, *cursor); !ok {
			return nil, nil, notOurCursor()
		}
	}
	ctx, cancel := context.WithTimeout(ctx, subaccountTimeout)
	defer cancel()
	page, err := read(ctx, at, limitOf(limit))
	if err != nil {
		return nil, nil, err
	}
	shown := make([]J, 0, len(page.Items))
	for _, item := range page.Items {
		shown = append(shown, show(item))
	}
	return shown, encodePageCursor(list, page.Next), nil
}

// limitOf is the size of the page that was asked for.
func limitOf(limit *int) int {
	if limit == nil {
		return defaultLimit
	}
	return *limit
}
