package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/desk"
)

// problemKind is a kind of problem. Its type URI is part of the contract and never changes.
type problemKind struct {
	name   string
	status int
	title  string
}

var (
	problemMalformedBody        = problemKind{"malformed-body", http.StatusBadRequest, "The body cannot be read"}
	problemUnauthorized         = problemKind{"unauthorized", http.StatusUnauthorized, "A key is needed"}
	problemForbidden            = problemKind{"forbidden", http.StatusForbidden, "This is not allowed"}
	problemNotFound             = problemKind{"not-found", http.StatusNotFound, "Not found"}
	problemMethodNotAllowed     = problemKind{"method-not-allowed", http.StatusMethodNotAllowed, "The method is not allowed here"}
	problemConflict             = problemKind{"conflict", http.StatusConflict, "Another onboarding is in the way"}
	problemCorrectionRefused    = problemKind{"correction-refused", http.StatusConflict, "The correction is refused"}
	problemPreconditionFailed   = problemKind{"precondition-failed", http.StatusPreconditionFailed, "The onboarding has another version"}
	problemBodyTooLarge         = problemKind{"body-too-large", http.StatusRequestEntityTooLarge, "The body is too large"}
	problemUnsupportedMediaType = problemKind{"unsupported-media-type", http.StatusUnsupportedMediaType, "The media type is not supported"}
	problemValidationFailed     = problemKind{"validation-failed", http.StatusUnprocessableEntity, "The request has faults"}
	problemPreconditionRequired = problemKind{"precondition-required", http.StatusPreconditionRequired, "If-Match is needed"}
	problemInternal             = problemKind{"internal", http.StatusInternalServerError, "Something went wrong"}
	problemTwilioFailed         = problemKind{"twilio-failed", http.StatusBadGateway, "Twilio has not done what was asked"}
	problemUnavailable          = problemKind{"unavailable", http.StatusServiceUnavailable, "Not available at the moment"}
)

// problemError is an error that says how it is answered.
type problemError struct {
	kind          problemKind
	detail        string
	faults        []Fault
	conflictingID onboarding.ID
	// code says why a correction is refused.
	code string
	// twilio is what Twilio said, if the answer needed a call to Twilio.
	twilio *TwilioFailure
	// retryAfter is when a new try is worth while, for problemUnavailable; 0 if nobody knows.
	retryAfter time.Duration
	// cause is logged and not answered.
	cause error
}

func (e *problemError) Error() string {
	if e.cause != nil {
		return e.kind.name + ": " + e.cause.Error()
	}
	return e.kind.name
}

func (e *problemError) Unwrap() error { return e.cause }

func problem(kind problemKind, detail string) *problemError {
	return &problemError{kind: kind, detail: detail}
}

// invalid is the problem of a request with faults. There must be one at least.
func invalid(faults []Fault) *problemError {
	detail := "1 fault must be put right, see errors."
	if len(faults) > 1 {
		detail = fmt.Sprintf("%d faults must be put right, see errors.", len(faults))
	}
	return &problemError{kind: problemValidationFailed, detail: detail, faults: faults}
}

// asProblem decides how an error is answered. No other place does. An unknown error is a fault of
// ours: it is answered by 500 and without its text.
func asProblem(err error) *problemError {
	var p *problemError
	var conflict *onboarding.ConflictError
	var refused *desk.RefusedError
	var remote *onboarding.RemoteError
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, onboarding.ErrNotFound):
		return problem(problemNotFound, "There is no such onboarding.")
	case errors.Is(err, desk.ErrNumberNotFound):
		return problem(problemNotFound, "The onboarding has no such phone number.")
	case errors.Is(err, onboarding.ErrNoSubaccount):
		return problem(problemNotFound, "The account that attestd is configured with has no such subaccount.")
	case errors.As(err, &conflict):
		detail := fmt.Sprintf("Onboarding %s already has this %s.", conflict.ID, conflict.Field)
		return &problemError{
			kind:          problemConflict,
			detail:        detail,
			faults:        []Fault{{Pointer: "/" + conflict.Field, Code: "conflict", Detail: detail}},
			conflictingID: conflict.ID,
		}
	case errors.Is(err, desk.ErrVersion):
		return problem(problemPreconditionFailed,
			"If-Match is not the ETag that the onboarding has now. Read it again, and send its ETag if your correction still applies.")
	case errors.As(err, &refused):
		return &problemError{kind: problemCorrectionRefused, detail: refused.Reason, code: refused.Code}
	case errors.As(err, &remote):
		return twilioProblem(remote)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &problemError{kind: problemUnavailable, detail: "The answer took too long. Try again.", cause: err}
	default:
		return &problemError{
			kind:   problemInternal,
			detail: "The fault is ours and has been logged. Quote the instance when you report it.",
			cause:  err,
		}
	}
}

// respondError answers err, and logs its cause if it has one.
func respondError(w http.ResponseWriter, r *http.Request, err error) {
	p := asProblem(err)
	x := requestInfoOf(r.Context())
	if p.cause != nil {
		level := slog.LevelWarn
		switch {
		case r.Context().Err() != nil:
			level = slog.LevelInfo // The client has gone.
		case p.kind == problemInternal:
			level = slog.LevelError
		}
		x.logger.Log(r.Context(), level, "request failed", "problem", p.kind.name, "error", p.cause.Error())
	}

	instance := "urn:attestd:request:" + x.requestID
	body := Problem{
		Type:     "urn:attestd:problem:" + p.kind.name,
		Title:    p.kind.title,
		Status:   p.kind.status,
		Detail:   p.detail,
		Instance: &instance,
	}
	if len(p.faults) > 0 {
		body.Errors = &p.faults
	}
	if p.conflictingID != "" {
		id := string(p.conflictingID)
		body.ConflictingOnboardingID = &id
	}
	body.Code = orNull(p.code)
	body.Twilio = p.twilio
	encoded, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("encode a problem: %v", err)) // It has strings and numbers only.
	}

	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	switch p.kind {
	case problemUnauthorized:
		challenge := `Bearer realm="attestd"`
		if r.Header.Get("Authorization") != "" {
			challenge += `, error="invalid_token"`
		}
		h.Set("WWW-Authenticate", challenge)
	case problemUnavailable:
		h.Set("Retry-After", retryAfterSeconds(p.retryAfter))
	case problemCorrectionRefused:
		if p.code == "busy" { // A call that is under way ends within seconds.
			h.Set("Retry-After", "2")
		}
	}
	w.WriteHeader(p.kind.status)
	_, _ = w.Write(encoded) // A client that has gone reads nothing.
}

// notFound answers a path that does not exist.
func notFound(w http.ResponseWriter, r *http.Request) {
	respondError(w, r, problem(problemNotFound, "There is no such path. The paths are in /openapi.yaml."))
}

// methodNotAllowed answers a path that exists, but not with this method. allowed returns the
// methods of a path.
func methodNotAllowed(allowed func(path string) []string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		methods := strings.Join(allowed(r.URL.Path), ", ")
		w.Header().Set("Allow", methods)
		respondError(w, r, problem(problemMethodNotAllowed, "This path takes: "+methods+"."))
	}
}
