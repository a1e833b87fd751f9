package simulation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/desk"
)

// act is something that a person does with an onboarding, in attestd or in Twilio's Console.
type act struct {
	name string
	do   func(*world, onboarding.ID)
}

// acts are those that a seed chooses from. A cancellation is chosen apart: it ends everything.
var acts = []act{
	{"correct the business", correctBusiness},
	{"correct a representative", correctRepresentative},
	{"second representative", secondRepresentative},
	{"correct the address", correctAddress},
	{"give an address", giveAddress},
	{"add a number", addNumber},
	{"add a number", addNumber},
	{"remove a number", removeNumber},
	{"remove a number", removeNumber},
	{"buy or release a number", buyOrRelease},
	{"all numbers, or these", allOrThese},
	{"add a product", addProduct},
	{"correct a product", correctProduct},
	{"try again", tryAgain},
	{"delete in the Console", deleteInConsole},
	{"decide anew", decideAnew},
	{"submit in the Console", submitInConsole},
	{"an empty list", emptyList},
}

// planActs lays the acts over the time that is played.
func (w *world) planActs() {
	p := w.scenario.people
	for range p.acts {
		w.after(w.upTo(p.until), func() { w.itching++ })
	}
}

// itch does what people are about to do: in any turn, so that it falls between any two things that
// a run does, or at once if nothing moves. It tells whether something was done.
func (w *world) itch(quiet bool) bool {
	p := w.scenario.people
	if w.itching == 0 || !quiet && p.acting > 0 && w.rng.Float64() >= p.acting {
		return false
	}
	w.itching--
	a := pick(w.rng, p.does...)
	a.do(w, pick(w.rng, w.ids...))
	return true
}

// acting tells whether people have something left to do.
func (w *world) acting() bool { return w.itching > 0 || time.Since(w.begun) <= w.scenario.people.until }

// amend corrects the request, now and then on the ground of an old version. It tells whether that
// was let through.
func (w *world) amend(id onboarding.ID, what string, change func(*onboarding.Request)) bool {
	o := w.get(id)
	if w.decidedElsewhere(o) {
		return false // Who has just been to the Console looks at what attestd says first.
	}
	after := copyOf(o.Request)
	change(&after)
	version := o.Version
	if w.rng.IntN(20) == 0 {
		version--
	}
	_, err := w.service.Amend(w.ctx, "key:simulated", id, version, after)
	w.tracef("amend %s, %s: %v", id, what, err)
	if version != o.Version && (err == nil || o.CanceledAt.IsZero() && !errors.Is(err, desk.ErrVersion)) {
		w.violated("amended on the ground of an old version: %v", err)
	}
	if !w.accepted(err) {
		return false
	}
	w.again[string(id)+" submitted"]++
	w.amendedAt[id] = time.Now()
	w.mayWrite(o, after)
	if a, b := o.Request.Address, after.Address; a.SID == "" && (b.SID != "" || a.ISOCountry != b.ISOCountry) {
		// One that is not ours, or of another country, takes the place of the one that was made,
		// which stays.
		w.mayComeAgain(map[string]bool{string(id) + "/address": true})
		w.beside[string(id)+"/address"]++
	}
	return true
}

// accepted tells whether a change was made. To refuse one with a reason is no fault.
func (w *world) accepted(err error) bool {
	var refused *desk.RefusedError
	if err != nil && !errors.As(err, &refused) && !errors.Is(err, desk.ErrVersion) && !errors.Is(err, desk.ErrNumberNotFound) {
		w.violated("a person's request failed: %v", err)
	}
	return err == nil
}

// decidedElsewhere tells whether something was decided past attestd about a bundle, of which
// attestd does not know yet.
func (w *world) decidedElsewhere(o *onboarding.Onboarding) bool {
	for _, b := range w.ours(o.ID) {
		if w.consoled[b.SID] && locked(b) && w.known(o, b.SID) != string(b.Status) {
			return true
		}
	}
	return false
}

// known is the status of a bundle by the ledger.
func (w *world) known(o *onboarding.Onboarding, sid string) string {
	for _, s := range o.Steps {
		if s.Kind != onboarding.KindBundle {
			continue
		}
		if b := o.Bundle(s.Key); b.SID == sid {
			return b.Status
		}
	}
	return ""
}

