package api

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"

	"github.com/google/uuid"
)

// exchange is what is known of one request while it is answered.
type exchange struct {
	requestID string
	// logger names the request in every line.
	logger *slog.Logger
	// key is the caller's, once authenticated.
	key Key
}

type exchangeKey struct{}

// exchangeOf returns the exchange that [requestID] began.
func exchangeOf(ctx context.Context) *exchange {
	return ctx.Value(exchangeKey{}).(*exchange)
}

// actorOf names the caller for the history of an onboarding.
func actorOf(ctx context.Context) string {
	return "key:" + exchangeOf(ctx).key.Name
}

const requestIDHeader = "X-Request-Id"

// acceptableRequestID keeps what goes into the log and a URN free of anything that could be taken for something else there.
var acceptableRequestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

// requestID begins the exchange: it takes the caller's name for the request, if it may be used, or makes one, and sends it back.
func requestID(logger *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id := r.Header.Get(requestIDHeader)
			if !acceptableRequestID.MatchString(id) {
				id = uuid.Must(uuid.NewV7()).String()
			}
			w.Header().Set(requestIDHeader, id)
			w.Header().Set("X-Content-Type-Options", "nosniff")
			x := &exchange{requestID: id, logger: logger.With("request_id", id)}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x)))
		})
	}
}
