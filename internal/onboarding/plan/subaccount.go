package plan

import (
	"context"

	"github.com/attestd/attestd/internal/onboarding"
)

// subaccount makes the subaccount that the request asks for. It is made under the step's tag, by
// which it is found again, and gets its own name afterwards.
func subaccount() onboarding.Node {
	made := func(a onboarding.Account) onboarding.Outcome {
		return onboarding.Done{Seen: onboarding.Seen{SID: a.SID}, Learned: onboarding.Learned{SubaccountSID: a.SID}}
	}
	return onboarding.Node{
		Key: onboarding.SubaccountKey, Role: onboarding.Role{Kind: onboarding.KindObject, Pointer: "/subaccount"},
		Effect: func(o *onboarding.Onboarding) onboarding.Effect {
			name := tag(o.ID, onboarding.SubaccountKey)
			return onboarding.Effect{
				Do: func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
					a, err := hub.CreateSubaccount(ctx, name)
					return made(a), err
				},
				Find: func(ctx context.Context, hub onboarding.TrustHub) ([]onboarding.Outcome, error) {
					found, err := hub.FindSubaccounts(ctx, name)
					var outcomes []onboarding.Outcome
					for _, a := range found {
						outcomes = append(outcomes, made(a))
					}
					return outcomes, err
				},
				Stays: true, // An account is not ours to close: it may have numbers and calls by now.
			}
		},
	}
}

// subaccountName gives the subaccount the name that the request has for it. To do so twice is to do
// so once.
func subaccountName() onboarding.Node {
	return onboarding.Node{
		Key: onboarding.SubaccountNameKey, Role: onboarding.Role{Kind: onboarding.KindDeed, Pointer: "/subaccount/friendly_name"},
		Needs: []onboarding.Key{onboarding.SubaccountKey},
		Effect: func(o *onboarding.Onboarding) onboarding.Effect {
			account, name := o.SubaccountSID, o.Request.Subaccount.FriendlyName
			return onboarding.Effect{
				Do: func(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
					_, err := hub.RenameSubaccount(ctx, account, name)
					return onboarding.Done{}, err
				},
			}
		},
	}
}
