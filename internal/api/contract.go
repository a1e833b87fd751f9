package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	nethttpmiddleware "github.com/oapi-codegen/nethttp-middleware"

	contractdoc "github.com/attestd/attestd/api"
	"github.com/attestd/attestd/internal/onboarding"
)

// contract is the OpenAPI document that the server speaks.
type contract struct {
	document *openapi3.T
}

// loadContract reads the embedded document, once. An error means that the program was built wrong.
var loadContract = sync.OnceValues(func() (*contract, error) {
	document, err := openapi3.NewLoader().LoadFromData(contractdoc.OpenAPI)
	if err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	if err := document.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("validate the OpenAPI document: %w", err)
	}
	document.Servers = nil // Requests are matched by path, under any host.
	return &contract{document: document}, nil
})

// wantsKey tells whether the operation needs a key. All do, but for those that the document
// declares without security.
func (c *contract) wantsKey(method, path string) bool {
	operation := c.operation(method, path)
	if operation == nil || operation.Security == nil {
		return true
	}
	return len(*operation.Security) > 0
}

func (c *contract) operation(method, path string) *openapi3.Operation {
	item := c.document.Paths.Value(path)
	if item == nil {
		return nil
	}
	return item.GetOperation(method)
}

// bodyTypes returns the media types of the body of an operation in reverse alphabetical order:
// application/merge-patch+json comes before application/json. An operation without a body takes
// JSON.
func (c *contract) bodyTypes(method, path string) []string {
	operation := c.operation(method, path)
	if operation == nil || operation.RequestBody == nil {
		return []string{"application/json"}
	}
	types := slices.Sorted(maps.Keys(operation.RequestBody.Value.Content))
	slices.Reverse(types)
	return types
}

// faultsOf returns the faults that the contract finds in a decoded document of this schema.
func (c *contract) faultsOf(schema string, document any) ([]Fault, error) {
	err := c.document.Components.Schemas[schema].Value.VisitJSON(document, openapi3.VisitAsRequest(), openapi3.MultiErrors())
	if err == nil {
		return nil, nil
	}
	return readSchemaFaults(err)
}

// validate refuses a request that breaks the contract, and names every fault at once. For a JSON
// body that breaks the contract, moreFaults adds the faults that only our own rules find.
func (c *contract) validate(moreFaults func(r *http.Request, body []byte) []Fault) func(http.Handler) http.Handler {
	validator := nethttpmiddleware.OapiRequestValidatorWithOptions(c.document, &nethttpmiddleware.Options{
		Options: openapi3filter.Options{
			MultiError: true,
			// Setting defaults rewrites the query and drops its unreadable parts before anybody has
			// seen them.
			SkipSettingDefaults: true,
			// The key was checked before the body was read.
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		},
		ErrorHandlerWithOpts: func(_ context.Context, err error, w http.ResponseWriter, r *http.Request, _ nethttpmiddleware.ErrorHandlerOpts) {
			faults, refusal := contractFaults(err)
			if refusal == nil {
				faults = append(c.parameterFaults(r), faults...)
				if body, readErr := io.ReadAll(r.Body); readErr == nil && len(body) > 0 {
					faults = mergeFaults(faults, moreFaults(r, body))
				}
				refusal = invalid(sortFaults(faults))
			}
			respondError(w, r, refusal)
		},
	})
	return func(next http.Handler) http.Handler {
		return validator(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if faults := c.parameterFaults(r); len(faults) > 0 {
				respondError(w, r, invalid(faults))
				return
			}
			next.ServeHTTP(w, r)
		}))
	}
}

