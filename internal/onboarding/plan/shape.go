package plan

import (
	"maps"
	"slices"

	"github.com/attestd/attestd/internal/onboarding"
)

// shape is what differs from one version of a request to the next in the steps of its plan.
type shape struct {
	numbers         []onboarding.PhoneNumber
	representatives int
	products        map[onboarding.Product]bool
}

// wantedShape is that of the request.
func wantedShape(o *onboarding.Onboarding) shape {
	s := shape{
		numbers: o.Numbers, representatives: len(o.Request.AuthorizedRepresentatives),
		products: make(map[onboarding.Product]bool, len(products)),
	}
	for _, p := range o.Request.WantedProducts() {
		s.products[p] = true
	}
	return s
}

// madeShape is that of the steps which were made and are not gone yet.
func madeShape(o *onboarding.Onboarding) shape {
	made := shape{products: map[onboarding.Product]bool{}}
	for i := range o.Steps {
		step := &o.Steps[i]
		if step.State == onboarding.StepCanceled {
			continue
		}
		if _, sid, ok := step.Key.SplitNumber(); ok {
			made.numbers = append(made.numbers, onboarding.PhoneNumber{SID: sid})
		}
		for n, representative := range onboarding.RepresentativeKeys {
			if step.Key == representative || step.Key == onboarding.CustomerProfileKey.Assignment(representative) {
				made.representatives = max(made.representatives, n+1)
			}
		}
		for _, p := range products {
			if key := p.name.Bundle(); step.Key == key || step.Key.IsPartOf(key) {
				made.products[p.name] = true
			}
		}
	}
	return made
}

// includes tells whether s has all that t has.
func (s shape) includes(t shape) bool {
	for name := range t.products {
		if !s.products[name] {
			return false
		}
	}
	return s.representatives >= t.representatives && len(s.with(t).numbers) == len(s.with(shape{}).numbers)
}

// with returns what either has.
func (s shape) with(t shape) shape {
	both := shape{representatives: max(s.representatives, t.representatives), products: maps.Clone(s.products)}
	maps.Copy(both.products, t.products)
	known := make(map[string]bool, len(s.numbers))
	for _, n := range slices.Concat(s.numbers, t.numbers) {
		if !known[n.SID] {
			known[n.SID] = true
			both.numbers = append(both.numbers, n)
		}
	}
	return both
}
