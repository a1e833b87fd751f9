package api

import (
	"context"
	"math"

	"github.com/attestd/attestd/internal/onboarding"
)

// ListOnboardingVersions shows a page of the versions of a request.
func (h *operationHandlers) ListOnboardingVersions(ctx context.Context, r ListOnboardingVersionsRequestObject) (
	ListOnboardingVersionsResponseObject, error) {
	const list = "versions"
	before, err := decodeRowCursor(list, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	if before >= math.MaxInt32 {
		return nil, notOurCursor()
	}
	page, more, err := h.config.History.VersionPage(ctx, onboarding.ID(r.ID), int(before), limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	shown := ListOnboardingVersions200JSONResponse{Versions: make([]RequestVersion, 0, len(page))}
	for _, v := range page {
		shown.Versions = append(shown.Versions, versionJSON(v))
	}
	if more {
		shown.NextCursor = encodeRowCursor(list, int64(page[len(page)-1].Version))
	}
	return shown, nil
}

func versionJSON(v onboarding.RequestVersion) RequestVersion {
	shown := RequestVersion{
		Version:     v.Version,
		CreatedAt:   v.CreatedAt.UTC(),
		Actor:       orNull(v.Actor),
		Changes:     make([]RequestChange, 0, len(v.Changes)),
		Submissions: make([]Submission, 0, len(v.Submissions)),
		Request:     requestJSON(v.Request),
	}
	for _, c := range v.Changes {
		shown.Changes = append(shown.Changes, RequestChange{Pointer: c.Pointer, Old: c.Old, New: c.New})
	}
	for _, s := range v.Submissions {
		shown.Submissions = append(shown.Submissions, Submission{
			Bundle:      string(s.Bundle),
			BundleSID:   orNull(s.BundleSID),
			SubmittedAt: s.At.UTC(),
			Decision:    orNull(string(s.Decision)),
			DecidedAt:   timeOrNull(s.DecidedAt),
		})
	}
	return shown
}
