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

// AmendOnboarding corrects the request of the version that If-Match names.
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

// correct applies a merge patch to the request in the contract's shape. What results is checked as the body of a POST is: by the contract and
// by our own rules, with every fault at once. Members that the patch leaves alone are written as they are stored, which those rules allow.
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
	// Which numbers may be moved is asked when they are added, and no member of the request: it holds as long as the number is named.
	corrected.MovePhoneNumbers = slices.DeleteFunc(slices.Clone(r.MovePhoneNumbers), func(number string) bool {
		return !slices.Contains(corrected.PhoneNumbers, number)
	})
	found := check(&corrected, h.config.DefaultPrimaryProfileSID)
	if faults = mergeFaults(faults, found.faults); len(faults) > 0 {
		return onboarding.Request{}, findings{}, invalid(sortFaults(faults))
	}
	return corrected, found, nil
}

// mergedDocument is the request in the contract's shape with the patch applied to it.
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
