package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/desk"
)

// AmendOnboarding corrects the version of the request that If-Match names.
func (h *operationHandlers) AmendOnboarding(ctx context.Context, request AmendOnboardingRequestObject) (AmendOnboardingResponseObject, error) {
	id := onboarding.ID(request.ID)
	before, err := h.config.Service.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if !matchesETag(request.Params.IfMatch, before.Version) {
		return nil, desk.ErrVersion
	}
	patch := request.ApplicationMergePatchPlusJSONBody
	if patch == nil {
		patch = request.JSONBody
	}
	corrected, found, err := h.correct(before.Request, *patch)
	if err != nil {
		return nil, err
	}
	amended, err := h.config.Service.Amend(ctx, actorOf(ctx), id, before.Version, corrected)
	if err != nil {
		return nil, err
	}
	shown := h.shown(ctx, amended)
	shown.Warnings = warningsJSON(found)
	return AmendOnboarding202JSONResponse{Body: shown, Headers: AmendOnboarding202ResponseHeaders{ETag: etagOf(amended.Version)}}, nil
}

// correct applies a merge patch to the request in the form of the contract. It checks the result
// like the body of a POST, by the contract and by our own rules, and returns every fault at once.
func (h *operationHandlers) correct(r onboarding.Request, patch json.RawMessage) (onboarding.Request, findings, error) {
	document, err := mergedDocument(r, patch)
	if err != nil {
		return onboarding.Request{}, findings{}, err
	}
	faults, err := h.contract.faultsOf("NewOnboarding", document)
	if err != nil {
		return onboarding.Request{}, findings{}, err
	}
	encoded, err := json.Marshal(document)
	if err != nil {
		return onboarding.Request{}, findings{}, fmt.Errorf("encode a corrected request: %w", err)
	}
	var body NewOnboarding
	if !decodeBody(encoded, &body) {
		return onboarding.Request{}, findings{}, errors.New("decode a corrected request")
	}
	corrected := requestOf(body)
	// Whoever added a number has said whether it may be moved. The contract has no member for that,
	// so a correction keeps it as long as the request names the number.
	corrected.MovePhoneNumbers = slices.DeleteFunc(slices.Clone(r.MovePhoneNumbers), func(number string) bool {
		return !slices.Contains(corrected.PhoneNumbers, number)
	})
	found := check(&corrected, h.config.DefaultPrimaryProfileSID)
	if faults = mergeFaults(faults, found.faults); len(faults) > 0 {
		return onboarding.Request{}, findings{}, invalid(sortFaults(faults))
	}
	return corrected, found, nil
}

// mergedDocument applies the patch to the request in the form of the contract.
func mergedDocument(r onboarding.Request, patch json.RawMessage) (any, error) {
	encoded, err := json.Marshal(requestJSON(r))
	if err != nil {
		return nil, fmt.Errorf("encode a request: %w", err)
	}
	document, err := decodeDocument(encoded)
	if err != nil {
		return nil, err
	}
	change, err := decodeDocument(patch)
	if err != nil {
		return nil, err
	}
	return mergePatch(document, change), nil
}