// mayWrite notes which objects a correction may write to: those that hold what was corrected. What
// is only taken over later is not corrected.
func (w *world) mayWrite(o *onboarding.Onboarding, after onboarding.Request) {
	before := o.Request
	may := func(changed bool, keys ...onboarding.Key) {
		for _, key := range keys {
			if changed && (o.SID(key) != "" || before.CustomerProfileSID == "" && before.EndUserSIDs == (onboarding.EndUserSIDs{})) {
				w.writable[string(o.ID)+" "+string(key)] = true
			}
		}
	}
	may(before.Business != after.Business, "business_information")
	may(before.Address != after.Address, "address", "address_document")
	for i := range max(len(before.AuthorizedRepresentatives), len(after.AuthorizedRepresentatives)) {
		person := func(r onboarding.Request) onboarding.Representative {
			if i < len(r.AuthorizedRepresentatives) {
				return r.AuthorizedRepresentatives[i]
			}
			return onboarding.Representative{}
		}
		may(person(before) != person(after), onboarding.Key(fmt.Sprintf("representative_%d", i+1)))
	}
	// What Twilio found fault with is written even where the request says the same as before:
	// somebody may have changed it there.
	for _, r := range o.RequirementsOf("customer_profile") {
		may(strings.HasPrefix(r.Pointer, "/business"), "business_information")
		may(strings.HasPrefix(r.Pointer, "/address"), "address", "address_document")
		may(strings.HasPrefix(r.Pointer, "/authorized_representatives/0"), "representative_1")
		may(strings.HasPrefix(r.Pointer, "/authorized_representatives/1"), "representative_2")
	}
	may(before.VoiceIntegrity != after.VoiceIntegrity, "voice_integrity_user")
	may(before.CNAM != after.CNAM, "cnam_user")
}

func copyOf(r onboarding.Request) onboarding.Request {
	r.AuthorizedRepresentatives = slices.Clone(r.AuthorizedRepresentatives)
	r.PhoneNumbers, r.MovePhoneNumbers = slices.Clone(r.PhoneNumbers), slices.Clone(r.MovePhoneNumbers)
	r.Products = slices.Clone(r.Products)
	return r
}

func correctBusiness(w *world, id onboarding.ID) {
	w.amend(id, "business", func(r *onboarding.Request) {
		r.Business.Name = pick(w.rng, customerName, "Example Pipes LLC", unverified+" LLC")
		r.Business.Industry = pick(w.rng, "CONSTRUCTION", "RETAIL")
	})
}

func correctRepresentative(w *world, id onboarding.ID) {
	w.amend(id, "representative", func(r *onboarding.Request) {
		r.AuthorizedRepresentatives[w.rng.IntN(len(r.AuthorizedRepresentatives))].BusinessTitle = pick(w.rng, "Owner", "Manager", "Partner")
		r.AuthorizedRepresentatives[0].LastName = pick(w.rng, "Representative", "Person", unverified)
	})
}

// secondRepresentative gives one, or takes it away.
func secondRepresentative(w *world, id onboarding.ID) {
	w.amend(id, "second representative", func(r *onboarding.Request) {
		if len(r.AuthorizedRepresentatives) > 1 {
			r.AuthorizedRepresentatives = r.AuthorizedRepresentatives[:1]
		} else {
			r.AuthorizedRepresentatives = append(r.AuthorizedRepresentatives, secondPerson())
		}
	})
}

func correctAddress(w *world, id onboarding.ID) {
	w.amend(id, "address", func(r *onboarding.Request) {
		r.Address = goodAddress()
		r.Address.Street = pick(w.rng, "1 Example Street", "2 Example Street", "3 Example Street")
		if w.rng.IntN(4) == 0 {
			r.Address.City, r.Address.Region, r.Address.PostalCode, r.Address.ISOCountry = "Vancouver", "BC", "V6B 1A1", "CA"
		}
	})
}

// giveAddress names an address that the subaccount has already.
func giveAddress(w *world, id onboarding.ID) {
	account := w.account(id)
	if account == "" || w.get(id).Request.CustomerProfileSID != "" {
		return
	}
	sid := w.addressByHand(account)
	w.amend(id, "address given", func(r *onboarding.Request) { r.Address = onboarding.Address{SID: sid} })
}

