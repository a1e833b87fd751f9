package trusthub

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
)

// resource has the fields that matter of all kinds of resources. Absent and null ones stay empty.
type resource struct {
	SID                string `json:"sid"`
	AccountSID         string `json:"account_sid"`
	FriendlyName       string `json:"friendly_name"`
	DateCreated        date   `json:"date_created"`
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
	ValidUntil date            `json:"valid_until"`
	Errors     json.RawMessage `json:"errors"`

	// Of an evaluation, which has a status too.
	Results json.RawMessage `json:"results"`

	// Of an account, which has a status too.
	OwnerAccountSID string `json:"owner_account_sid"`
	AuthToken       string `json:"auth_token"`
}

// resource reads the resource in the answer to a call. err is the error of the generated method.
func (k *call) resource(err error) (resource, error) {
	var r resource
	if err != nil {
		return r, asRemote(err)
	}
	if unmarshalLenient(k.body, &r) != nil || r.SID == "" {
		return resource{}, k.unreadable()
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

// deleted reads the answer to a deletion. An object that is not there counts as deleted. (The 404
// must be the deletion's own: without an answer to it, k.status is 0, whatever the token's fetch
// got.) A success other than Twilio's 204 comes from a proxy and tells nothing.
func (k *call) deleted(err error) error {
	switch {
	case k.status == http.StatusNotFound:
		return nil
	case err != nil:
		return asRemote(err)
	case k.status != http.StatusNoContent:
		return k.unreadable()
	}
	return nil
}

func (r *resource) object() onboarding.Object {
	return onboarding.Object{SID: r.SID, CreatedAt: r.DateCreated.Time}
}

// objects returns the resources as objects, oldest first.
func objects(found []resource) []onboarding.Object {
	slices.SortFunc(found, byAge)
	all := make([]onboarding.Object, 0, len(found))
	for i := range found {
		all = append(all, found[i].object())
	}
	return all
}

// byAge sorts the oldest first. Twilio's dates have whole seconds; within one the SIDs decide, so
// that all replicas agree on the oldest.
func byAge(a, b resource) int {
	if c := a.DateCreated.Compare(b.DateCreated.Time); c != 0 {
		return c
	}
	return strings.Compare(a.SID, b.SID)
}
