package api

import (
	"context"

	"github.com/attestd/attestd/internal/onboarding"
)

// ListOnboardingEvents shows a page of the events of an onboarding.
func (h *operationHandlers) ListOnboardingEvents(ctx context.Context, r ListOnboardingEventsRequestObject) (ListOnboardingEventsResponseObject, error) {
	oldestFirst := value(r.Params.Order) == ListOnboardingEventsParamsOrderOldest
	list := "events-newest"
	if oldestFirst {
		list = "events-oldest"
	}
	from, err := decodeRowCursor(list, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	page, more, err := h.config.History.EventPage(ctx, onboarding.ID(r.ID), oldestFirst, from, limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	shown := ListOnboardingEvents200JSONResponse{Events: make([]Event, 0, len(page))}
	for _, e := range page {
		shown.Events = append(shown.Events, Event{
			At: e.At.UTC(), Kind: e.Kind, Step: orNull(string(e.Step)), Actor: orNull(e.Actor), Detail: orNull(e.Detail),
		})
	}
	if more {
		shown.NextCursor = encodeRowCursor(list, page[len(page)-1].ID)
	}
	return shown, nil
}
