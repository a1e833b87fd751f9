package trusthub

import (
	"context"
	"net/http"
	"strings"
	"sync"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/attestd/attestd/internal/onboarding"
)

// maxLookups is up to how many numbers are looked up one by one. For more, pages of a thousand are fewer calls.
const maxLookups = 10

// FindPhoneNumbers resolves numbers that the account holds, in the order of wanted. A number that is wanted twice, by its SID and in
// E.164, comes once.
//
// It is signed with the parent's credentials, which reach a subaccount's numbers, and so needs not wait for the subaccount's token.
func (c *Client) FindPhoneNumbers(ctx context.Context, account string, wanted []string) ([]onboarding.PhoneNumber, error) {
	if !isSID(account) {
		return nil, c.as(ctx, account).refuse()
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
func (c *Client) lookUpNumbers(ctx context.Context, account string, wanted []string, index *numberIndex) error {
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
	k.about = account
	if isNumberSID(number) {
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

// scanNumbers reads the account's numbers until all that are wanted were seen.
func (c *Client) scanNumbers(ctx context.Context, account string, wanted []string, index *numberIndex) error {
	missing := make(map[string]bool, len(wanted))
	for _, number := range wanted {
		missing[number] = true
	}
	k := c.as(ctx, c.parent)
	k.about = account
	params := &api.ListIncomingPhoneNumberParams{}
	params.SetPathAccountSid(account).SetPageSize(pageSize)
	_, err := k.core().PageIncomingPhoneNumber(params, "", "")
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

// numberIndex holds numbers by SID and by E.164.
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
	taken := make(map[string]bool, len(wanted))
	for _, w := range wanted {
		if n, ok := x.by[w]; ok && n.SID != "" && !taken[n.SID] {
			taken[n.SID] = true
			picked = append(picked, n)
		}
	}
	return picked
}

func isNumberSID(s string) bool { return strings.HasPrefix(s, "PN") && isSID(s) }

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
