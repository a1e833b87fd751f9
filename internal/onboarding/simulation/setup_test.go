package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/desk"
	"github.com/attestd/attestd/internal/onboarding/memledger"
	"github.com/attestd/attestd/internal/onboarding/plan"
	"github.com/attestd/attestd/internal/trusthubsim"
)

func newWorld(s scenario, m mutant) *world {
	w := &world{
		scenario: s, mutant: m, rng: rand.New(rand.NewPCG(s.seed, 1)), begun: time.Now(),
		turns: newTurns(), store: memledger.New(), subaccounts: map[onboarding.ID]string{}, taken: map[move]int{},
		handmade: map[string]bool{}, back: map[string]bool{}, again: map[string]int{}, beside: map[string]int{}, amongAll: map[string]bool{}, amendedAt: map[onboarding.ID]time.Time{}, writable: map[string]bool{},
		broken: map[onboarding.ID]bool{}, askedAgain: map[onboarding.ID]bool{}, edited: map[string]int{}, seen: map[string]string{}, gone: map[string]bool{}, lost: map[string]bool{}, consoled: map[string]bool{}, evaluatedAt: map[string]int{}, resumes: map[onboarding.ID]int{},
	}
	w.ctx, w.end = context.WithCancel(context.Background())
	w.sim = trusthubsim.New(trusthubsim.Config{
		Seed: s.seed, ProductGate: s.productGate, ReviewDelay: s.reviewDelay, ListLag: s.lag, Callbacks: s.callbacks,
		CallbackClient: callbacks{w}, ApprovalValidity: s.people.approvalValidity,
		RejectedProductsFinal: s.people.productsFinal, NumbersDuringReview: s.people.numbersDuringReview,
	})
	w.tokens = &tokens{sim: w.sim, real: map[string]string{}, now: map[string]string{}}
	w.plan = plan.TrustHub(plan.Config{
		Gate:             s.gate,
		CallbackURL:      func(token string) string { return "https://attestd.example.com/webhooks/" + token },
		LeaveLostNumbers: s.people.leaveLost,
		ListsLag:         s.timing.Settle,
		EndingNotice:     s.people.endingNotice,
		Now:              time.Now,
	})
	w.service = &desk.Service{
		Repository: m.repository(w.store), Plan: w.plan, Now: time.Now,
		NewID:    func() onboarding.ID { return onboarding.ID(fmt.Sprintf("onb_%d", len(w.ids)+1)) },
		NewToken: func() string { return fmt.Sprintf("token-%d", len(w.ids)+1) },
	}
	return w
}

// setUp makes the subaccounts with their numbers and what was made by hand, the replicas and the
// onboardings.
func (w *world) setUp() error {
	for n := range w.scenario.onboardings {
		var account made
		var numbers []string
		if !w.scenario.people.subaccount {
			if err := w.asParent("/2010-04-01/Accounts.json", map[string]string{"FriendlyName": customerName}, &account); err != nil {
				return err
			}
			w.tokens.real[account.SID] = account.AuthToken
		}
		for range w.scenario.numbers {
			number := w.nextNumber()
			if account.SID != "" {
				var sid string
				sid, number = w.buy(account.SID, number)
				number = pick(w.rng, sid, number)
			}
			numbers = append(numbers, number) // Or else it is bought when the subaccount is there.
		}
		request := w.scenario.request(n, account.SID, numbers)
		if err := w.madeByHand(account.SID, &request); err != nil {
			return err
		}
		w.pass(w.scenario.lag + time.Second)
		o, err := w.service.Create(w.ctx, "key:simulated", request)
		if err != nil {
			return err
		}
		w.ids = append(w.ids, o.ID)
		w.subaccounts[o.ID] = account.SID
	}
	for range w.scenario.replicas {
		w.start()
	}
	w.planActs()
	return nil
}

// account is the onboarding's subaccount, "" before it is made.
func (w *world) account(id onboarding.ID) string {
	if w.subaccounts[id] == "" {
		w.subaccounts[id] = w.get(id).SubaccountSID
	}
	return w.subaccounts[id]
}
