package onboarding

import (
	"slices"
	"strings"
)

// parts are what differs from one version of a request to the next in the shape of its plan.
type parts struct {
	numbers         []PhoneNumber
	representatives int
	products        map[Product]bool
}

// wantedParts are those that the request asks for.
func wantedParts(o *Onboarding) parts {
	return parts{numbers: o.Numbers, representatives: len(o.Request.AuthorizedRepresentatives), products: wantedProducts(o.Request)}
}

// heldParts are those that the steps were made for, and that are not gone yet.
func heldParts(o *Onboarding) parts {
	held := parts{products: map[Product]bool{}}
	for i := range o.Steps {
		step := &o.Steps[i]
		if step.State == StepCanceled {
			continue
		}
		if _, sid, ok := strings.Cut(string(step.Key), ".number."); ok {
			held.numbers = append(held.numbers, PhoneNumber{SID: sid})
		}
		bundle, part := step.Key.cut()
		for n, representative := range representativeKeys {
			if step.Key == representative || bundle == profileKey && part == string(representative) {
				held.representatives = max(held.representatives, n+1)
			}
		}
		for _, p := range knownProducts {
			if step.Key == p.key || step.Key.under(p.key) {
				held.products[p.name] = true
			}
		}
	}
	return held
}

// include tells whether p has all that q has.
func (p parts) include(q parts) bool {
	numbers := make(map[string]bool, len(p.numbers))
	for _, n := range p.numbers {
		numbers[n.SID] = true
	}
	for _, n := range q.numbers {
		if !numbers[n.SID] {
			return false
		}
	}
	for name := range q.products {
		if !p.products[name] {
			return false
		}
	}
	return p.representatives >= q.representatives
}

// with returns what either has.
func (p parts) with(q parts) parts {
	both := parts{numbers: slices.Clone(p.numbers), representatives: max(p.representatives, q.representatives), products: map[Product]bool{}}
	have := make(map[string]bool, len(p.numbers))
	for _, n := range p.numbers {
		have[n.SID] = true
	}
	for _, n := range q.numbers {
		if !have[n.SID] {
			have[n.SID] = true
			both.numbers = append(both.numbers, n)
		}
	}
	for _, products := range []map[Product]bool{p.products, q.products} {
		for name := range products {
			both.products[name] = true
		}
	}
	return both
}

// withLeaving adds to the nodes that are wanted those of the whole that are not, to be taken back. A bundle is not evaluated before what is
// to leave it has left; numbers have no part in that, and one can wait for the review of a product that waits for the profile's approval.
func withLeaving(o *Onboarding, wanted, whole []Node) []Node {
	stays := make(map[Key]bool, len(wanted))
	for _, n := range wanted {
		stays[n.Key] = true
	}
	there := make(map[Key]bool, len(o.Steps))
	for i := range o.Steps {
		there[o.Steps[i].Key] = o.Steps[i].State != StepCanceled
	}
	leaving := takenBack(whole, func(k Key) bool { return there[k] && !stays[k] })
	nodes := slices.Clone(wanted)
	for i, n := range nodes {
		bundle, ok := strings.CutSuffix(string(n.Key), ".evaluation")
		if ok {
			nodes[i].Needs = append(slices.Clone(n.Needs), slices.DeleteFunc(keysUnder(leaving, Key(bundle)), Key.isNumber)...)
		}
	}
	return append(nodes, leaving...)
}

// takenBack returns those of the nodes that leave, each to be gone after all that were made on top of it are. What was put on a bundle goes
// after that bundle: where Twilio lets go of no assignment any more, it still may of the whole.
func takenBack(nodes []Node, leaves func(Key) bool) []Node {
	onTop := make(map[Key][]Key, len(nodes))
	for _, n := range nodes {
		if !leaves(n.Key) {
			continue
		}
		for _, need := range n.Needs {
			onTop[need] = append(onTop[need], n.Key)
		}
		if bundle, _ := n.Key.cut(); n.Key.isNumber() {
			onTop[bundle] = append(onTop[bundle], n.Key) // Also where what is between them is gone already.
		}
		if object, ok := n.assigns(); ok && leaves(n.Needs[0]) {
			onTop[object] = append(onTop[object], n.Needs[0])
		}
	}
	var back []Node
	for _, n := range slices.Backward(nodes) {
		if leaves(n.Key) {
			back = append(back, Node{Key: n.Key, Aim: AimGone, Needs: onTop[n.Key], Effect: n.Effect})
		}
	}
	return back
}

// assigns returns the step whose object the node puts on a bundle, if that is what it does.
func (n Node) assigns() (object Key, ok bool) {
	if len(n.Needs) == 2 && n.Key == n.Needs[0].Sub(string(n.Needs[1])) {
		return n.Needs[1], true
	}
	return "", false
}

// madeByUs tells of a step whether what it made is ours to take back. What hangs on a bundle that was taken over is left as it is.
func madeByUs(o *Onboarding) func(Key) bool {
	profile, product := o.given(profileKey, o.Request.CustomerProfileSID), o.given(shakenStirKey, o.Request.TrustProductSID)
	return func(k Key) bool {
		return !(profile != "" && (k.under(profileKey) || k.under(addressKey)) || product != "" && k.under(shakenStirKey))
	}
}

// settled returns those of the nodes that do not leave; none of them is to do anything more.
func settled(nodes []Node, leaves func(Key) bool) []Node {
	var still []Node
	for _, n := range nodes {
		if !leaves(n.Key) {
			still = append(still, Node{Key: n.Key, Aim: AimSettled, Effect: n.Effect})
		}
	}
	return still
}
