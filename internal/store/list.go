package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// bundleKeys are the steps that [onboarding.Onboarding.Bundle] looks at, of the two bundles that a
// list shows.
var bundleKeys = keysOfBundles(onboarding.CustomerProfileKey, onboarding.ShakenStirKey)

func keysOfBundles(bundles ...onboarding.Key) []string {
	var keys []string
	for _, b := range bundles {
		keys = append(keys, string(b), string(b.Submission()), string(b.Review()))
	}
	return keys
}

// List implements [onboarding.Repository]. A summary's requirements are in the order of their
// steps' keys.
func (s *Store) List(ctx context.Context, f onboarding.Filter) ([]onboarding.Summary, *onboarding.Cursor, error) {
	params := db.ListOnboardingsParams{
		Status:        string(f.Status),
		SubaccountSid: f.SubaccountSID,
		ExternalID:    f.ExternalID,
		PageSize:      oneMore(f.Limit),
	}
	if f.After != nil {
		params.AfterCreatedAt = timestamptz(f.After.CreatedAt)
		params.AfterID = string(f.After.ID)
	}
	var rows []db.ListOnboardingsRow
	var steps map[string][]onboarding.Step
	// Rows and steps are read in one snapshot, so that they agree.
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		q := s.queries.WithTx(tx)
		if rows, err = q.ListOnboardings(ctx, params); err != nil {
			return err
		}
		steps, err = listSteps(ctx, q, rows)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list onboardings: %w", err)
	}
	var next *onboarding.Cursor
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		last := rows[len(rows)-1]
		next = &onboarding.Cursor{CreatedAt: timeOf(last.CreatedAt), ID: onboarding.ID(last.ID)}
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
			CustomerProfile:   known.Bundle(onboarding.CustomerProfileKey),
			TrustProduct:      known.Bundle(onboarding.ShakenStirKey),
			Requirements:      known.Requirements(),
			Version:           int(row.Version),
			CreatedAt:         timeOf(row.CreatedAt),
			UpdatedAt:         timeOf(row.UpdatedAt),
		}
	}
	return page, next, nil
}

// listSteps returns the steps that summaries are made of, by onboarding.
func listSteps(ctx context.Context, q *db.Queries, listed []db.ListOnboardingsRow) (map[string][]onboarding.Step, error) {
	ids := make([]string, len(listed))
	for i, row := range listed {
		ids[i] = row.ID
	}
	rows, err := q.ListSteps(ctx, db.ListStepsParams{OnboardingIds: ids, BundleKeys: bundleKeys})
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
