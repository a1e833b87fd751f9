package onboarding

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// numbersCheck looks now and then whether the numbers are what the request says, and still on the bundles: numbers are bought and released,
// and somebody may take one off in the Console. It does not wait for the approvals: a product does not take a number that is lost from the
// profile, and so may never come to one.
func (c PlanConfig) numbersCheck(products map[Product]bool) Node {
	bundles := []Key{profileKey}
	for _, p := range knownProducts {
		if products[p.name] {
			bundles = append(bundles, p.key)
		}
	}
	return Node{Key: keyNumbersCheck, Needs: []Key{keyPreflight}, Effect: func(o *Onboarding) Effect {
		check := numbersCheck{account: o.SubaccountSID, all: o.Request.AllPhoneNumbers, leave: c.LeaveLostNumbers, had: slices.Clone(o.Numbers)}
		for _, key := range bundles {
			if s := o.Step(key); s != nil && s.SID != "" && s.State == StepSucceeded {
				check.bundles = append(check.bundles, assignedNumbers(o, key, s.SID, c.ListsLag))
			}
		}
		return Effect{Do: check.run, Check: true, Pointer: "/phone_numbers"}
	}}
}

// numbersCheck is one such look.
type numbersCheck struct {
	account string
	all     bool
	// leave leaves what is lost to a person.
	leave   bool
	had     []PhoneNumber
	bundles []heldNumbers
}

// heldNumbers are the numbers that the ledger says are on a bundle.
type heldNumbers struct {
	kind    BundleKind
	sid     string
	numbers []heldNumber
}

// heldNumber is one assignment: its SID, its step, and where the request names the number.
type heldNumber struct {
	sid     string
	key     Key
	pointer string
}

// assignedNumbers returns the numbers that were put on the bundle long enough ago for Twilio's list of them to have them.
func assignedNumbers(o *Onboarding, bundle Key, sid string, lag time.Duration) heldNumbers {
	held := heldNumbers{kind: TrustProduct, sid: sid}
	if bundle == profileKey {
		held.kind = CustomerProfile
	}
	at := make(map[Key]*Step, len(o.Steps))
	for i := range o.Steps {
		at[o.Steps[i].Key] = &o.Steps[i]
	}
	for _, n := range o.Numbers {
		s := at[numberKey(bundle, n)]
		if s != nil && s.State == StepSucceeded && o.ReadAt.Sub(s.FinishedAt) > lag {
			held.numbers = append(held.numbers, heldNumber{sid: s.SID, key: s.Key, pointer: o.Request.numberPointer(n)})
		}
	}
	return held
}

func (c numbersCheck) run(ctx context.Context, hub TrustHub) (Result, error) {
	r := Result{Again: true}
	if c.all {
		held, err := hub.ListPhoneNumbers(ctx, c.account)
		if err != nil {
			return Result{}, err
		}
		// An empty list is more likely a fault than the truth, and would take everything away.
		if len(held) > 0 {
			r.Numbers = inOrderOf(c.had, held)
		}
	}
	for _, b := range c.bundles {
		if len(b.numbers) == 0 {
			continue
		}
		assigned, err := hub.ListNumberAssignments(ctx, c.account, b.kind, b.sid)
		if isNotFound(err) {
			continue // The bundle itself is gone, which the read of its review tells.
		}
		if err != nil {
			return Result{}, err
		}
		there := make(map[string]bool, len(assigned))
		for _, a := range assigned {
			there[a.SID] = true
		}
		for _, n := range b.numbers {
			if !there[n.sid] {
				r.Lost = append(r.Lost, c.lost(n, b.sid))
			}
		}
	}
	return r, nil
}

func (c numbersCheck) lost(number heldNumber, bundleSID string) Lost {
	if !c.leave {
		return Lost{Key: number.key}
	}
	return Lost{Key: number.key, Requirement: &Requirement{Pointer: number.pointer, Code: "number_lost", Source: SourceTwilio,
		Message: fmt.Sprintf("The number is not on %s any more. Resume to put it there again, or remove the number.", bundleSID)}}
}

// inOrderOf returns the numbers with those that were there before first, in their old order, so that nothing seems to have changed that has
// not.
func inOrderOf(before, now []PhoneNumber) []PhoneNumber {
	ordered := make([]PhoneNumber, 0, len(now))
	for _, n := range before {
		if slices.Contains(now, n) {
			ordered = append(ordered, n)
		}
	}
	for _, n := range now {
		if !slices.Contains(before, n) {
			ordered = append(ordered, n)
		}
	}
	return ordered
}
