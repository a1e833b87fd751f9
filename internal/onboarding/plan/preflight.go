package plan

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/attestd/attestd/internal/onboarding"
)

// preflight checks everything that can be known before anything is made: the subaccount is active
// and the parent's, the primary profile is approved, and every number belongs to the subaccount.
// All faults are reported at once.
func preflight(before []onboarding.Key) onboarding.Node {
	return onboarding.Node{
		Key: onboarding.PreflightKey, Role: onboarding.Role{Kind: onboarding.KindRead, Source: onboarding.SourcePreflight},
		Needs: before, Resolves: true,
		Effect: func(o *onboarding.Onboarding) onboarding.Effect {
			p := preflightRead{request: o.Request, subaccount: o.SubaccountSID, before: slices.Clone(o.Numbers)}
			return onboarding.Effect{Look: p.run}
		},
	}
}

type preflightRead struct {
	request    onboarding.Request
	subaccount string
	// before are the numbers that were resolved before.
	before []onboarding.PhoneNumber
}

func (p preflightRead) run(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
	var (
		account                            onboarding.Account
		primary                            onboarding.Bundle
		numbers                            []onboarding.PhoneNumber
		accountErr, primaryErr, numbersErr error
		wg                                 sync.WaitGroup
	)
	wg.Go(func() { account, accountErr = hub.FetchAccount(ctx, p.subaccount) })
	wg.Go(func() {
		primary, primaryErr = hub.FetchBundle(ctx, hub.ParentAccount(), onboarding.CustomerProfile, p.request.PrimaryProfileSID)
	})
	wg.Go(func() {
		if p.request.AllPhoneNumbers {
			numbers, numbersErr = hub.ListPhoneNumbers(ctx, p.subaccount)
		} else {
			numbers, numbersErr = hub.FindPhoneNumbers(ctx, p.subaccount, p.request.PhoneNumbers)
		}
	})
	wg.Wait()

	accountFaults, err := checkAccount(account, accountErr, hub.ParentAccount())
	if err != nil {
		return nil, err
	}
	primaryFaults, err := checkPrimary(primary, primaryErr)
	if err != nil {
		return nil, err
	}
	faults := append(accountFaults, primaryFaults...)
	if len(accountFaults) > 0 {
		return onboarding.Wanting{Requirements: faults}, nil // What the numbers of such an account answer says nothing more.
	}
	if numbersErr != nil {
		return nil, numbersErr
	}
	resolved, numberFaults := resolve(p.request, p.before, numbers)
	learned := onboarding.Learned{Numbers: resolved}
	if faults = append(faults, numberFaults...); len(faults) > 0 {
		// One number's fault is not another's: those that are there go on, if what they go onto is
		// there already.
		return onboarding.Wanting{Requirements: faults, Learned: learned}, nil
	}
	return onboarding.Done{Seen: onboarding.Seen{SID: account.SID, Status: account.Status}, Learned: learned}, nil
}

func checkAccount(account onboarding.Account, err error, parent string) ([]onboarding.Requirement, error) {
	const pointer = "/subaccount_sid"
	switch {
	case onboarding.IsNotFound(err):
		return preflightFault(pointer, "20404", "Twilio knows no such subaccount under the parent account. Check that attestd has the credentials of this customer's parent account, then resume; or cancel, and make an onboarding for the right subaccount."), nil
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

func checkPrimary(primary onboarding.Bundle, err error) ([]onboarding.Requirement, error) {
	const pointer = "/primary_profile_sid"
	switch {
	case onboarding.IsNotFound(err):
		return preflightFault(pointer, "20404", "The parent account has no such customer profile. Cancel, and make an onboarding with the SID of its primary business profile (BU…), as Twilio's Console shows it."), nil
	case err != nil:
		return nil, err
	case primary.Status != onboarding.BundleApproved:
		return preflightFault(pointer, "primary_profile_not_approved", fmt.Sprintf("The primary business profile is %s; Twilio lets a secondary profile be connected only to an approved one. Complete it in Twilio's Console, then resume.", primary.Status)), nil
	}
	return nil, nil
}

// resolve returns the onboarding's numbers, never nil, with a fault for each that the request names
// and the subaccount does not have. before are those that were resolved earlier: none of them
// leaves because Twilio does not list it now, only because the request does not name it.
func resolve(r onboarding.Request, before, listed []onboarding.PhoneNumber) ([]onboarding.PhoneNumber, []onboarding.Requirement) {
	if r.AllPhoneNumbers {
		if len(listed) == 0 {
			listed = before
		}
		return inOrderOf(before, listed), nil
	}
	_, faults := matchNumbers(r.PhoneNumbers, listed)
	resolved, _ := matchNumbers(r.PhoneNumbers, slices.Concat(listed, before))
	return resolved, faults
}

// matchNumbers returns the numbers in the order they were asked for, each once and never nil, and a
// fault for each that is not listed.
func matchNumbers(wanted []string, listed []onboarding.PhoneNumber) (resolved []onboarding.PhoneNumber, faults []onboarding.Requirement) {
	resolved = make([]onboarding.PhoneNumber, 0, len(wanted))
	index := make(map[string]onboarding.PhoneNumber, 2*len(listed))
	for _, n := range slices.Backward(listed) { // The first counts: one that was released and bought again has another SID.
		index[n.SID], index[n.Number] = n, n
	}
	taken := make(map[string]bool, len(wanted))
	for i, w := range wanted {
		n, ok := index[w]
		switch {
		case !ok:
			faults = append(faults, inRequest(preflightFault(onboarding.PhoneNumberPointer(i), "number_not_in_subaccount",
				"The subaccount does not hold this number. Correct it, or move the number to the subaccount, then resume."))...)
		case !taken[n.SID]:
			taken[n.SID] = true
			resolved = append(resolved, n)
		}
	}
	return resolved, faults
}

// notFound is the outcome of a look for something that the request names and Twilio does not have.
func notFound(pointer, message string) onboarding.Outcome { return unfit(pointer, "20404", message) }

// unfit is the outcome of a look that found something that cannot serve.
func unfit(pointer, code, message string) onboarding.Outcome {
	return onboarding.Wanting{Requirements: inRequest(preflightFault(pointer, code, message))}
}

// inRequest says of faults that the request can be amended.
func inRequest(faults []onboarding.Requirement) []onboarding.Requirement {
	for i := range faults {
		faults[i].Action = onboarding.ActionCorrect
	}
	return faults
}

// preflightFault is something outside of the request that its operator can mend.
func preflightFault(pointer, code, message string) []onboarding.Requirement {
	return []onboarding.Requirement{{
		Pointer: pointer, Code: code, Message: message, Source: onboarding.SourcePreflight,
		Responsible: onboarding.ResponsibleOperator, Action: onboarding.ActionResume,
	}}
}
