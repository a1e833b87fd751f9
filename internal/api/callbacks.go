package api

import (
	"context"
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
)

// ListOnboardingCallbacks shows a page of the callbacks that came for an onboarding.
func (h *operationHandlers) ListOnboardingCallbacks(ctx context.Context, r ListOnboardingCallbacksRequestObject) (
	ListOnboardingCallbacksResponseObject, error) {
	const list = "callbacks"
	before, err := decodeRowCursor(list, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	page, more, err := h.config.History.CallbackPage(ctx, onboarding.ID(r.ID), before, limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	shown := ListOnboardingCallbacks200JSONResponse{Callbacks: make([]StoredCallback, 0, len(page))}
	for _, c := range page {
		shown.Callbacks = append(shown.Callbacks, StoredCallback{
			ReceivedAt:       c.ReceivedAt.UTC(),
			SignedBy:         orNull(c.SignedBy),
			BundleSID:        orNull(c.BundleSID),
			ClaimedStatus:    orNull(c.Status),
			ContentType:      orNull(c.ContentType),
			Body:             strings.ToValidUTF8(string(c.Body), "\uFFFD"),
			IdempotencyToken: orNull(c.IdempotencyToken),
		})
	}
	if more {
		shown.NextCursor = encodeRowCursor(list, page[len(page)-1].ID)
	}
	return shown, nil
}
