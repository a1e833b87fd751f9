package api

import (
	"errors"
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// schemaFaults turns the errors of a schema into faults with texts of our own.
type schemaFaults struct {
	faults []Fault
	// unknownSeen holds the pointers of objects whose unknown members are listed already. The
	// validator reports an error for each of them, and each error lists all.
	unknownSeen map[string]bool
}

// readSchemaFaults returns the faults that a schema found in a document. An error that cannot be
// read is a fault of ours.
func readSchemaFaults(err error) ([]Fault, error) {
	collected := &schemaFaults{unknownSeen: map[string]bool{}}
	collected.add(err)
	if len(collected.faults) == 0 {
		return nil, fmt.Errorf("validate against the contract: %w", err)
	}
	return collected.faults, nil
}

func (f *schemaFaults) add(err error) {
	var many openapi3.MultiError
	//nolint:errorlint // MultiError.As looks into its parts; here the list itself is needed.
	if m, ok := err.(openapi3.MultiError); ok {
		many = m
	}
	for _, e := range many {
		f.add(e)
	}
	if many != nil {
		return
	}
	var e *openapi3.SchemaError
	if !errors.As(err, &e) {
		return
	}
	at := pointerOf(e.JSONPointer())
	if e.SchemaField == "oneOf" {
		f.addOneOf(at, e)
		return
	}
	if e.SchemaField == "properties" {
		f.addUnknown(at, e)
		return
	}
	code, detail := explainSchemaError(e)
	f.faults = append(f.faults, Fault{Pointer: at, Code: code, Detail: detail})
}

// addOneOf explains why a value fits none of several schemas: by its faults under the schema that
// has its type.
func (f *schemaFaults) addOneOf(at string, e *openapi3.SchemaError) {
	var names []string
	for _, branch := range e.Schema.OneOf {
		if branch.Value.Type.Is(typeOf(e.Value)) {
			inner := &schemaFaults{unknownSeen: f.unknownSeen}
			inner.add(branch.Value.VisitJSON(e.Value, openapi3.VisitAsRequest(), openapi3.MultiErrors()))
			for _, fault := range inner.faults {
				fault.Pointer = at + fault.Pointer
				f.faults = append(f.faults, fault)
			}
			return
		}
		names = append(names, typeName(branch.Value))
	}
	f.faults = append(f.faults, Fault{Pointer: at, Code: "type", Detail: "This must be " + strings.Join(names, " or ") + "."})
}

// typeOf is the contract's name for the type of a decoded value, for the types that a schema here
// chooses between.
func typeOf(v any) string {
	switch v.(type) {
	case []any:
		return openapi3.TypeArray
	case string:
		return openapi3.TypeString
	default:
		return ""
	}
}

func (f *schemaFaults) addUnknown(at string, e *openapi3.SchemaError) {
	if f.unknownSeen[at] {
		return
	}
	f.unknownSeen[at] = true
	object, _ := e.Value.(map[string]any)
	for name := range object {
		if _, known := e.Schema.Properties[name]; !known {
			f.faults = append(f.faults, Fault{
				Pointer: at + "/" + escapePointer(name),
				Code:    "unknown_member",
				Detail:  "There is no such member here. Leave it out, or correct its name.",
			})
		}
	}
}

// explainSchemaError returns the code of a fault and what to change. It does not repeat the value.
func explainSchemaError(e *openapi3.SchemaError) (code, detail string) {
	s := e.Schema
	switch e.SchemaField {
	case "required":
		return "required", "This member is needed."
	case "nullable":
		return "null", "This must not be null."
	case "type":
		return "type", "This must be " + typeName(s) + "."
	case "enum":
		if e.Value == nil {
			return "null", "This must not be null."
		}
		return "not_allowed", "This must be one of: " + enumeration(s.Enum) + "."
	case "minLength":
		return "empty", "This must not be empty."
	case "maxLength":
		return "too_long", fmt.Sprintf("This may have %d characters at most.", *s.MaxLength)
	case "minItems":
		return "too_few", fmt.Sprintf("This needs %d at least.", s.MinItems)
	case "maxItems":
		return "too_many", fmt.Sprintf("This may have %d at most.", *s.MaxItems)
	case "uniqueItems":
		return "duplicate", "Name each once."
	case "minimum", "maximum":
		return "out_of_range", fmt.Sprintf("This must be from %g to %g.", *s.Min, *s.Max)
	case "pattern":
		return "format", fmt.Sprintf("This must look like %v.", s.Example)
	default:
		return "format", "This is not as the contract wants it."
	}
}

func typeName(s *openapi3.Schema) string {
	switch {
	case s.Type.Is(openapi3.TypeString):
		return "a string"
	case s.Type.Is(openapi3.TypeInteger):
		return "a whole number"
	case s.Type.Is(openapi3.TypeArray):
		return "an array"
	default:
		return "an object"
	}
}

func enumeration(values []any) string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = fmt.Sprint(v)
	}
	return strings.Join(names, ", ")
}
