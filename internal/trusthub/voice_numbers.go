package trusthub

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/attestd/attestd/internal/onboarding"
)

// ListPhoneNumbers returns all numbers of the account that can make calls (Twilio's capability "voice"), by their numbers. As in
// [Client.FindPhoneNumbers] the parent signs.
//
// A number that is on two pages, as one is when others are bought meanwhile, comes once. One of which the answer does not say what it can
// do makes the list unreadable: what is not on the list is taken for released.
func (c *Client) ListPhoneNumbers(ctx context.Context, account string) ([]onboarding.PhoneNumber, error) {
	k := c.as(ctx, c.parent, account)
	k.about = account
	params := &api.ListIncomingPhoneNumberParams{}
	_, err := k.core().PageIncomingPhoneNumber(params.SetPathAccountSid(account).SetPageSize(pageSize), "", "")
	found, err := k.all(err, func(*resource) bool { return true })
	if err != nil {
		return nil, err
	}
	numbers := make([]onboarding.PhoneNumber, 0, len(found))
	for i := range found {
		voice, said := found[i].voice()
		if !said || found[i].PhoneNumber == "" {
			return nil, k.fail(outcome{unreadable: true}, errUnreadable)
		}
		if voice {
			numbers = append(numbers, onboarding.PhoneNumber{SID: found[i].SID, Number: found[i].PhoneNumber})
		}
	}
	slices.SortFunc(numbers, func(a, b onboarding.PhoneNumber) int { return strings.Compare(a.Number, b.Number) })
	return slices.Compact(numbers), nil
}

// voice says whether a number can make calls, and whether the answer says so at all.
func (r *resource) voice() (voice, said bool) {
	var capabilities struct {
		Voice *bool `json:"voice"`
	}
	if json.Unmarshal(r.Capabilities, &capabilities) != nil || capabilities.Voice == nil {
		return false, false
	}
	return *capabilities.Voice, true
}
