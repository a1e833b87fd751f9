package desk_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/desk"
	"github.com/attestd/attestd/internal/onboarding/memledger"
	"github.com/attestd/attestd/internal/onboarding/plan"
)

// What people ask for is written down; what cannot be is refused with a word and a reason.
func ExampleService_Amend() {
	service := &desk.Service{
		Repository: memledger.New(), Plan: plan.TrustHub(plan.Config{Now: time.Now}), Now: time.Now,
		NewID: func() onboarding.ID { return "onb_example" }, NewToken: func() string { return "token" },
	}
	ctx := context.Background()
	o, err := service.Create(ctx, "key:example", onboarding.Request{SubaccountSID: "AC1", AuthorizedRepresentatives: make([]onboarding.Representative, 1)})
	if err != nil {
		fmt.Println(err)
	}
	amended := o.Request
	amended.Business.Name = "Example Plumbing LLC"
	o, err = service.Amend(ctx, "key:example", o.ID, o.Version, amended)
	fmt.Println("version", o.Version, err)

	amended.SubaccountSID = "AC2"
	_, err = service.Amend(ctx, "key:example", o.ID, o.Version, amended)
	if refused := (*desk.RefusedError)(nil); errors.As(err, &refused) {
		fmt.Println(refused.Code)
	}
	// Output:
	// version 2 <nil>
	// subaccount_fixed
}
