package api

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// accessLog writes one line for each request when it has been answered. It names the pattern of the route and never the path, which may
// hold a callback's token, nor the query or anything from the body.
func accessLog(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		defer func() {
			x := exchangeOf(r.Context())
			level := slog.LevelInfo
			route := routeOf(r)
			switch {
			case ww.Status() == http.StatusInternalServerError:
				level = slog.LevelError
			case ww.Status() > http.StatusInternalServerError:
				level = slog.LevelWarn // Twilio or the database, or this server stops: the line before says which.
			case route == "/livez", route == "/readyz":
				level = slog.LevelDebug // A probe every few seconds says nothing as long as all is well.
			}
			attributes := []slog.Attr{
				slog.String("method", r.Method),
				slog.String("route", route),
				slog.Int("status", ww.Status()),
				slog.Duration("duration", time.Since(began)),
				slog.Int("bytes", ww.BytesWritten()),
			}
			if x.key.Name != "" {
				attributes = append(attributes, slog.String("key", x.key.Name))
			}
			x.logger.LogAttrs(r.Context(), level, "request", attributes...)
		}()
		next.ServeHTTP(ww, r)
	})
}

// routeOf returns the pattern of the route that was matched, such as "/onboardings/{id}", or "unmatched".
func routeOf(r *http.Request) string {
	if pattern := chi.RouteContext(r.Context()).RoutePattern(); pattern != "" {
		return pattern
	}
	return "unmatched"
}
