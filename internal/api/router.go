package api

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
)

// New returns the handler of the API. It fails only if the embedded contract cannot be read.
//
// The http.Server sets the time limits.
func New(c Config) (http.Handler, error) {
	contract, err := loadContract()
	if err != nil {
		return nil, fmt.Errorf("make the API: %w", err)
	}
	if c.CallbackAuth == "" {
		c.CallbackAuth = CallbackSignature
	}

	root := chi.NewRouter()
	root.Use(requestID(c.Logger), accessLog(c.Now), recoverPanics, unescapePath)
	root.NotFound(notFound)
	root.MethodNotAllowed(methodNotAllowed(func(path string) []string { return allowedMethods(root, path) }))

	root.Post(callbackPath+"{token}", callbackHandler(c))

	checkRequest := contract.validate(func(r *http.Request, body []byte) []Fault { return domainFaults(r, body, c.DefaultPrimaryProfileSID) })
	operations := root.With(whenKeyWanted(contract, authenticate(c.Keys)), readJSON(contract), checkRequest)
	HandlerWithOptions(
		NewStrictHandlerWithOptions(&operationHandlers{config: c, contract: contract}, nil, StrictHTTPServerOptions{
			RequestErrorHandlerFunc:  respondUndecodable,
			ResponseErrorHandlerFunc: respondError,
		}),
		ChiServerOptions{BaseRouter: operations, ErrorHandlerFunc: respondUndecodable},
	)
	return root, nil
}

// unescapePath decodes the path before it is matched, so that "%2B" is "+". The routers would take
// it as it is written. A slash stays escaped, so that it separates no segments; no parameter of
// ours has one.
func unescapePath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawPath != "" && !strings.Contains(strings.ToUpper(r.URL.RawPath), "%2F") {
			meant := *r.URL
			meant.RawPath = ""
			r = r.Clone(r.Context())
			r.URL = &meant
		}
		next.ServeHTTP(w, r)
	})
}

// whenKeyWanted applies the middleware to the operations that need a key by the contract.
func whenKeyWanted(c *contract, authenticate func(http.Handler) http.Handler) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		authenticated := authenticate(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c.wantsKey(r.Method, routeOf(r)) {
				authenticated.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// respondUndecodable answers a request that has passed the contract and does not fit the types that
// are generated from it. Both come from one document, so this is a fault of ours.
func respondUndecodable(w http.ResponseWriter, r *http.Request, err error) {
	respondError(w, r, fmt.Errorf("decode a request that the contract allows: %w", err))
}

// allowedMethods returns the methods of a path, sorted.
func allowedMethods(routes chi.Routes, path string) []string {
	var methods []string
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodPatch, http.MethodPost, http.MethodPut} {
		if routes.Match(chi.NewRouteContext(), method, path) {
			methods = append(methods, method)
		}
	}
	return methods
}
