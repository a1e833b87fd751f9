package api

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"

	"github.com/go-chi/chi/v5/middleware"
)

// recoverPanics answers a panic with 500 and logs where it came from: its kind and the stack, but its value only if the Go runtime made it,
// because any other may hold what a request said.
func recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			value := recover()
			if value == nil {
				return
			}
			if value == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so as well.
				panic(value)
			}
			kind := fmt.Sprintf("%T", value)
			if err, ok := value.(runtime.Error); ok {
				kind = err.Error()
			}
			requestInfoOf(r.Context()).logger.ErrorContext(r.Context(), "panic", "kind", kind, "stack", string(debug.Stack()))
			if ww, ok := w.(middleware.WrapResponseWriter); ok && ww.Status() != 0 {
				panic(http.ErrAbortHandler) // Half an answer is out: cut the connection, so that nobody takes it for a whole one.
			}
			respondError(w, r, errPanicked)
		}()
		next.ServeHTTP(w, r)
	})
}

// errPanicked stands for a panic where an error is wanted: a panic's own value may hold anything, and is not repeated.
var errPanicked = errors.New("a handler panicked")
