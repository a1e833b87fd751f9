package plan_test

import (
	"fmt"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/plan"
)

// A plan is data: what a step needs, and what it is about, is there to be read.
func ExampleTrustHub() {
	o := &onboarding.Onboarding{Request: onboarding.Request{AuthorizedRepresentatives: make([]onboarding.Representative, 1)}}
	for _, n := range plan.TrustHub(plan.Config{Now: time.Now}).Nodes(o) {
		if n.Kind == onboarding.KindObject {
			fmt.Println(n.Key, n.Parts)
		}
	}
	// Output:
	// address [/address]
	// address_document [/address/sid /address/iso_country]
	// business_information [/business /end_user_sids/business_information]
	// representative_1 [/authorized_representatives/0 /end_user_sids/authorized_representative_1]
}
