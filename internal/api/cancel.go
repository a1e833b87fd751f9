package api

import (
	"context"

	"github.com/attestd/attestd/internal/onboarding"
)

// CancelOnboarding ends an onboarding. A missing body counts as an empty object.
func (h *operationHandlers) CancelOnboarding(ctx context.Context, request CancelOnboardingRequestObject) (CancelOnboardingResponseObject, error) {
	cleanup := request.Body != nil && value(request.Body.Cleanup)
	o, err := h.config.Service.Cancel(ctx, actorOf(ctx), onboarding.ID(request.ID), cleanup)
	if err != nil {
		return nil, err
	}
	return CancelOnboarding202JSONResponse{Body: onboardingJSON(o), Headers: CancelOnboarding202ResponseHeaders{ETag: etagOf(o.Version)}}, nil
}
