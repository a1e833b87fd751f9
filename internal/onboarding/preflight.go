package onboarding

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// preflight checks everything that can be known before anything is made: the subaccount is active and the parent's, the primary profile
// is approved, and every number belongs to the subaccount. All faults are reported at once.
func preflight(o *Onboarding) Effect {
	r, subaccount, had := o.Request, o.SubaccountSID, slices.Clone(o.Numbers)
	return Effect{
		Source: SourcePreflight,
		Do: func(ctx context.Context, hub TrustHub) (Result, error) {
			var (
				account                            Account
				primary                            Bundle
				numbers                            []PhoneNumber
				accountErr, primaryErr, numbersErr error
				wg                                 sync.WaitGroup
			)
			wg.Go(func() { account, accountErr = hub.FetchAccount(ctx, subaccount) })
			wg.Go(func() {
				primary, primaryErr = hub.FetchBundle(ctx, hub.ParentAccount(), CustomerProfile, r.PrimaryProfileSID)
			})
			wg.Go(func() {
				if r.AllPhoneNumbers {
					numbers, numbersErr = hub.ListPhoneNumbers(ctx, subaccount)
				} else {
					numbers, numbersErr = hub.FindPhoneNumbers(ctx, subaccount, r.PhoneNumbers)
				}
			})
			wg.Wait()

			accountFaults, err := checkAccount(account, accountErr, hub.ParentAccount())
			if err != nil {
				return Result{}, err
			}
			primaryFaults, err := checkPrimary(primary, primaryErr)
			if err != nil {
				return Result{}, err
			}
			faults := append(accountFaults, primaryFaults...)
			if len(accountFaults) > 0 {
				return Result{Requirements: faults}, nil // What the numbers of such an account answer says nothing more.
			}
			if numbersErr != nil {
				return Result{}, numbersErr
			}
			resolved, numberFaults := r.resolve(had, numbers)
			faults = append(faults, numberFaults...)
			if len(faults) > 0 {
				// One number's fault is not another's: those that are there go on, if what they go onto is there already.
				return Result{Requirements: faults, Numbers: resolved}, nil
			}
			return Result{SID: account.SID, RemoteStatus: account.Status, Numbers: resolved}, nil
		},
	}
}

func checkAccount(account Account, err error, parent string) ([]Requirement, error) {
	const pointer = "/subaccount_sid"
	if fault := notFound(err, pointer, "Twilio knows no such subaccount under the parent account. Check that attestd has the credentials of this customer's parent account, then resume; or cancel, and make an onboarding for the right subaccount."); fault != nil {
		return fault, nil
	}
	switch {
	case err != nil:
		return nil, err
	case account.SID == parent:
		return preflightFault(pointer, "subaccount_is_parent", "This is the parent account itself. Cancel, and make an onboarding for the customer's subaccount."), nil
	case account.OwnerSID != parent:
		return preflightFault(pointer, "subaccount_not_owned", "This subaccount belongs to another parent account than the one attestd has the credentials of."), nil
	case account.Status != "active":
		return preflightFault(pointer, "subaccount_not_active", fmt.Sprintf("The subaccount is %s. Make it active at Twilio, then resume.", account.Status)), nil
	}
	return nil, nil
}

func checkPrimary(primary Bundle, err error) ([]Requirement, error) {
	const pointer = "/primary_profile_sid"
	if fault := notFound(err, pointer, "The parent account has no such customer profile. Cancel, and make an onboarding with the SID of its primary business profile (BU…), as Twilio's Console shows it."); fault != nil {
		return fault, nil
	}
	switch {
	case err != nil:
		return nil, err
	case primary.Status != BundleApproved:
		return preflightFault(pointer, "primary_profile_not_approved", fmt.Sprintf("The primary business profile is %s; Twilio lets a secondary profile be connected only to an approved one. Complete it in Twilio's Console, then resume.", primary.Status)), nil
	}
	return nil, nil
}

// resolve returns the onboarding's numbers, never nil, with a fault for each that the request names and the subaccount does not hold. had are
// those that were resolved before: none of them leaves because Twilio does not list it now, only because the request does not name it.
func (r Request) resolve(had, held []PhoneNumber) ([]PhoneNumber, []Requirement) {
	if r.AllPhoneNumbers {
		if len(held) == 0 {
			held = had
		}
		return inOrderOf(had, held), nil
	}
	_, faults := matchNumbers(r.PhoneNumbers, held)
	resolved, _ := matchNumbers(r.PhoneNumbers, slices.Concat(held, had))
	return resolved, faults
}

// matchNumbers returns the numbers in the order they were asked for, each once and never nil, and a fault for each that the subaccount does
// not hold.
func matchNumbers(wanted []string, held []PhoneNumber) (resolved []PhoneNumber, faults []Requirement) {
	resolved = make([]PhoneNumber, 0, len(wanted))
	index := make(map[string]PhoneNumber, 2*len(held))
	for _, n := range slices.Backward(held) { // The first counts: one that was released and bought again has another SID.
		index[n.SID], index[n.Number] = n, n
	}
	taken := make(map[string]bool, len(wanted))
	for i, w := range wanted {
		n, ok := index[w]
		switch {
		case !ok:
			faults = append(faults, preflightFault(PhoneNumberPointer(i), "number_not_in_subaccount",
				"The subaccount does not hold this number. Correct it, or move the number to the subaccount, then resume.")...)
		case !taken[n.SID]:
			taken[n.SID] = true
			resolved = append(resolved, n)
		}
	}
	return resolved, faults
}

// notFound returns a fault if err says that Twilio knows no such thing.
func notFound(err error, pointer, message string) []Requirement {
	if isNotFound(err) {
		return preflightFault(pointer, "20404", message)
	}
	return nil
}

func isNotFound(err error) bool {
	var remote *RemoteError
	return errors.As(err, &remote) && remote.Class == ClassPermanent && remote.HTTPStatus == 404
}

func preflightFault(pointer, code, message string) []Requirement {
	return []Requirement{{Pointer: pointer, Code: code, Message: message, Source: SourcePreflight}}
}
