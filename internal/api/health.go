package api

import (
	"bytes"
	"context"
	"time"

	contractdoc "github.com/attestd/attestd/api"
)

// readyTimeout bounds what a probe waits for.
const readyTimeout = 2 * time.Second

// GetLiveness tells that the process lives.
func (h *operationHandlers) GetLiveness(context.Context, GetLivenessRequestObject) (GetLivenessResponseObject, error) {
	return GetLiveness200JSONResponse{Status: HealthStatusOk}, nil
}

// GetReadiness tells whether requests can be taken.
func (h *operationHandlers) GetReadiness(ctx context.Context, _ GetReadinessRequestObject) (GetReadinessResponseObject, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := h.config.Ready(ctx); err != nil {
		return nil, &problemError{kind: problemUnavailable, detail: "The server takes no requests at the moment.", cause: err}
	}
	return GetReadiness200JSONResponse{Status: HealthStatusOk}, nil
}

// GetContract serves the document that requests are validated with.
func (h *operationHandlers) GetContract(context.Context, GetContractRequestObject) (GetContractResponseObject, error) {
	return GetContract200ApplicationYamlResponse{
		Body:          bytes.NewReader(contractdoc.OpenAPI),
		ContentLength: int64(len(contractdoc.OpenAPI)),
	}, nil
}
