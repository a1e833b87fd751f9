package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	contractdoc "github.com/attestd/attestd/api"
)

// strictContract is the contract, read once, with closed objects: a member of an answer that the
// document does not have is an error.
var strictContract = sync.OnceValue(func() routers.Router {
	document, err := openapi3.NewLoader().LoadFromData(contractdoc.OpenAPI)
	if err != nil {
		panic(err)
	}
	document.Servers = nil
	closed := false
	for _, schema := range document.Components.Schemas {
		if schema.Value.Type.Is(openapi3.TypeObject) {
			schema.Value.AdditionalProperties = openapi3.BoolSchema{Has: &closed}
		}
	}
	router, err := gorillamux.NewRouter(document)
	if err != nil {
		panic(err)
	}
	return router
})

// offContract returns how an answer differs from the contract, or nil.
func offContract(r *http.Request, response *http.Response, body []byte) error {
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/yaml") {
		return nil // The contract itself, which is declared to be text.
	}
	route, parameters, err := strictContract().FindRoute(r)
	if err != nil {
		return nil //nolint:nilerr // No operation of the contract, which has nothing to say then.
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: parameters, Route: route},
		Status:                 response.StatusCode,
		Header:                 response.Header,
		Options:                &openapi3filter.Options{IncludeResponseStatus: true},
	}
	if err := openapi3filter.ValidateResponse(r.Context(), input.SetBodyBytes(body)); err != nil {
		return fmt.Errorf("%s %s: the answer is not as the contract has it: %w", r.Method, r.URL.Path, err)
	}
	return nil
}
