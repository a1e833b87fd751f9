package store

import (
	"context"
	"fmt"
	"math"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// CallbackPage returns callbacks that are stored for the onboarding, newest first: at most limit of
// them, from before the one with the ID before on (0 for the newest). It also returns whether there
// are more. Errors: [onboarding.ErrNotFound].
func (s *Store) CallbackPage(
	ctx context.Context, id onboarding.ID, before int64, limit int,
) (page []onboarding.StoredCallback, more bool, err error) {
	rows, err := s.queries.CallbacksBefore(ctx, db.CallbacksBeforeParams{
		OnboardingID: string(id), BeforeID: beforeOrAll(before), PageSize: oneMore(limit),
	})
	if err == nil && len(rows) == 0 {
		err = s.wantExists(ctx, id)
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the callbacks of onboarding %s: %w", id, err)
	}
	rows, more = cut(rows, limit)
	for _, row := range rows {
		page = append(page, onboarding.StoredCallback{ID: row.ID, Callback: onboarding.Callback{
			OnboardingID:     id,
			ReceivedAt:       timeOf(row.ReceivedAt),
			IdempotencyToken: row.IdempotencyToken,
			SignedBy:         row.SignedBy,
			ContentType:      row.ContentType,
			Body:             row.Body,
			BundleSID:        row.BundleSid,
			Status:           row.Status,
		}})
	}
	return page, more, nil
}

// EventPage returns events of the onboarding, newest or oldest first: at most limit of them, behind
// the one with the ID from (0 for all). It also returns whether there are more. Errors:
// [onboarding.ErrNotFound].
func (s *Store) EventPage(
	ctx context.Context, id onboarding.ID, oldestFirst bool, from int64, limit int,
) (page []onboarding.PastEvent, more bool, err error) {
	rows, err := s.eventRows(ctx, id, oldestFirst, from, limit)
	if err == nil && len(rows) == 0 {
		err = s.wantExists(ctx, id)
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the history of onboarding %s: %w", id, err)
	}
	rows, more = cut(rows, limit)
	for _, row := range rows {
		page = append(page, onboarding.PastEvent{ID: row.ID, Event: onboarding.Event{
			At:       timeOf(row.At),
			Kind:     row.Kind,
			Step:     onboarding.Key(row.Step),
			StepKind: onboarding.Kind(row.StepKind),
			Bundle:   onboarding.Key(row.Bundle),
			Actor:    row.Actor,
			Detail:   row.Detail,
		}})
	}
	return page, more, nil
}

// eventRows reads the rows of a page of events, and one more if there is one.
func (s *Store) eventRows(
	ctx context.Context, id onboarding.ID, oldestFirst bool, from int64, limit int,
) ([]db.EventsAfterRow, error) {
	if oldestFirst {
		return s.queries.EventsAfter(ctx, db.EventsAfterParams{OnboardingID: string(id), AfterID: from, PageSize: oneMore(limit)})
	}
	newest, err := s.queries.EventsBefore(ctx, db.EventsBeforeParams{
		OnboardingID: string(id), BeforeID: beforeOrAll(from), PageSize: oneMore(limit),
	})
	rows := make([]db.EventsAfterRow, len(newest))
	for i, row := range newest {
		rows[i] = db.EventsAfterRow(row)
	}
	return rows, err
}

// ReviewTimes returns the newest reviews of that kind of bundle that came to a decision, of all
// onboardings: at most so many.
func (s *Store) ReviewTimes(ctx context.Context, bundle onboarding.Key, most int) ([]onboarding.ReviewTime, error) {
	rows, err := s.queries.RecentReviews(ctx, db.RecentReviewsParams{
		Bundle: string(bundle), Most: int32(most), //nolint:gosec // a few hundred
	})
	if err != nil {
		return nil, fmt.Errorf("read how long reviews of %s took: %w", bundle, err)
	}
	times := make([]onboarding.ReviewTime, len(rows))
	for i, row := range rows {
		times[i] = onboarding.ReviewTime{SubmittedAt: timeOf(row.SubmittedAt), DecidedAt: timeOf(row.DecidedAt)}
	}
	return times, nil
}

// wantExists is [onboarding.ErrNotFound] unless there is such an onboarding.
func (s *Store) wantExists(ctx context.Context, id onboarding.ID) error {
	exists, err := s.queries.OnboardingExists(ctx, string(id))
	if err == nil && !exists {
		err = onboarding.ErrNotFound
	}
	return err
}

// beforeOrAll is the ID to read from before; for 0 it is one that all others are before.
func beforeOrAll(before int64) int64 {
	if before == 0 {
		return math.MaxInt64
	}
	return before
}

// oneMore is a limit plus one: the row beyond the limit tells that there is a next page.
func oneMore(limit int) int32 { return int32(limit) + 1 } //nolint:gosec // 1 to 100

// cut drops the row beyond the limit, and returns whether there was one.
func cut[T any](rows []T, limit int) (page []T, more bool) {
	if len(rows) <= limit {
		return rows, false
	}
	return rows[:limit], true
}
