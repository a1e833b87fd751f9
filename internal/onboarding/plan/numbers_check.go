package plan

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// numbersCheck looks now and then whether the numbers are what the request says, and still on the
// bundles: numbers are bought and released, and somebody may take one off in the Console. It does
// not wait for the approvals: a product does not take a number that is lost from the profile, and
// so may never come to one.
func (c Config) numbersCheck(bundles []onboarding.Key) onboarding.Node {
	return onboarding.Node{
		Key: onboarding.NumbersCheckKey, Role: onboarding.Role{Kind: onboarding.KindCheck, Pointer: "/phone_numbers"},
		Needs: []onboarding.Key{onboarding.PreflightKey}, Resolves: true,
		Effect: func(o *onboarding.Onboarding) onboarding.Effect {
			check := numbersCheck{account: o.SubaccountSID, all: o.Request.AllPhoneNumbers, leave: c.LeaveLostNumbers, before: slices.Clone(o.Numbers)}
			for _, key := range bundles {
				if s := o.Step(key); s != nil && s.SID != "" && s.State == onboarding.StepSucceeded {
					check.bundles = append(check.bundles, recordedNumbers(o, key, s.SID, c.ListsLag))
				}
			}
			return onboarding.Effect{Look: check.run}
		},
	}
}

// numbersCheck is one such look.
type numbersCheck struct {
	account string
	all     bool
	// leave leaves what is lost to a person.
	leave   bool
	before  []onboarding.PhoneNumber
	bundles []numbersOn
}

// numbersOn are the numbers that the ledger says are on a bundle.
type numbersOn struct {
	kind    onboarding.BundleKind
	sid     string
	numbers []numberOn
}

// numberOn is one assignment: its SID, its step, and where the request names the number.
type numberOn struct {
	sid     string
	key     onboarding.Key
	pointer string
}

// recordedNumbers returns the numbers that were put on the bundle long enough ago for Twilio's list
// of them to have them.
func recordedNumbers(o *onboarding.Onboarding, bundle onboarding.Key, sid string, lag time.Duration) numbersOn {
	recorded := numbersOn{kind: onboarding.TrustProduct, sid: sid}
	if bundle == onboarding.CustomerProfileKey {
		recorded.kind = onboarding.CustomerProfile
	}
	steps := make(map[onboarding.Key]*onboarding.Step, len(o.Steps))
	for i := range o.Steps {
		steps[o.Steps[i].Key] = &o.Steps[i]
	}
	for _, n := range pointedAt(o.Request, o.Numbers) {
		s := steps[bundle.Number(n.SID)]
		if s != nil && s.State == onboarding.StepSucceeded && o.ReadAt.Sub(s.FinishedAt) > lag {
			recorded.numbers = append(recorded.numbers, numberOn{sid: s.SID, key: s.Key, pointer: n.pointer})
		}
	}
	return recorded
}

func (c numbersCheck) run(ctx context.Context, hub onboarding.TrustHub) (onboarding.Outcome, error) {
	var found onboarding.Done
	if c.all {
		now, err := hub.ListPhoneNumbers(ctx, c.account)
		if err != nil {
			return nil, err
		}
		// An empty list is more likely a fault than the truth, and would take everything away.
		if len(now) > 0 {
			found.Numbers = inOrderOf(c.before, now)
		}
	}
	for _, b := range c.bundles {
		lost, err := c.lostFrom(ctx, hub, b)
		if err != nil {
			return nil, err
		}
		found.Lost = append(found.Lost, lost...)
	}
	return found, nil
}

// lostFrom returns the numbers that are not on the bundle any more.
func (c numbersCheck) lostFrom(ctx context.Context, hub onboarding.TrustHub, b numbersOn) ([]onboarding.Lost, error) {
	if len(b.numbers) == 0 {
		return nil, nil
	}
	assigned, err := hub.ListNumberAssignments(ctx, c.account, b.kind, b.sid)
	if onboarding.IsNotFound(err) {
		return nil, nil // The bundle itself is gone, which the read of its review tells.
	}
	if err != nil {
		return nil, err
	}
	there := make(map[string]bool, len(assigned))
	for _, a := range assigned {
		there[a.SID] = true
	}
	var lost []onboarding.Lost
	for _, n := range b.numbers {
		if !there[n.sid] {
			lost = append(lost, c.lost(n, b.sid))
		}
	}
	return lost, nil
}

func (c numbersCheck) lost(n numberOn, bundleSID string) onboarding.Lost {
	if !c.leave {
		return onboarding.Lost{Key: n.key}
	}
	return onboarding.Lost{Key: n.key, Requirement: &onboarding.Requirement{
		Pointer: n.pointer, Code: "number_lost", Source: onboarding.SourceComparison,
		Responsible: onboarding.ResponsibleOperator, Action: onboarding.ActionResume,
		Message: fmt.Sprintf("The number is not on %s any more. Resume to put it there again, or remove the number.", bundleSID),
	}}
}

// inOrderOf returns the numbers of now, those that were there before first and in their old order,
// so that nothing seems to have changed that has not.
func inOrderOf(before, now []onboarding.PhoneNumber) []onboarding.PhoneNumber {
	ordered := make([]onboarding.PhoneNumber, 0, len(now))
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
