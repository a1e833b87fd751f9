package trusthubsim

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrNoSuchObject is what Simulator.DeleteInConsole returns, wrapped, for a SID that nothing has.
var ErrNoSuchObject = errors.New("no such object")

// DeleteInConsole deletes an object of any account whatever the rules of the API and the status of
// what it belongs to, as somebody in Twilio's Console, or at Twilio, can: a bundle, an assignment,
// an end user, a supporting document, an address, a phone number. Nobody is called back.
//
// What hangs on the object goes with it: the assignments of a bundle, and those of the object on
// bundles. A product keeps its numbers when it loses its profile, and a document its attributes
// when the address that they name is gone.
func (s *Simulator) DeleteInConsole(sid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().UTC()
	for _, a := range s.accounts.order {
		if a.deleteObject(sid, now) || a.deleteBundle(sid, now) || a.deleteAssignment(sid, now) {
			return nil
		}
	}
	return fmt.Errorf("deleting %s: %w", sid, ErrNoSuchObject)
}

// deleteObject deletes what may be on bundles.
func (a *account) deleteObject(sid string, now time.Time) bool {
	if u, ok := a.endUsers.get(sid); ok {
		a.sim.detachEverywhere(sid, now)
		a.endUsers.remove(u)
		return true
	}
	if d, ok := a.documents.get(sid); ok {
		a.sim.detachEverywhere(sid, now)
		a.documents.remove(d)
		d.setAttributes(map[string]any{})
		return true
	}
	if address, ok := a.addresses.get(sid); ok {
		a.addresses.remove(address)
		return true
	}
	if n, ok := a.numbers.get(sid); ok {
		a.release(n, now)
		return true
	}
	return false
}

func (a *account) deleteBundle(sid string, now time.Time) bool {
	for _, b := range a.bundles() {
		if b.sid != sid {
			continue
		}
		for _, pending := range b.review {
			a.sim.cancel(pending)
		}
		b.review, b.reviewOver = nil, false
		for _, assigned := range slices.Clone(b.channels.order) {
			assigned.end(now)
		}
		for _, assigned := range slices.Clone(b.entities.order) {
			b.detach(assigned)
		}
		a.sim.detachEverywhere(sid, now)
		b.kind.bundlesOf(a).remove(b)
		return true
	}
	return false
}

func (a *account) deleteAssignment(sid string, now time.Time) bool {
	for _, b := range a.bundles() {
		if assigned, ok := b.entities.get(sid); ok {
			b.detach(assigned)
			b.updated = now
			return true
		}
		if assigned, ok := b.channels.get(sid); ok {
			assigned.end(now)
			return true
		}
	}
	return false
}

// bundles are the account's profiles and products.
func (a *account) bundles() []*bundle { return slices.Concat(a.profiles.order, a.products.order) }

// detachEverywhere takes an object off all bundles: the parent's primary profile is on those of
// other accounts.
func (s *Simulator) detachEverywhere(objectSID string, now time.Time) {
	for _, a := range s.accounts.order {
		for _, b := range a.bundles() {
			for _, assigned := range slices.Clone(b.entities.order) {
				if assigned.objectSID == objectSID {
					b.detach(assigned)
					b.updated = now
				}
			}
		}
	}
}
