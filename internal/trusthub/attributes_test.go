package trusthub

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestAttributesAreReadInAnyForm(t *testing.T) {
	t.Parallel()
	for attributes, want := range map[string]map[string]string{
		`{"first_name": "Example", "job_position": "CEO"}`:  {"first_name": "Example", "job_position": "CEO"},
		`{"first_name": "Example", "business_title": null}`: {"first_name": "Example"},
		`{"employees": 7, "regions": ["AFRICA", "EUROPE"]}`: {"employees": "7", "regions": `["AFRICA","EUROPE"]`},
		`{}`:          {},
		`null`:        {},
		`[]`:          {},
		`"something"`: {},
	} {
		body := fmt.Sprintf(`{"sid": %q, "friendly_name": "tag", "type": "t", "attributes": %s}`,
			endUserSID, attributes)
		c := connect(t, answering(always(200, body)), "")
		got, err := c.FetchEndUser(t.Context(), subSID, endUserSID)
		if err != nil {
			t.Errorf("%s: %v", attributes, err)
		}
		user := onboarding.EndUser{FriendlyName: "tag", Type: "t", Attributes: want}
		if !reflect.DeepEqual(got.EndUser, user) {
			t.Errorf("%s: read %+v, want %+v", attributes, got.EndUser, user)
		}
	}
}

func TestTheAddressesOfADocumentAreReadInAnyForm(t *testing.T) {
	t.Parallel()
	for attributes, want := range map[string][]string{
		`{"address_sids": "AD01"}`:           {"AD01"},
		`{"address_sids": "AD01, AD02"}`:     {"AD01", "AD02"},
		`{"address_sids": ["AD01", "AD02"]}`: {"AD01", "AD02"},
		`{"address_sids": ""}`:               nil,
		`{"address_sids": null}`:             nil,
		`{}`:                                 nil,
		`null`:                               nil,
		`7`:                                  nil,
	} {
		body := fmt.Sprintf(`{"sid": %q, "type": "customer_profile_address", "attributes": %s}`,
			documentSID, attributes)
		c := connect(t, answering(always(200, body)), "")
		got, err := c.FetchSupportingDocument(t.Context(), subSID, documentSID)
		if err != nil || got.SID != documentSID || got.Type != "customer_profile_address" ||
			!slices.Equal(got.AddressSIDs, want) {
			t.Errorf("%s: read %+v, %v; want the addresses %q", attributes, got, err, want)
		}
	}
}
