package ledgertest

import (
	"slices"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

func list(t *testing.T, h Harness, f onboarding.Filter) ([]onboarding.ID, *onboarding.Cursor) {
	t.Helper()
	page, next, err := h.Repository.List(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	var ids []onboarding.ID
	for _, s := range page {
		ids = append(ids, s.ID)
	}
	return ids, next
}

func listIsPagedNewestFirst(t *testing.T, h Harness) {
	// Pairs of the same time are in the order of their IDs.
	var want []onboarding.ID
	for minute := range 3 {
		var pair []onboarding.ID
		for range 2 {
			o := fresh()
			o.CreatedAt = at(minute)
			create(t, h, o)
			pair = append(pair, o.ID)
		}
		slices.Sort(pair)
		want = append(want, pair...)
	}
	slices.Reverse(want)

	for _, size := range []int{1, 4, 5, 6, 100} {
		var got []onboarding.ID
		filter := onboarding.Filter{Limit: size}
		for pages := 0; ; pages++ {
			page, next := list(t, h, filter)
			got = append(got, page...)
			if next == nil {
				break
			}
			if len(page) != size || pages > len(want) {
				t.Fatalf("a page of %d, want %d, is followed by another", len(page), size)
			}
			filter.After = next
		}
		same(t, "all pages", want, got)
	}
}

func listIsFiltered(t *testing.T, h Harness) {
	inProgress, failed := fresh(), fresh()
	failed.CreatedAt = at(1)
	inProgress.Request.ExternalID = ""
	create(t, h, inProgress)
	create(t, h, failed)
	ctx, ledger, claimed := claim(t, h, failed.ID)
	if err := ledger.Record(ctx, changeOf(claimed)); err != nil {
		t.Fatal(err)
	}

	for name, test := range map[string]struct {
		filter onboarding.Filter
		want   []onboarding.ID
	}{
		"none":                {onboarding.Filter{}, []onboarding.ID{failed.ID, inProgress.ID}},
		"status":              {onboarding.Filter{Status: onboarding.StatusActionRequired}, []onboarding.ID{failed.ID}},
		"status of none":      {onboarding.Filter{Status: onboarding.StatusApproved}, nil},
		"subaccount":          {onboarding.Filter{SubaccountSID: inProgress.SubaccountSID}, []onboarding.ID{inProgress.ID}},
		"external ID":         {onboarding.Filter{ExternalID: failed.Request.ExternalID}, []onboarding.ID{failed.ID}},
		"all":                 {onboarding.Filter{Status: onboarding.StatusInProgress, ExternalID: failed.Request.ExternalID}, nil},
		"after the newest":    {onboarding.Filter{After: &onboarding.Cursor{CreatedAt: at(1), ID: failed.ID}}, []onboarding.ID{inProgress.ID}},
		"status, after a row": {onboarding.Filter{Status: onboarding.StatusInProgress, After: &onboarding.Cursor{CreatedAt: at(0), ID: inProgress.ID}}, nil},
	} {
		test.filter.Limit = 10
		got, next := list(t, h, test.filter)
		same(t, "filter by "+name, test.want, got)
		if next != nil {
			t.Errorf("filter by %s: a next page, want none", name)
		}
	}
}

func listShowsBundlesAndRequirements(t *testing.T, h Harness) {
	o := fresh()
	create(t, h, o)
	ctx, ledger, claimed := claim(t, h, o.ID)
	evaluation := everyField("customer_profile.evaluation")
	noLonger := everyField("preflight")
	noLonger.State = onboarding.StepPending
	profile, product := sid("BU"), sid("BU")
	err := ledger.Record(ctx, onboarding.Change{
		ID: o.ID, Epoch: claimed.Epoch, Status: onboarding.StatusActionRequired,
		Steps: []onboarding.Step{
			{Key: "customer_profile", State: onboarding.StepSucceeded, SID: profile, RemoteStatus: onboarding.BundleDraft},
			{Key: "customer_profile.submission", State: onboarding.StepSucceeded, RemoteStatus: onboarding.BundlePendingReview},
			{Key: "customer_profile.review", State: onboarding.StepWaiting, RemoteStatus: onboarding.BundleInReview},
			{Key: "trust_product", State: onboarding.StepSucceeded, SID: product, RemoteStatus: onboarding.BundleDraft},
			evaluation,
			noLonger,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	page, _, err := h.Repository.List(t.Context(), onboarding.Filter{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	read := get(t, h, o.ID)
	same(t, "summaries", []onboarding.Summary{{
		ID:                o.ID,
		ExternalID:        o.Request.ExternalID,
		SubaccountSID:     o.SubaccountSID,
		PrimaryProfileSID: o.Request.PrimaryProfileSID,
		BusinessName:      o.Request.Business.Name,
		Status:            onboarding.StatusActionRequired,
		CustomerProfile:   onboarding.BundleRef{SID: profile, Status: onboarding.BundleInReview},
		TrustProduct:      onboarding.BundleRef{SID: product, Status: onboarding.BundleDraft},
		Requirements:      evaluation.Requirements,
		Version:           1,
		CreatedAt:         o.CreatedAt,
		UpdatedAt:         read.UpdatedAt,
	}}, page)
}
