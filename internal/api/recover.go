package api

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"

	"github.com/go-chi/chi/v5/middleware"
)

// recoverPanics answers a panic by 500. It logs the type of the value and the stack. It logs the
// value only if the Go runtime made it, because any other value may hold a part of the request.
func recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			value := recover()
			if value == nil {
				return
			}
			if value == http.ErrAbortHandler { //nolint:errorlint // As net/http does.
				panic(value)
			}
			kind := fmt.Sprintf("%T", value)
			if err, ok := value.(runtime.Error); ok {
				kind = err.Error()
			}
			requestInfoOf(r.Context()).logger.ErrorContext(r.Context(), "panic", "kind", kind, "stack", string(debug.Stack()))
			if ww, ok := w.(middleware.WrapResponseWriter); ok && ww.Status() != 0 {
				// A part of the answer is out. Cutting the connection shows the client that it is
				// not whole.
				panic(http.ErrAbortHandler)
			}
			respondError(w, r, errPanicked)
		}()
		next.ServeHTTP(w, r)
	})
}

// errPanicked stands for a panic where an error is needed. The value of the panic is not repeated,
// because it may hold anything.
var errPanicked = errors.New("a handler panicked")