// addNumber adds a number that is bought for it, or one that the subaccount has and the request
// does not name; now and then one that nobody has yet.
func addNumber(w *world, id onboarding.ID) {
	account := w.account(id)
	if account == "" {
		return
	}
	number := w.freeNumber(id)
	switch {
	case number != "":
	case w.rng.IntN(6) == 0:
		number = w.nextNumber()
	default:
		sid, e164 := w.buy(account, w.nextNumber())
		number = pick(w.rng, sid, e164)
		w.after(w.scenario.lag+time.Second, func() { w.addNumbers(id, number, false) })
		return
	}
	w.addNumbers(id, number, false)
}

func (w *world) addNumbers(id onboarding.ID, number string, move bool) {
	_, err := w.service.AddNumbers(w.ctx, "key:simulated", id, []string{number}, move)
	w.tracef("add %s to %s: %v", number, id, err)
	w.accepted(err)
}

func removeNumber(w *world, id onboarding.ID) {
	if numbers := w.get(id).Request.PhoneNumbers; len(numbers) > 0 {
		w.removeNumber(id, pick(w.rng, numbers...))
	}
}

func (w *world) removeNumber(id onboarding.ID, number string) bool {
	_, err := w.service.RemoveNumber(w.ctx, "key:simulated", id, number)
	w.tracef("remove %s from %s: %v", number, id, err)
	return w.accepted(err)
}

func allOrThese(w *world, id onboarding.ID) {
	if w.account(id) == "" {
		return
	}
	held := w.voiceNumbers(id)
	w.amend(id, "all numbers, or these", func(r *onboarding.Request) {
		r.AllPhoneNumbers = !r.AllPhoneNumbers || len(held) == 0
		r.PhoneNumbers, r.MovePhoneNumbers = nil, nil
		if !r.AllPhoneNumbers {
			for _, n := range held[:1+w.rng.IntN(len(held))] {
				r.PhoneNumbers = append(r.PhoneNumbers, pick(w.rng, n.SID, n.PhoneNumber))
			}
		}
	})
	for _, n := range held {
		delete(w.amongAll, string(id)+n.SID) // Which of them are on the list, if it is not empty, the preflight finds anew.
	}
	w.unseen()
}

// emptyList has Twilio answer the next lists of all numbers with none.
func emptyList(w *world, _ onboarding.ID) {
	w.emptyLists = 1 + w.rng.IntN(2)
	w.tracef("Twilio lists no numbers, %d times", w.emptyLists)
	w.unseen()
}

func addProduct(w *world, id onboarding.ID) {
	product := pick(w.rng, onboarding.ProductVoiceIntegrity, onboarding.ProductCNAM)
	w.amend(id, "product "+string(product), func(r *onboarding.Request) {
		if len(r.Products) == 0 {
			r.Products = []onboarding.Product{onboarding.ProductShakenStir}
		}
		if !slices.Contains(r.Products, product) {
			r.Products = append(r.Products, product)
		}
	})
}

func correctProduct(w *world, id onboarding.ID) {
	w.amend(id, "what describes a product", func(r *onboarding.Request) {
		r.CNAM.DisplayName = pick(w.rng, "Example", "Example LLC", "Example Calls")
		r.VoiceIntegrity.UseCase = pick(w.rng, "Customer Support", "Lead Generation")
	})
}

// tryAgain asks for the same once more.
func tryAgain(w *world, id onboarding.ID) {
	switch w.rng.IntN(2) {
	case 0:
		w.amend(id, "nothing", func(*onboarding.Request) {})
	case 1:
		w.resume(id)
	}
}

func cancel(w *world, id onboarding.ID) {
	cleanup := w.rng.IntN(3) > 0
	w.cancel(id, cleanup)
	if !cleanup && w.rng.IntN(2) == 0 {
		w.after(w.upTo(2*time.Hour), func() { w.cancel(id, true) })
	}
}

func (w *world) cancel(id onboarding.ID, cleanup bool) {
	o, err := w.service.Cancel(w.ctx, "key:simulated", id, cleanup)
	w.tracef("cancel %s, cleanup %t: %v", id, cleanup, err)
	if err != nil || o.Status() != onboarding.StatusCanceled || cleanup && !o.Cleanup {
		w.violated("cancel: %v", err)
	}
}
