package api

import (
	"bytes"
	"context"
	"time"

	contractdoc "github.com/attestd/attestd/api"
)

// readyTimeout bounds how long a probe waits.
const readyTimeout = 2 * time.Second

// GetLiveness says that the process lives.
func (h *operationHandlers) GetLiveness(context.Context, GetLivenessRequestObject) (GetLivenessResponseObject, error) {
	return GetLiveness200JSONResponse{Status: HealthStatusOk}, nil
}

// GetReadiness says whether the server can take requests.
func (h *operationHandlers) GetReadiness(ctx context.Context, _ GetReadinessRequestObject) (GetReadinessResponseObject, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := h.config.Ready(ctx); err != nil {
		return nil, &problemError{kind: problemUnavailable, detail: "The server takes no requests at the moment.", cause: err}
	}
	return GetReadiness200JSONResponse{Status: HealthStatusOk}, nil
}

// GetContract serves the document by which requests are validated.
func (h *operationHandlers) GetContract(context.Context, GetContractRequestObject) (GetContractResponseObject, error) {
	return GetContract200ApplicationYamlResponse{
		Body:          bytes.NewReader(contractdoc.OpenAPI),
		ContentLength: int64(len(contractdoc.OpenAPI)),
	}, nil
}
