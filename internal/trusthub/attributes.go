package trusthub

import (
	"encoding/json"
	"strings"
)

// attributes reads the attributes of an end user or a document. Twilio's specification says only
// that they are an object. A value other than a string comes as JSON; null is left out.
func (r *resource) attributes() map[string]string {
	var raw map[string]json.RawMessage
	_ = json.Unmarshal(r.Attributes, &raw) // Only an object has attributes.
	all := make(map[string]string, len(raw))
	for name, value := range raw {
		if string(value) != "null" {
			all[name] = textOf(value)
		}
	}
	return all
}

// addressSIDs are the addresses in a document's attribute address_sids: one, several with commas in
// between, or a list.
func (r *resource) addressSIDs() []string {
	var raw struct {
		AddressSIDs json.RawMessage `json:"address_sids"`
	}
	_ = json.Unmarshal(r.Attributes, &raw) // Only an object names an address.
	var all []string
	for _, element := range elements(raw.AddressSIDs) {
		for sid := range strings.SplitSeq(textOf(element), ",") {
			if sid = strings.TrimSpace(sid); sid != "" {
				all = append(all, sid)
			}
		}
	}
	return all
}
