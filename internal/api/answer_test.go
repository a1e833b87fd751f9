package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	contractdoc "github.com/attestd/attestd/api"
)

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) decode(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("decode %s: %v", a.body, err)
	}
}

func (a answer) problem(t *testing.T) Problem {
	t.Helper()
	var p Problem
	a.decode(t, &p)
	return p
}

// strictContract is the contract, read once, with closed objects: a member of an answer that the
// document does not have is an error.
var strictContract = sync.OnceValues(func() (routers.Router, *openapi3.T) {
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
	return router, document
})

func checkAnswer(t *testing.T, r *http.Request, response *http.Response, body []byte) {
	t.Helper()
	router, document := strictContract()
	route, parameters, err := router.FindRoute(r)
	if err != nil {
		// No operation of the contract, and so a problem.
		var decoded any
		if err := json.Unmarshal(body, &decoded); err != nil {
			t.Fatalf("%s %s: answer outside the contract is no JSON: %v", r.Method, r.URL.Path, err)
		}
		if err := document.Components.Schemas["Problem"].Value.VisitJSON(decoded); err != nil {
			t.Errorf("%s %s: answer outside the contract is no problem: %v", r.Method, r.URL.Path, err)
		}
		return
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: parameters, Route: route},
		Status:                 response.StatusCode,
		Header:                 response.Header,
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	input.SetBodyBytes(body)
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/yaml") {
		// It is declared to be text, and the validator would read it as YAML.
		input.Options.ExcludeResponseBody = true
	}
	if err := openapi3filter.ValidateResponse(context.Background(), input); err != nil {
		t.Errorf("%s %s: the answer is not as the contract has it: %v", r.Method, r.URL.Path, err)
	}
}
