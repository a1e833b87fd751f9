package main

import (
	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/plan"
)

// longestChain is the length of the longest chain of calls that need each other, until both bundles
// of a request are submitted. A step counts as one call: the preflight makes its reads at once.
func longestChain(r onboarding.Request) int {
	o := &onboarding.Onboarding{Request: r}
	for _, number := range r.PhoneNumbers {
		o.Numbers = append(o.Numbers, onboarding.PhoneNumber{SID: number, Number: number})
	}
	needs := make(map[onboarding.Key][]onboarding.Key)
	for _, node := range plan.TrustHub(plan.Config{Gate: plan.GateSubmitted}).Nodes(o) {
		needs[node.Key] = node.Needs
	}
	var depth func(onboarding.Key) int
	depth = func(key onboarding.Key) int {
		deepest := 0
		for _, need := range needs[key] {
			deepest = max(deepest, depth(need))
		}
		return deepest + 1
	}
	return max(depth(onboarding.CustomerProfileKey.Submission()), depth(onboarding.ShakenStirKey.Submission()))
}
