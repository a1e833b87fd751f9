package api

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"

	"github.com/google/uuid"
)

// requestInfo is what is known of a request while it is answered.
type requestInfo struct {
	requestID string
	// logger adds the ID of the request to every line.
	logger *slog.Logger
	// key is the key of the caller, once it was checked.
	key Key
}

type requestInfoKey struct{}

// requestInfoOf returns what [requestID] has put into the context.
func requestInfoOf(ctx context.Context) *requestInfo {
	return ctx.Value(requestInfoKey{}).(*requestInfo)
}

// actorOf names the caller in the events of an onboarding.
func actorOf(ctx context.Context) string {
	return "key:" + requestInfoOf(ctx).key.Name
}

const requestIDHeader = "X-Request-Id"

// acceptableRequestID has no character that could break a line of the log or a URN.
var acceptableRequestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

// requestID gives each request an ID: the one that the caller has sent, if it is acceptable, or a
// new one. It sends the ID back, and puts the requestInfo into the context.
func requestID(logger *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id := r.Header.Get(requestIDHeader)
			if !acceptableRequestID.MatchString(id) {
				id = uuid.Must(uuid.NewV7()).String()
			}
			w.Header().Set(requestIDHeader, id)
			w.Header().Set("X-Content-Type-Options", "nosniff")
			x := &requestInfo{requestID: id, logger: logger.With("request_id", id)}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestInfoKey{}, x)))
		})
	}
}
