package trusthub

import (
	"encoding/json"
	"strings"
)

// attributes reads the attributes of an end user or a document, of which Twilio's specification says only that they are an object. A value
// that is no string comes as it is written; one that is null is left out.
func (r *resource) attributes() map[string]string {
	var raw map[string]json.RawMessage
	_ = json.Unmarshal(r.Attributes, &raw) // What is no object has no attributes.
	all := make(map[string]string, len(raw))
	for name, value := range raw {
		if string(value) != "null" {
			all[name] = textOf(value)
		}
	}
	return all
}

// addressSIDs are the addresses that a document names in its attribute address_sids: one, several with commas between them, or a list.
func (r *resource) addressSIDs() []string {
	var raw struct {
		AddressSIDs json.RawMessage `json:"address_sids"`
	}
	_ = json.Unmarshal(r.Attributes, &raw) // What is no object names no address.
	var all []string
	for _, entry := range entries(raw.AddressSIDs) {
		for sid := range strings.SplitSeq(textOf(entry), ",") {
			if sid = strings.TrimSpace(sid); sid != "" {
				all = append(all, sid)
			}
		}
	}
	return all
}
