package memledger_test

import (
	"context"
	"fmt"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/memledger"
)

// A worker fetches the job of a new onboarding, claims the onboarding, and writes what it is about to
// do. Then its replica dies. The next worker reads a step that is running: its outcome is unknown.
func Example() {
	ctx := context.Background()
	store := memledger.New()
	o := &onboarding.Onboarding{ID: "onb_1", SubaccountSID: "AC1", CallbackToken: "token", Version: 1}
	must(store.Create(ctx, o, onboarding.Event{Kind: "onboarding.created"}))

	first := store.Fetch()
	claimed, err := first.Claim(ctx, first.ID)
	must(err)
	change := onboarding.Change{ID: claimed.ID, Epoch: claimed.Epoch, Status: claimed.Status()}
	change.Steps = []onboarding.Step{{Key: onboarding.AddressKey, State: onboarding.StepRunning}}
	must(first.Record(ctx, change))
	first.Abandon()

	second := store.Fetch()
	claimed, err = second.Claim(ctx, second.ID)
	must(err)
	fmt.Println("epoch", claimed.Epoch, claimed.Step(onboarding.AddressKey).State)
	_, err = first.Release(ctx, change, time.Time{})
	fmt.Println(err)
	// Output:
	// epoch 2 running
	// onboarding onb_1: another runner has claimed this onboarding
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
