package api

import (
	"bytes"
	"net/http"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-chi/chi/v5"

	contractdoc "github.com/attestd/attestd/api"
)

func TestTheContractIsServedAsItIs(t *testing.T) {
	t.Parallel()
	a := setup(t).call(http.MethodGet, "/openapi.yaml", nil)
	if !bytes.Equal(a.body, contractdoc.OpenAPI) || a.header.Get("Content-Type") != "application/yaml" {
		t.Errorf("%d bytes of %s, want %d", len(a.body), a.header.Get("Content-Type"), len(contractdoc.OpenAPI))
	}
}

// Each operation of the contract has a route, and no route is missing in the contract.
func TestTheRoutesAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	document, err := openapi3.NewLoader().LoadFromData(contractdoc.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for path, item := range document.Paths.Map() {
		for method := range item.Operations() {
			want = append(want, method+" "+path)
		}
	}
	err = chi.Walk(setup(t).handler.(chi.Routes), func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		got = append(got, method+" "+route)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("routes %v, want %v", got, want)
	}
}

// A fault shows an example of what a pattern wants, so each pattern must have one.
func TestEveryPatternHasAnExample(t *testing.T) {
	t.Parallel()
	document, err := openapi3.NewLoader().LoadFromData(contractdoc.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	var visit func(at string, s *openapi3.Schema)
	visit = func(at string, s *openapi3.Schema) {
		if s.Pattern != "" {
			checked++
			if s.Example == nil {
				t.Errorf("%s has a pattern and no example", at)
			} else if err := s.VisitJSON(s.Example); err != nil {
				t.Errorf("%s: its example does not fit its pattern: %v", at, err)
			}
		}
		for name, property := range s.Properties {
			visit(at+"/"+name, property.Value)
		}
		if s.Items != nil {
			visit(at+"/items", s.Items.Value)
		}
	}
	for name, s := range document.Components.Schemas {
		visit(name, s.Value)
	}
	if checked == 0 {
		t.Error("no pattern was found")
	}
}

// The example in the contract is what people copy: it must be accepted as it stands.
func TestTheExamplesOfTheContractAreAccepted(t *testing.T) {
	t.Parallel()
	document, err := openapi3.NewLoader().LoadFromData(contractdoc.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	examples := document.Paths.Value("/onboardings").Post.RequestBody.Value.Content["application/json"].Examples
	if len(examples) < 2 {
		t.Fatalf("%d examples", len(examples))
	}
	for name, example := range examples {
		a := setup(t).call(http.MethodPost, "/onboardings", example.Value.Value)
		var shown Onboarding
		a.decode(t, &shown)
		if a.status != http.StatusAccepted || len(*shown.Warnings) != 0 {
			t.Errorf("%s: status %d: %s", name, a.status, a.body)
		}
	}
	corrections := document.Paths.Value("/onboardings/{id}").Patch.RequestBody.Value.Content["application/merge-patch+json"].Examples
	if len(corrections) < 3 {
		t.Fatalf("%d examples of corrections", len(corrections))
	}
	for name, example := range corrections {
		b := setup(t)
		b.service.byID[testID] = approvedOnboarding()
		a := b.patch(`"1"`, example.Value.Value)
		var shown Onboarding
		a.decode(t, &shown)
		if a.status != http.StatusAccepted || len(*shown.Warnings) != 0 {
			t.Errorf("%s: status %d: %s", name, a.status, a.body)
		}
	}
}
