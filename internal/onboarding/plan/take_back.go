package plan

import (
	"slices"

	"github.com/attestd/attestd/internal/onboarding"
)

// withTakenBack adds to the nodes that are wanted those of all that are not, to be taken back. A
// bundle is evaluated only after everything to be removed from it is gone. Numbers have no part in
// that: one can wait for the review of a product that waits for the profile's approval.
func withTakenBack(o *onboarding.Onboarding, wanted, all []onboarding.Node) []onboarding.Node {
	stays := make(map[onboarding.Key]bool, len(wanted))
	for i := range wanted {
		stays[wanted[i].Key] = true
	}
	begun := make(map[onboarding.Key]bool, len(o.Steps))
	for i := range o.Steps {
		begun[o.Steps[i].Key] = o.Steps[i].State != onboarding.StepCanceled
	}
	back := takenBack(all, func(n *onboarding.Node) bool { return begun[n.Key] && !stays[n.Key] })
	comingOff := make(map[onboarding.Key][]onboarding.Key)
	for i := range back {
		n := &back[i]
		if n.Number != "" {
			n.AfterAnswerOf = onboarding.PreflightKey // It may be the one that the request names anew.
		} else if n.Kind == onboarding.KindAssignment {
			comingOff[n.Bundle] = append(comingOff[n.Bundle], n.Key)
		}
	}
	nodes := slices.Clone(wanted)
	for i := range nodes {
		if n := &nodes[i]; n.Kind == onboarding.KindEvaluation {
			n.Needs = slices.Concat(n.Needs, comingOff[n.Bundle])
		}
	}
	return append(nodes, back...)
}

// cleanedUp takes back everything that is ours, and settles the rest.
func cleanedUp(o *onboarding.Onboarding, nodes []onboarding.Node) []onboarding.Node {
	ours := madeByUs(o)
	return append(takenBack(withReplaced(o, nodes), ours), settled(nodes, func(n *onboarding.Node) bool { return !ours(n) })...)
}

// takenBack returns those of the nodes that leave, each to be gone after all that was made on top
// of it. What was put on a bundle goes after that bundle: where Twilio lets go of no assignment any
// more, it still may of the whole. A number stays on the profile as long as it is on a product.
func takenBack(nodes []onboarding.Node, leaves func(*onboarding.Node) bool) []onboarding.Node {
	onTop := make(map[onboarding.Key][]onboarding.Key, len(nodes))
	numbersOnTop := make(map[onboarding.Key][]onboarding.Key)
	leaving := make(map[onboarding.Key]bool, len(nodes))
	for i := range nodes {
		leaving[nodes[i].Key] = leaves(&nodes[i])
	}
	for i := range nodes {
		n := &nodes[i]
		if !leaving[n.Key] {
			continue
		}
		for _, need := range n.Needs {
			onTop[need] = append(onTop[need], n.Key)
			if n.Number != "" {
				numbersOnTop[need] = append(numbersOnTop[need], n.Key)
			}
		}
		if n.Number != "" {
			onTop[n.Bundle] = append(onTop[n.Bundle], n.Key) // Also where what is between them is gone already.
		}
		if n.Object != "" && leaving[n.Bundle] {
			onTop[n.Object] = append(onTop[n.Object], n.Bundle)
		}
	}
	var back []onboarding.Node
	for _, n := range slices.Backward(nodes) {
		if !leaving[n.Key] {
			continue
		}
		gone := onboarding.Node{Key: n.Key, Role: n.Role, Aim: onboarding.AimGone, Needs: onTop[n.Key], Parts: n.Parts, Given: n.Given, Effect: n.Effect}
		if n.Number != "" {
			gone.StaysWith = numbersOnTop[n.Key]
		}
		back = append(back, gone)
	}
	return back
}

// madeByUs tells of a node whether what its step made is ours to take back. What is on a bundle
// that was taken over is left as it is.
func madeByUs(o *onboarding.Onboarding) func(*onboarding.Node) bool {
	profile := given(o, onboarding.CustomerProfileKey, o.Request.CustomerProfileSID) != ""
	product := given(o, onboarding.ShakenStirKey, o.Request.TrustProductSID) != ""
	return func(n *onboarding.Node) bool {
		of, _, isReplaced := n.Key.SplitReplaced()
		return !(profile && (n.Key.IsPartOf(onboarding.CustomerProfileKey) || isReplaced && of == onboarding.AddressKey) ||
			product && n.Key.IsPartOf(onboarding.ShakenStirKey))
	}
}

// settled returns the nodes of those, which are to do nothing more.
func settled(nodes []onboarding.Node, those func(*onboarding.Node) bool) []onboarding.Node {
	var still []onboarding.Node
	for i := range nodes {
		if n := &nodes[i]; those(n) {
			still = append(still, onboarding.Node{Key: n.Key, Role: n.Role, Aim: onboarding.AimSettled, Given: n.Given, Effect: n.Effect})
		}
	}
	return still
}
