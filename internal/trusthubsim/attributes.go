package trusthubsim

import (
	"encoding/json"
	"slices"
	"strings"
)

// readAttributes reads the body's Attributes, one JSON object in one parameter, and refuses keys
// that the type does not have. Without the parameter it gives back what was there.
func (c *call) readAttributes(kind *objectType, before map[string]any) (map[string]any, *apiError) {
	if !c.form.Has("Attributes") {
		return before, nil
	}
	var read map[string]any
	if err := json.Unmarshal([]byte(c.form.Get("Attributes")), &read); err != nil || read == nil {
		return nil, badRequest(codeAttributesJSON, "Unable to parse attributes JSON")
	}
	var unmapped []string
	for name, value := range read {
		at := slices.IndexFunc(kind.fields, func(f attribute) bool { return f.name == name })
		if at < 0 {
			unmapped = append(unmapped, name)
			continue
		}
		if !fits(value, kind.fields[at].constraint) {
			return nil, badRequest(codeAttributesJSON, "Unable to parse attributes JSON: %s is not a %s", name, kind.fields[at].constraint)
		}
	}
	if len(unmapped) > 0 {
		slices.Sort(unmapped)
		return nil, badRequest(codeUnknownParameters, "Attribute(s) not mapped to object: %s", strings.Join(unmapped, ", "))
	}
	return read, nil
}

// fits reports whether an attribute's value is of its constraint. A List may also come as one text,
// as Twilio's guide sends it.
func fits(value any, constraint string) bool {
	switch v := value.(type) {
	case string:
		return true
	case []any:
		return constraint == "List" && !slices.ContainsFunc(v, func(item any) bool { _, ok := item.(string); return !ok })
	}
	return false
}

// attributeText is an attribute as text, "" where it is missing; a list's items are joined by
// commas.
func attributeText(attributes map[string]any, name string) string {
	switch v := attributes[name].(type) {
	case string:
		return strings.TrimSpace(v)
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i], _ = item.(string)
		}
		return strings.Join(items, ",")
	}
	return ""
}
