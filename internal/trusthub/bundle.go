package trusthub

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	trusthub "github.com/twilio/twilio-go/rest/trusthub/v1"

	"github.com/attestd/attestd/internal/onboarding"
)

// onBundle begins a call about a bundle of that kind.
func (c *Client) onBundle(
	ctx context.Context, account string, kind onboarding.BundleKind, sids ...string,
) *call {
	k := c.as(ctx, account, sids...)
	if kind != onboarding.CustomerProfile && kind != onboarding.TrustProduct {
		k.invalid = errors.New("unknown kind of bundle")
	}
	return k
}

// either makes the call for the kind of bundle. The kinds have the same resources under different
// paths, and the library has a method for each.
func either(kind onboarding.BundleKind, profile, product func() error) error {
	if kind == onboarding.CustomerProfile {
		return profile()
	}
	return product()
}

// CreateBundle creates a customer profile or a trust product, in draft.
func (c *Client) CreateBundle(
	ctx context.Context, account string, b onboarding.NewBundle,
) (onboarding.Bundle, error) {
	k := c.onBundle(ctx, account, b.Kind)
	var callback *string
	if b.StatusCallback != "" {
		callback = &b.StatusCallback
	}
	return k.readBundle(either(b.Kind,
		func() error {
			_, err := k.hub().CreateCustomerProfile(&trusthub.CreateCustomerProfileParams{
				FriendlyName: &b.FriendlyName, Email: &b.Email,
				PolicySid: &b.PolicySID, StatusCallback: callback,
			})
			return err
		},
		func() error {
			_, err := k.hub().CreateTrustProduct(&trusthub.CreateTrustProductParams{
				FriendlyName: &b.FriendlyName, Email: &b.Email,
				PolicySid: &b.PolicySID, StatusCallback: callback,
			})
			return err
		}))
}

// FindBundles returns the account's bundles of exactly that name and policy, oldest first.
func (c *Client) FindBundles(
	ctx context.Context, account string, kind onboarding.BundleKind, friendlyName, policySID string,
) ([]onboarding.Bundle, error) {
	k := c.onBundle(ctx, account, kind)
	err := either(kind,
		func() error {
			params := &trusthub.ListCustomerProfileParams{}
			params.SetFriendlyName(friendlyName).SetPolicySid(policySID).SetPageSize(pageSize)
			_, err := k.hub().PageCustomerProfile(params, "", "")
			return err
		},
		func() error {
			params := &trusthub.ListTrustProductParams{}
			params.SetFriendlyName(friendlyName).SetPolicySid(policySID).SetPageSize(pageSize)
			_, err := k.hub().PageTrustProduct(params, "", "")
			return err
		})
	return k.bundles(err, func(r *resource) bool {
		return r.FriendlyName == friendlyName && r.PolicySID == policySID
	})
}

// ListBundles returns all bundles of one kind in the account, oldest first.
func (c *Client) ListBundles(
	ctx context.Context, account string, kind onboarding.BundleKind,
) ([]onboarding.Bundle, error) {
	k := c.onBundle(ctx, account, kind)
	err := either(kind,
		func() error {
			params := &trusthub.ListCustomerProfileParams{}
			_, err := k.hub().PageCustomerProfile(params.SetPageSize(pageSize), "", "")
			return err
		},
		func() error {
			params := &trusthub.ListTrustProductParams{}
			_, err := k.hub().PageTrustProduct(params.SetPageSize(pageSize), "", "")
			return err
		})
	return k.bundles(err, func(*resource) bool { return true })
}

// bundles reads all pages of bundles, oldest first.
func (k *call) bundles(err error, match func(*resource) bool) ([]onboarding.Bundle, error) {
	found, err := k.all(err, match)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, byAge)
	bundles := make([]onboarding.Bundle, 0, len(found))
	for i := range found {
		bundles = append(bundles, found[i].bundle())
	}
	return bundles, nil
}

// FetchBundle reads a bundle.
func (c *Client) FetchBundle(
	ctx context.Context, account string, kind onboarding.BundleKind, sid string,
) (onboarding.Bundle, error) {
	k := c.onBundle(ctx, account, kind, sid)
	return k.readBundle(either(kind,
		func() error { _, err := k.hub().FetchCustomerProfile(sid); return err },
		func() error { _, err := k.hub().FetchTrustProduct(sid); return err }))
}

// SubmitBundle asks for the review. It sends the status alone: together with another field Twilio
// refuses it (22204).
func (c *Client) SubmitBundle(
	ctx context.Context, account string, kind onboarding.BundleKind, sid string,
) (onboarding.Bundle, error) {
	k := c.onBundle(ctx, account, kind, sid)
	status := onboarding.BundlePendingReview
	return k.readBundle(either(kind,
		func() error {
			params := &trusthub.UpdateCustomerProfileParams{Status: &status}
			_, err := k.hub().UpdateCustomerProfile(sid, params)
			return err
		},
		func() error {
			params := &trusthub.UpdateTrustProductParams{Status: &status}
			_, err := k.hub().UpdateTrustProduct(sid, params)
			return err
		}))
}

// DeleteBundle deletes a bundle, if it is there.
func (c *Client) DeleteBundle(
	ctx context.Context, account string, kind onboarding.BundleKind, sid string,
) error {
	k := c.onBundle(ctx, account, kind, sid)
	return k.deleted(either(kind,
		func() error { return k.hub().DeleteCustomerProfile(sid) },
		func() error { return k.hub().DeleteTrustProduct(sid) }))
}

func (k *call) readBundle(err error) (onboarding.Bundle, error) {
	r, err := k.resource(err)
	if err != nil {
		return onboarding.Bundle{}, err
	}
	return r.bundle(), nil
}

func (r *resource) bundle() onboarding.Bundle {
	return onboarding.Bundle{
		Object:     r.object(),
		AccountSID: r.AccountSID,
		PolicySID:  r.PolicySID,
		Status:     hyphenated(r.Status),
		ValidUntil: r.ValidUntil.Time,
		Errors:     bundleErrors(r.Errors),
	}
}

// hyphenated is a status in lower case with hyphens, as onboarding names them. Trust Hub has used
// capitals and underscores as well.
func hyphenated(status string) string {
	return strings.ReplaceAll(strings.ToLower(status), "_", "-")
}

// bundleErrors reads a bundle's errors. Twilio's specification says only that they are a list:
// [{"code": 18601}, …], with more keys at times.
func bundleErrors(raw json.RawMessage) []onboarding.BundleError {
	var all []onboarding.BundleError
	for _, element := range elements(raw) {
		all = append(all, bundleError(element))
	}
	return all
}

// bundleError reads one error. If it has more than a code but no message, all of it is the message.
func bundleError(raw json.RawMessage) onboarding.BundleError {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil || fields == nil {
		if bare := codeOf(raw); bare != 0 {
			return onboarding.BundleError{Code: bare}
		}
		return onboarding.BundleError{Message: textOf(raw)}
	}
	var e onboarding.BundleError
	for _, key := range []string{"code", "error_code"} {
		if e.Code == 0 {
			e.Code = codeOf(fields[key])
		}
	}
	for _, key := range []string{"message", "description", "failure_reason", "reason", "detail"} {
		if text := fields[key]; e.Message == "" && len(text) > 0 && string(text) != "null" {
			e.Message = textOf(text)
		}
	}
	if e.Message == "" && (e.Code == 0 || len(fields) > 1) {
		e.Message = textOf(raw)
	}
	return e
}
