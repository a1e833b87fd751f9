package api

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// accessLog writes one line for each answered request. The line names the pattern of the route. It
// has no path, because a path may hold the token of a callback, no query, and nothing of the body.
func accessLog(now func() time.Time) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			began := now()
			ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
			defer func() { logAnswer(r, ww, now().Sub(began)) }()
			next.ServeHTTP(ww, r)
		})
	}
}

// logAnswer writes the line of one answer.
func logAnswer(r *http.Request, answer middleware.WrapResponseWriter, took time.Duration) {
	level := slog.LevelInfo
	route := routeOf(r)
	switch {
	case answer.Status() == http.StatusInternalServerError:
		level = slog.LevelError
	case answer.Status() > http.StatusInternalServerError:
		// Twilio or the database failed, or this server stops. The line before says which.
		level = slog.LevelWarn
	case route == "/livez", route == "/readyz":
		// A probe comes every few seconds, and says nothing as long as all is well.
		level = slog.LevelDebug
	}
	attributes := []slog.Attr{
		slog.String("method", r.Method),
		slog.String("route", route),
		slog.Int("status", answer.Status()),
		slog.Duration("duration", took),
		slog.Int("bytes", answer.BytesWritten()),
	}
	info := requestInfoOf(r.Context())
	if info.key.Name != "" {
		attributes = append(attributes, slog.String("key", info.key.Name))
	}
	info.logger.LogAttrs(r.Context(), level, "request", attributes...)
}

// routeOf returns the pattern of the matched route, such as "/onboardings/{id}", or "unmatched".
func routeOf(r *http.Request) string {
	if pattern := chi.RouteContext(r.Context()).RoutePattern(); pattern != "" {
		return pattern
	}
	return "unmatched"
}
