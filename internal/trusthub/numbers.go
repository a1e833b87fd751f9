package trusthub

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/attestd/attestd/internal/onboarding"
)

// maxLookups is the largest number of numbers that are looked up one by one. For more, pages of a
// thousand are fewer calls.
const maxLookups = 10

// FindPhoneNumbers resolves numbers of the account, in the order of wanted. A number that is wanted
// by its SID and in E.164 comes once.
//
// The parent signs the calls: its credentials reach a subaccount's numbers, and so nobody waits for
// the subaccount's token.
func (c *Client) FindPhoneNumbers(
	ctx context.Context, account string, wanted []string,
) ([]onboarding.PhoneNumber, error) {
	if k := c.as(ctx, account); k.invalid != nil {
		return nil, k.invalidCall()
	}
	var index numberIndex
	var err error
	if len(wanted) <= maxLookups {
		err = c.lookUpNumbers(ctx, account, wanted, &index)
	} else {
		err = c.scanNumbers(ctx, account, wanted, &index)
	}
	if err != nil {
		return nil, err
	}
	return index.pick(wanted), nil
}

// lookUpNumbers makes one call for each number, all at once.
func (c *Client) lookUpNumbers(
	ctx context.Context, account string, wanted []string, index *numberIndex,
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		calls sync.WaitGroup
		mu    sync.Mutex
		first error
	)
	for _, number := range unique(wanted) {
		calls.Go(func() {
			found, err := c.lookUpNumber(ctx, account, number)
			mu.Lock()
			defer mu.Unlock()
			if err != nil && first == nil {
				first = err
				cancel()
			}
			index.add(found)
		})
	}
	calls.Wait()
	return first
}

func (c *Client) lookUpNumber(ctx context.Context, account, number string) ([]resource, error) {
	k := c.as(ctx, c.parent)
	k.subject = account
	if onboarding.IsSID("PN", number) {
		params := &api.FetchIncomingPhoneNumberParams{}
		_, err := k.core().FetchIncomingPhoneNumber(number, params.SetPathAccountSid(account))
		found, err := k.resource(err)
		if k.status == http.StatusNotFound {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return []resource{found}, nil
	}
	params := &api.ListIncomingPhoneNumberParams{}
	params.SetPathAccountSid(account).SetPhoneNumber(number).SetPageSize(pageSize)
	_, err := k.core().PageIncomingPhoneNumber(params, "", "")
	return k.all(err, func(r *resource) bool { return r.PhoneNumber == number })
}

// scanNumbers reads the account's numbers until it has seen all that are wanted.
func (c *Client) scanNumbers(
	ctx context.Context, account string, wanted []string, index *numberIndex,
) error {
	missing := make(map[string]bool, len(wanted))
	for _, number := range wanted {
		missing[number] = true
	}
	k, err := c.pageNumbersOf(ctx, account)
	return k.eachPage(err, func(page []resource) bool {
		for i := range page {
			if missing[page[i].SID] || missing[page[i].PhoneNumber] {
				delete(missing, page[i].SID)
				delete(missing, page[i].PhoneNumber)
				index.add(page[i : i+1])
			}
		}
		return len(missing) > 0
	})
}

// pageNumbersOf asks, as the parent, for the first page of the account's numbers.
func (c *Client) pageNumbersOf(ctx context.Context, account string) (*call, error) {
	k := c.as(ctx, c.parent, account)
	k.subject = account
	params := &api.ListIncomingPhoneNumberParams{}
	params.SetPathAccountSid(account).SetPageSize(pageSize)
	_, err := k.core().PageIncomingPhoneNumber(params, "", "")
	return k, err
}

// numberIndex finds numbers by SID and by E.164.
type numberIndex struct {
	by map[string]onboarding.PhoneNumber
}

func (x *numberIndex) add(found []resource) {
	if x.by == nil {
		x.by = make(map[string]onboarding.PhoneNumber)
	}
	for _, r := range found {
		n := onboarding.PhoneNumber{SID: r.SID, Number: r.PhoneNumber}
		x.by[r.SID], x.by[r.PhoneNumber] = n, n
	}
}

func (x *numberIndex) pick(wanted []string) []onboarding.PhoneNumber {
	picked := make([]onboarding.PhoneNumber, 0, len(wanted))
	seen := make(map[string]bool, len(wanted))
	for _, w := range wanted {
		if n, ok := x.by[w]; ok && n.SID != "" && !seen[n.SID] {
			seen[n.SID] = true
			picked = append(picked, n)
		}
	}
	return picked
}

func unique(all []string) []string {
	seen := make(map[string]bool, len(all))
	var once []string
	for _, s := range all {
		if !seen[s] {
			seen[s] = true
			once = append(once, s)
		}
	}
	return once
}

// ListPhoneNumbers returns all numbers of the account that can make calls (Twilio's capability
// "voice"), sorted by number. As in [Client.FindPhoneNumbers], the parent signs.
//
// A number that is bought meanwhile can move another to a second page; that one comes once. A
// number without its capabilities makes the list unreadable: a number that is not on the list
// counts as released.
func (c *Client) ListPhoneNumbers(
	ctx context.Context, account string,
) ([]onboarding.PhoneNumber, error) {
	k, err := c.pageNumbersOf(ctx, account)
	found, err := k.all(err, func(*resource) bool { return true })
	if err != nil {
		return nil, err
	}
	numbers := make([]onboarding.PhoneNumber, 0, len(found))
	for i := range found {
		voice, said := found[i].voice()
		if !said || found[i].PhoneNumber == "" {
			return nil, k.unreadable()
		}
		if voice {
			numbers = append(numbers, onboarding.PhoneNumber{SID: found[i].SID, Number: found[i].PhoneNumber})
		}
	}
	slices.SortFunc(numbers, func(a, b onboarding.PhoneNumber) int {
		return strings.Compare(a.Number, b.Number)
	})
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
