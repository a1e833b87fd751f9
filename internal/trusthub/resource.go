package trusthub

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// resource is what we read of a resource, whichever it is: the union of the fields that matter. Absent and null fields stay empty.
type resource struct {
	SID                string `json:"sid"`
	AccountSID         string `json:"account_sid"`
	FriendlyName       string `json:"friendly_name"`
	DateCreated        moment `json:"date_created"`
	Type               string `json:"type"`                 // of an end user or a document
	ObjectSID          string `json:"object_sid"`           // of an entity assignment
	ChannelEndpointSID string `json:"channel_endpoint_sid"` // of a number's assignment

	// Attributes are an end user's or a document's, Capabilities an incoming phone number's.
	Attributes   json.RawMessage `json:"attributes"`
	Capabilities json.RawMessage `json:"capabilities"`
	PhoneNumber  string          `json:"phone_number"` // of an incoming phone number

	// Of a bundle.
	PolicySID  string          `json:"policy_sid"`
	Status     string          `json:"status"`
	ValidUntil moment          `json:"valid_until"`
	Errors     json.RawMessage `json:"errors"`

	// Of an evaluation, which has a status too.
	Results json.RawMessage `json:"results"`

	// Of an account, which has a status too.
	OwnerAccountSID string `json:"owner_account_sid"`
	AuthToken       string `json:"auth_token"`
}

// resource reads the resource that a call was answered. err is what the generated method returned.
func (k *call) resource(err error) (resource, error) {
	var r resource
	if err != nil {
		return r, failed(err)
	}
	if unmarshal(k.body, &r) != nil || r.SID == "" {
		return resource{}, k.fail(outcome{unreadable: true}, errUnreadable)
	}
	return r, nil
}

// object is resource for calls of which only the SID and the date matter.
func (k *call) object(err error) (onboarding.Object, error) {
	r, err := k.resource(err)
	if err != nil {
		return onboarding.Object{}, err
	}
	return r.object(), nil
}

// gone reads the answer to a deletion: what is not there is as good as deleted. (The status is this call's: an account that is not there
// is no answer to it.) Any other success than Twilio's 204 is somebody else's, and says nothing.
func (k *call) gone(err error) error {
	switch {
	case k.status == http.StatusNotFound:
		return nil
	case err != nil:
		return failed(err)
	case k.status != http.StatusNoContent:
		return k.fail(outcome{unreadable: true}, errUnreadable)
	}
	return nil
}

func (r *resource) object() onboarding.Object {
	return onboarding.Object{SID: r.SID, CreatedAt: r.DateCreated.Time}
}

// objects returns the resources as objects, oldest first. Twilio's dates have whole seconds: within one the SIDs decide, so that every
// replica takes the same one for the oldest.
func objects(found []resource) []onboarding.Object {
	slices.SortFunc(found, byAge)
	all := make([]onboarding.Object, 0, len(found))
	for i := range found {
		all = append(all, found[i].object())
	}
	return all
}

func byAge(a, b resource) int {
	if c := a.DateCreated.Compare(b.DateCreated.Time); c != 0 {
		return c
	}
	return strings.Compare(a.SID, b.SID)
}

// moment is a date as Twilio writes it: ISO 8601 in Trust Hub, RFC 2822 in the API of 2010-04-01. One in neither form is left zero: a
// date is never worth losing a SID for.
type moment struct{ time.Time }

var momentLayouts = []string{
	time.RFC3339Nano,
	time.RFC1123Z,
	"Mon, 2 Jan 2006 15:04:05 -0700",
	time.RFC1123,
	"2006-01-02T15:04:05",
}

// UnmarshalJSON never fails.
func (m *moment) UnmarshalJSON(b []byte) error {
	var text string
	_ = json.Unmarshal(b, &text) // What is no text is in none of the forms.
	for _, layout := range momentLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			m.Time = t.UTC()
			return nil
		}
	}
	return nil
}

// code is an error code, as a number or as a string that holds one; 0 if it is neither.
type code int

// UnmarshalJSON never fails.
func (c *code) UnmarshalJSON(b []byte) error {
	if n := codeOf(b); n != 0 {
		*c = code(n)
	}
	return nil
}

// codeOf is the code that a JSON value holds, or 0.
func codeOf(raw json.RawMessage) int {
	n, err := strconv.Atoi(strings.TrimSpace(string(bytes.Trim(raw, `"`))))
	if err != nil {
		return 0
	}
	return max(n, 0)
}

// entries returns the elements of a JSON array; a value that is no array is its own only element, null and nothing are none.
func entries(raw json.RawMessage) []json.RawMessage {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var all []json.RawMessage
	if json.Unmarshal(raw, &all) == nil {
		return all
	}
	return []json.RawMessage{raw}
}

// textOf is a JSON value as text: a string without its quotes, anything else in its shortest form.
func textOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var short bytes.Buffer
	if json.Compact(&short, raw) != nil {
		return string(raw)
	}
	return short.String()
}
