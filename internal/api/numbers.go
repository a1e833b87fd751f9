package api

import (
	"context"

	"github.com/attestd/attestd/internal/onboarding"
)

// AddPhoneNumbers adds numbers to an onboarding.
func (h *operationHandlers) AddPhoneNumbers(ctx context.Context, request AddPhoneNumbersRequestObject) (AddPhoneNumbersResponseObject, error) {
	numbers := request.Body.PhoneNumbers
	var found findings
	checkNumbers(&found, numbers)
	if len(found.faults) > 0 {
		return nil, invalid(sortFaults(found.faults))
	}
	o, err := h.config.Service.AddNumbers(ctx, actorOf(ctx), onboarding.ID(request.ID), numbers, value(request.Body.Move))
	if err != nil {
		return nil, err
	}
	return AddPhoneNumbers202JSONResponse{Body: onboardingJSON(o), Headers: AddPhoneNumbers202ResponseHeaders{ETag: etagOf(o.Version)}}, nil
}

// RemovePhoneNumber removes a number from an onboarding.
func (h *operationHandlers) RemovePhoneNumber(ctx context.Context, request RemovePhoneNumberRequestObject) (RemovePhoneNumberResponseObject, error) {
	o, err := h.config.Service.RemoveNumber(ctx, actorOf(ctx), onboarding.ID(request.ID), lowerSID(request.Number))
	if err != nil {
		return nil, err
	}
	return RemovePhoneNumber202JSONResponse{Body: onboardingJSON(o), Headers: RemovePhoneNumber202ResponseHeaders{ETag: etagOf(o.Version)}}, nil
}
