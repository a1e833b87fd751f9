package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store"
)

// A replica runs each new onboarding: it claims it, works, and releases it with what it has learned.
func Example() {
	database, drop := newDatabase()
	defer drop()
	ctx := context.Background()
	released := make(chan error)
	s, err := store.Open(ctx, store.Config{
		DatabaseURL:       database,
		Logger:            slog.New(slog.DiscardHandler),
		Workers:           1,
		StaleAfter:        4 * time.Second,
		CallbackRetention: 24 * time.Hour,
		Advance: func(ctx context.Context, ledger onboarding.Ledger, id onboarding.ID) error {
			claimed, err := ledger.Claim(ctx, id)
			if err == nil {
				change := onboarding.Change{ID: id, Epoch: claimed.Epoch, Status: onboarding.StatusInReview}
				change.Steps = []onboarding.Step{{Key: onboarding.PreflightKey, State: onboarding.StepSucceeded}}
				_, err = ledger.Release(ctx, change, claimed.ReadAt.Add(time.Hour))
			}
			released <- err
			return err
		},
	})
	must(err)
	defer s.Close()
	must(s.Start(ctx))
	defer func() { must(s.Stop(ctx)) }()

	o := &onboarding.Onboarding{ID: "onb_1", SubaccountSID: "AC1", CallbackToken: "token", Version: 1}
	o.CreatedAt, o.UpdatedAt = time.Now(), time.Now()
	must(s.Create(ctx, o, onboarding.Event{At: o.CreatedAt, Kind: "onboarding.created"}))
	must(<-released)

	read, err := s.Get(ctx, o.ID)
	must(err)
	fmt.Println(read.Step(onboarding.PreflightKey).State, "under epoch", read.Epoch)
	// Output: succeeded under epoch 1
}
