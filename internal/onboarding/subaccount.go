package onboarding

import "context"

// subaccount makes the subaccount that the request asks for. It is made under the step's tag, by which it is found again, and gets its own
// name afterwards.
func subaccount() Node {
	return Node{Key: keySubaccount, Effect: func(o *Onboarding) Effect {
		name := tag(o.ID, keySubaccount)
		return Effect{
			Do: func(ctx context.Context, hub TrustHub) (Result, error) {
				made, err := hub.CreateSubaccount(ctx, name)
				return Result{SID: made.SID, SubaccountSID: made.SID}, err
			},
			Find: func(ctx context.Context, hub TrustHub) ([]Result, error) {
				found, err := hub.FindSubaccounts(ctx, name)
				var results []Result
				for _, f := range found {
					results = append(results, Result{SID: f.SID, SubaccountSID: f.SID})
				}
				return results, err
			},
			Pointer: "/subaccount",
			Stays:   true, // An account is not ours to close: it may have numbers and calls by now.
		}
	}}
}

// subaccountName gives the subaccount the name that the request has for it. To do so twice is to do so once.
func subaccountName() Node {
	return Node{Key: keySubaccount.Sub("name"), Needs: []Key{keySubaccount}, Effect: func(o *Onboarding) Effect {
		account, name := o.SubaccountSID, o.Request.Subaccount.FriendlyName
		return Effect{
			Do: func(ctx context.Context, hub TrustHub) (Result, error) {
				_, err := hub.RenameSubaccount(ctx, account, name)
				return Result{}, err
			},
			Find:    func(context.Context, TrustHub) ([]Result, error) { return nil, nil },
			Pointer: "/subaccount/friendly_name",
		}
	}}
}
