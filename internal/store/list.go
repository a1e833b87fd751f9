package store

import (
	"context"
	"fmt"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// The keys of the steps that make the two bundles that a list shows.
const (
	customerProfile onboarding.Key = "customer_profile"
	trustProduct    onboarding.Key = "trust_product"
)

// bundleKeys are the steps that [onboarding.Onboarding.Bundle] looks at.
var bundleKeys = []string{
	string(customerProfile), string(customerProfile.Sub("submission")), string(customerProfile.Sub("review")),
	string(trustProduct), string(trustProduct.Sub("submission")), string(trustProduct.Sub("review")),
}

// List implements [onboarding.Repository]. A summary's requirements are in the order of their steps' keys.
func (s *Store) List(ctx context.Context, f onboarding.Filter) ([]onboarding.Summary, *onboarding.Cursor, error) {
	params := db.ListOnboardingsParams{
		Status:        string(f.Status),
		SubaccountSid: f.SubaccountSID,
		ExternalID:    f.ExternalID,
		PageSize:      int32(f.Limit) + 1, //nolint:gosec // 1 to 100; one more tells whether there is a next page
	}
	if f.After != nil {
		params.AfterCreatedAt = timestamptz(f.After.CreatedAt)
		params.AfterID = string(f.After.ID)
	}
	rows, err := s.queries.ListOnboardings(ctx, params)
	if err != nil {
		return nil, nil, fmt.Errorf("list onboardings: %w", err)
	}
	var next *onboarding.Cursor
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		last := rows[len(rows)-1]
		next = &onboarding.Cursor{CreatedAt: timeOf(last.CreatedAt), ID: onboarding.ID(last.ID)}
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	steps, err := s.listSteps(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	page := make([]onboarding.Summary, len(rows))
	for i, row := range rows {
		known := onboarding.Onboarding{Steps: steps[row.ID]}
		page[i] = onboarding.Summary{
			ID:                onboarding.ID(row.ID),
			ExternalID:        row.ExternalID,
			SubaccountSID:     row.SubaccountSid,
			PrimaryProfileSID: row.PrimaryProfileSid,
			BusinessName:      row.BusinessName,
			Status:            onboarding.Status(row.Status),
			Attestation:       row.Attestation,
			CustomerProfile:   known.Bundle(customerProfile),
			TrustProduct:      known.Bundle(trustProduct),
			Requirements:      known.Requirements(),
			Version:           int(row.Version),
			CreatedAt:         timeOf(row.CreatedAt),
			UpdatedAt:         timeOf(row.UpdatedAt),
		}
	}
	return page, next, nil
}

// listSteps returns, by onboarding, the steps that a summary is made of.
func (s *Store) listSteps(ctx context.Context, ids []string) (map[string][]onboarding.Step, error) {
	rows, err := s.queries.ListSteps(ctx, db.ListStepsParams{OnboardingIds: ids, BundleKeys: bundleKeys})
	if err != nil {
		return nil, fmt.Errorf("list the steps of onboardings: %w", err)
	}
	steps := make(map[string][]onboarding.Step, len(ids))
	for _, row := range rows {
		requirements, err := fromJSON[[]onboarding.Requirement]("steps.requirements", row.Requirements)
		if err != nil {
			return nil, err
		}
		steps[row.OnboardingID] = append(steps[row.OnboardingID], onboarding.Step{
			Key:          onboarding.Key(row.Key),
			State:        onboarding.State(row.State),
			SID:          row.Sid,
			RemoteStatus: row.RemoteStatus,
			Requirements: requirements,
		})
	}
	return steps, nil
}