// parameterFaults finds faults that the validator passes over: a query parameter that the operation
// does not have, a query parameter or header that is given twice, and text that no database takes.
// A filter with a slip in its name must not select everything.
func (c *contract) parameterFaults(r *http.Request) []Fault {
	operation := c.operation(r.Method, routeOf(r)) // There is one: the route is the contract's.
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return []Fault{{Code: "format", Detail: "The query cannot be read. Write each parameter as name=value, percent-encoded, with & between them."}}
	}
	var faults []Fault
	for name, values := range query {
		fault := func(code, detail string) {
			faults = append(faults, Fault{Parameter: &name, Code: code, Detail: detail})
		}
		switch {
		case operation.Parameters.GetByInAndName(openapi3.ParameterInQuery, name) == nil:
			fault("unknown_parameter", "There is no such query parameter here. Leave it out, or correct its name.")
		case len(values) > 1:
			fault("duplicate", "Give this parameter once.")
		case !utf8.ValidString(values[0]) || strings.ContainsFunc(values[0], isUnfit):
			fault("control_character", "This has a character that cannot be shown. Take it out.")
		}
	}
	for _, p := range operation.Parameters {
		if name := p.Value.Name; p.Value.In == openapi3.ParameterInHeader && len(r.Header.Values(name)) > 1 {
			faults = append(faults, Fault{Parameter: &name, Code: "duplicate", Detail: "Send this header once."})
		}
	}
	return sortFaults(faults)
}

// contractFaults translates the errors of the validator. A fault in the path is a 404. An error
// that is not about the content of the request is a refusal of its own.
func contractFaults(err error) (faults []Fault, refusal error) {
	var found openapi3.MultiError
	if !errors.As(err, &found) {
		found = openapi3.MultiError{err}
	}
	for _, e := range found {
		var request *openapi3filter.RequestError
		var unrouted *routers.RouteError
		switch {
		case errors.As(e, &unrouted):
			// The path has an empty segment, which the two routers read differently.
			return nil, problem(problemNotFound, "There is no such path. The paths are in /openapi.yaml.")
		case !errors.As(e, &request):
			return nil, fmt.Errorf("validate a request against the contract: %w", e)
		case request.Parameter != nil && request.Parameter.In == openapi3.ParameterInPath:
			return nil, malformedName(request.Parameter.Name)
		case request.Parameter != nil && request.Parameter.Name == ifMatchHeader && request.Input.Request.Header.Get(ifMatchHeader) == "":
			return nil, problem(problemPreconditionRequired,
				"Send the ETag of the onboarding that you correct as If-Match, so that nobody else's correction is undone.")
		case request.Parameter != nil:
			faults = append(faults, parameterFault(request))
		case request.Err == nil:
			return nil, fmt.Errorf("validate a request against the contract: %w", request)
		case errors.Is(request.Err, openapi3filter.ErrInvalidRequired):
			faults = append(faults, Fault{Code: "required", Detail: "Send a JSON body."})
		default:
			more, err := readSchemaFaults(request.Err)
			if err != nil {
				return nil, err
			}
			faults = append(faults, more...)
		}
	}
	return faults, nil
}

// malformedName is the problem of a path in which this parameter is malformed: nothing has such a
// name.
func malformedName(parameter string) error {
	if parameter == "sid" {
		return onboarding.ErrNoSubaccount
	}
	return onboarding.ErrNotFound
}

// parameterFault is the fault of a query parameter or header.
func parameterFault(e *openapi3filter.RequestError) Fault {
	name := e.Parameter.Name
	fault := Fault{Parameter: &name, Code: "format"}
	var schemaErr *openapi3.SchemaError
	switch {
	case errors.Is(e.Err, openapi3filter.ErrInvalidEmptyValue):
		fault.Code, fault.Detail = "empty", "Give it a value, or leave it out."
	case errors.As(e.Err, &schemaErr):
		fault.Code, fault.Detail = explainSchemaError(schemaErr)
	case e.Parameter.Schema != nil && e.Parameter.Schema.Value.Type.Is(openapi3.TypeInteger):
		fault.Code, fault.Detail = "type", "It must be a whole number."
	default:
		fault.Detail = "It cannot be read."
	}
	return fault
}

// decodeBody decodes as much of a JSON body as fits v. It leaves out members of the wrong type and
// reads the rest.
func decodeBody(body []byte, v any) bool {
	err := json.Unmarshal(body, v)
	var wrongType *json.UnmarshalTypeError
	return err == nil || errors.As(err, &wrongType)
}
