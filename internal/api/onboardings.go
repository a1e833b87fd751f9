package api

import (
	"context"
	"net/http"

	"github.com/attestd/attestd/internal/onboarding"
)

// operationHandlers answers the operations of the contract. [respondError] turns their errors into
// answers.
type operationHandlers struct {
	config   Config
	contract *contract
}

// defaultLimit is the size of a page if the request does not say.
const defaultLimit = 20

// CreateOnboarding accepts a request that has passed the contract, if it passes our own rules too.
func (h *operationHandlers) CreateOnboarding(ctx context.Context, request CreateOnboardingRequestObject) (CreateOnboardingResponseObject, error) {
	wanted := requestOf(*request.Body)
	found := check(&wanted, h.config.DefaultPrimaryProfileSID)
	if len(found.faults) > 0 {
		return nil, invalid(sortFaults(found.faults))
	}
	created, err := h.config.Service.Create(ctx, actorOf(ctx), wanted)
	if err != nil {
		return nil, err
	}
	shown := h.shown(ctx, created)
	shown.Warnings = warningsJSON(found)
	return CreateOnboarding202JSONResponse{
		Body: shown,
		Headers: CreateOnboarding202ResponseHeaders{
			Location: "/onboardings/" + string(created.ID),
			ETag:     etagOf(created.Version),
		},
	}, nil
}

// domainFaults returns the faults that our own rules find in a body that the contract refuses.
func domainFaults(r *http.Request, body []byte, defaultPrimaryProfileSID string) []Fault {
	if r.Method != http.MethodPost || routeOf(r) != "/onboardings" {
		return nil
	}
	var decoded NewOnboarding
	if !decodeBody(body, &decoded) {
		return nil
	}
	wanted := requestOf(decoded)
	return check(&wanted, defaultPrimaryProfileSID).faults
}

// GetOnboarding shows one onboarding.
func (h *operationHandlers) GetOnboarding(ctx context.Context, request GetOnboardingRequestObject) (GetOnboardingResponseObject, error) {
	o, err := h.config.Service.Get(ctx, onboarding.ID(request.ID))
	if err != nil {
		return nil, err
	}
	return GetOnboarding200JSONResponse{Body: h.shown(ctx, o), Headers: GetOnboarding200ResponseHeaders{ETag: etagOf(o.Version)}}, nil
}

// ListOnboardings shows a page of onboardings.
func (h *operationHandlers) ListOnboardings(ctx context.Context, request ListOnboardingsRequestObject) (ListOnboardingsResponseObject, error) {
	p := request.Params
	filter := onboarding.Filter{
		Status:        onboarding.Status(value(p.Status)),
		SubaccountSID: lowerSID(value(p.SubaccountSID)),
		ExternalID:    value(p.ExternalID),
		Limit:         limitOf(p.Limit),
	}
	if p.Cursor != nil {
		after, ok := decodeCursor(*p.Cursor)
		if !ok {
			return nil, notOurCursor()
		}
		filter.After = &after
	}
	summaries, next, err := h.config.Service.List(ctx, filter)
	if err != nil {
		return nil, err
	}
	page := ListOnboardings200JSONResponse{Onboardings: make([]OnboardingSummary, 0, len(summaries))}
	for i := range summaries {
		page.Onboardings = append(page.Onboardings, summaryJSON(&summaries[i]))
	}
	if next != nil {
		cursor := encodeCursor(*next)
		page.NextCursor = &cursor
	}
	return page, nil
}

// ResumeOnboarding makes failed steps due again.
func (h *operationHandlers) ResumeOnboarding(ctx context.Context, request ResumeOnboardingRequestObject) (ResumeOnboardingResponseObject, error) {
	o, err := h.config.Service.Resume(ctx, actorOf(ctx), onboarding.ID(request.ID))
	if err != nil {
		return nil, err
	}
	return ResumeOnboarding202JSONResponse{Body: h.shown(ctx, o), Headers: ResumeOnboarding202ResponseHeaders{ETag: etagOf(o.Version)}}, nil
}
