package api

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
)

// New returns the API's handler. It fails only if the contract that is built in cannot be read.
//
// Time limits are the http.Server's.
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

// unescapePath lets a path be matched as it is meant: "%2B" is "+". The routers would take it as it is
// written. A slash stays escaped, so that it parts no segments; no parameter of ours has one.
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

// whenKeyWanted applies the middleware to those operations that want a key by the contract.
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

// respondUndecodable answers what passed the contract and still could not be decoded into the types generated from it. Both come from one
// document, so this would be a fault of ours.
func respondUndecodable(w http.ResponseWriter, r *http.Request, err error) {
	respondError(w, r, fmt.Errorf("decode a request that the contract allows: %w", err))
}

// allowedMethods returns the methods that there are for a path, sorted.
func allowedMethods(routes chi.Routes, path string) []string {
	var methods []string
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodPatch, http.MethodPost, http.MethodPut} {
		if routes.Match(chi.NewRouteContext(), method, path) {
			methods = append(methods, method)
		}
	}
	return methods
}
