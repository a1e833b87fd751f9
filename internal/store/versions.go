package store

import (
	"context"
	"fmt"
	"math"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// VersionPage returns versions of the onboarding's request, newest first: at most limit of them,
// from before the version before on (0 for the newest). It also returns whether there are more.
// Errors: [onboarding.ErrNotFound].
func (s *Store) VersionPage(
	ctx context.Context, id onboarding.ID, before, limit int,
) (page []onboarding.RequestVersion, more bool, err error) {
	page, more, err = s.versionPage(ctx, id, before, limit)
	if err != nil {
		return nil, false, fmt.Errorf("read the versions of onboarding %s: %w", id, err)
	}
	return page, more, nil
}

func (s *Store) versionPage(
	ctx context.Context, id onboarding.ID, before, limit int,
) (page []onboarding.RequestVersion, more bool, err error) {
	// A version lasts until the event of the next one. So the version that the page comes before is
	// read as well.
	params := db.VersionsBeforeParams{OnboardingID: string(id), BeforeVersion: math.MaxInt32, PageSize: oneMore(limit)}
	if before > 0 {
		params.BeforeVersion = int32(before) + 1 //nolint:gosec // counts corrections
		params.PageSize++
	}
	rows, err := s.queries.VersionsBefore(ctx, params)
	if err == nil && len(rows) == 0 {
		err = s.wantExists(ctx, id)
	}
	if err != nil {
		return nil, false, err
	}
	until := int64(math.MaxInt64)
	if before > 0 && len(rows) > 0 && int(rows[0].Version) == before {
		until, rows = rows[0].EventID, rows[1:]
	}
	// Submissions are read after the versions. One that is made in between belongs to the newest.
	submissions, err := s.submissions(ctx, id)
	if err != nil {
		return nil, false, err
	}
	for i, row := range rows {
		if i == limit {
			return page, true, nil
		}
		v, err := version(row, rows[i+1:])
		if err != nil {
			return nil, false, err
		}
		// Without an event the version has no place in the history, and no submissions.
		if row.EventID != 0 {
			v.Submissions = submissions.between(row.EventID, until)
			until = row.EventID
		}
		page = append(page, v)
	}
	return page, false, nil
}

// version is the version of a row, with what changed since the first of the older rows.
func version(row db.VersionsBeforeRow, older []db.VersionsBeforeRow) (v onboarding.RequestVersion, err error) {
	v = onboarding.RequestVersion{Version: int(row.Version), CreatedAt: timeOf(row.CreatedAt), Actor: row.Actor}
	v.Request, err = fromJSON[onboarding.Request]("requests.request", row.Request)
	if err == nil && len(older) > 0 {
		v.Changes, err = onboarding.RequestChanges(older[0].Request, row.Request)
	}
	return v, err
}

// submissions are those of one onboarding, in order, with the IDs of their events.
type submissions struct {
	all []onboarding.Submission
	ids []int64
}

func (s *Store) submissions(ctx context.Context, id onboarding.ID) (submissions, error) {
	rows, err := s.queries.SubmissionEvents(ctx, string(id))
	if err != nil {
		return submissions{}, fmt.Errorf("read the submissions: %w", err)
	}
	events := make([]onboarding.PastEvent, len(rows))
	for i, row := range rows {
		events[i] = onboarding.PastEvent{ID: row.ID, Event: onboarding.Event{
			At:       timeOf(row.At),
			Kind:     row.Kind,
			StepKind: onboarding.Kind(row.StepKind),
			Bundle:   onboarding.Key(row.Bundle),
			Detail:   row.Detail,
		}}
	}
	var found submissions
	found.all, found.ids = onboarding.Submissions(events)
	return found, nil
}

// between returns the submissions whose events came after the one and before the other.
func (s submissions) between(after, until int64) []onboarding.Submission {
	var some []onboarding.Submission
	for i, id := range s.ids {
		if id > after && id < until {
			some = append(some, s.all[i])
		}
	}
	return some
}
