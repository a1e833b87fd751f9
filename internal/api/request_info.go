package api

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"

	"github.com/google/uuid"
)

// requestInfo is what is known of one request while it is answered.
type requestInfo struct {
	requestID string
	// logger names the request in every line.
	logger *slog.Logger
	// key is the caller's, once authenticated.
	key Key
}

type requestInfoKey struct{}

// requestInfoOf returns what [requestID] put there.
func requestInfoOf(ctx context.Context) *requestInfo {
	return ctx.Value(requestInfoKey{}).(*requestInfo)
}

// actorOf names the caller for the history of an onboarding.
func actorOf(ctx context.Context) string {
	return "key:" + requestInfoOf(ctx).key.Name
}

const requestIDHeader = "X-Request-Id"

// acceptableRequestID keeps what goes into the log and a URN free of anything that could be taken for something else there.
var acceptableRequestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

// requestID gives each request a name: the caller's, if that may be used, or a new one. It sends the name back, and puts what is known of
// the request into the context.
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
