package trusthubsim

import (
	"slices"
	"sort"
	"time"
)

// identity is what every object has.
type identity struct {
	sid              string
	seq              uint64 // position among all objects: later objects have higher ones
	created, updated time.Time
	deleted          bool
}

func (i *identity) key() *identity { return i }

type keyed interface{ key() *identity }

// collection holds the objects of one kind that one account has, in the order in which they were
// made.
type collection[T keyed] struct {
	bySID map[string]T
	order []T
	gone  []T // the deleted ones, in the order of their deletion
}

func (c *collection[T]) add(object T) {
	if c.bySID == nil {
		c.bySID = map[string]T{}
	}
	c.bySID[object.key().sid] = object
	// An object that is moved in from another account is older than what is here.
	at := c.position(object.key().seq)
	c.order = slices.Insert(c.order, at, object)
}

func (c *collection[T]) get(sid string) (T, bool) {
	object, ok := c.bySID[sid]
	return object, ok
}

// take removes an object without a trace.
func (c *collection[T]) take(object T) {
	delete(c.bySID, object.key().sid)
	at := c.position(object.key().seq)
	c.order = slices.Delete(c.order, at, at+1)
}

// remove takes an object out and keeps it among the deleted ones.
func (c *collection[T]) remove(object T) {
	c.take(object)
	object.key().deleted = true
	c.gone = append(c.gone, object)
}

// position is the index of the first object whose sequence number is not below seq.
func (c *collection[T]) position(seq uint64) int {
	return sort.Search(len(c.order), func(i int) bool { return c.order[i].key().seq >= seq })
}

// newIdentity numbers a new object and draws its SID.
func (s *Simulator) newIdentity(account, prefix string, now time.Time) identity {
	s.seq++
	return identity{sid: prefix + s.draw(account, prefix), seq: s.seq, created: now, updated: now}
}
