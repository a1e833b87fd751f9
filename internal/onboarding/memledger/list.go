package memledger

import (
	"cmp"
	"context"
	"slices"

	"github.com/attestd/attestd/internal/onboarding"
)

// List implements [onboarding.Repository]. A summary's requirements are in the order of their
// steps' keys.
func (s *Store) List(_ context.Context, f onboarding.Filter) ([]onboarding.Summary, *onboarding.Cursor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var page []onboarding.Summary
	for _, e := range s.onboardings {
		if e.matches(f) {
			page = append(page, e.summary())
		}
	}
	slices.SortFunc(page, func(a, b onboarding.Summary) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	if len(page) <= f.Limit {
		return page, nil, nil
	}
	last := page[f.Limit-1]
	return page[:f.Limit], &onboarding.Cursor{CreatedAt: last.CreatedAt, ID: last.ID}, nil
}

func (e *entry) matches(f onboarding.Filter) bool {
	r := e.whole.Request
	if f.Status != "" && e.status != f.Status ||
		f.SubaccountSID != "" && e.whole.SubaccountSID != f.SubaccountSID ||
		f.ExternalID != "" && r.ExternalID != f.ExternalID {
		return false
	}
	return f.After == nil ||
		cmp.Or(e.whole.CreatedAt.Compare(stored(f.After.CreatedAt)), cmp.Compare(e.whole.ID, f.After.ID)) < 0
}

func (e *entry) summary() onboarding.Summary {
	o := e.whole
	return onboarding.Summary{
		ID:                o.ID,
		ExternalID:        o.Request.ExternalID,
		SubaccountSID:     o.SubaccountSID,
		PrimaryProfileSID: o.Request.PrimaryProfileSID,
		BusinessName:      o.Request.Business.Name,
		Status:            e.status,
		Attestation:       e.attestation,
		CustomerProfile:   o.Bundle(onboarding.CustomerProfileKey),
		TrustProduct:      o.Bundle(onboarding.ShakenStirKey),
		Requirements:      o.Requirements(),
		Version:           o.Version,
		CreatedAt:         o.CreatedAt,
		UpdatedAt:         o.UpdatedAt,
	}
}
