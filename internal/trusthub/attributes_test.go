package trusthub

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestAttributesAreReadInWhateverShapeTheyCome(t *testing.T) {
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
		c := connect(t, answering(always(200, fmt.Sprintf(`{"sid": %q, "friendly_name": "tag", "type": "t", "attributes": %s}`, endUserSID, attributes))), "")
		got, err := c.FetchEndUser(context.Background(), subSID, endUserSID)
		if err != nil {
			t.Errorf("%s: %v", attributes, err)
		}
		if user := (onboarding.EndUser{FriendlyName: "tag", Type: "t", Attributes: want}); !reflect.DeepEqual(got.EndUser, user) {
			t.Errorf("%s: read %+v, want %+v", attributes, got.EndUser, user)
		}
	}
}

func TestTheAddressesOfADocumentAreReadInWhateverShapeTheyCome(t *testing.T) {
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
		c := connect(t, answering(always(200, fmt.Sprintf(`{"sid": "RD01", "type": "customer_profile_address", "attributes": %s}`, attributes))), "")
		got, err := c.FetchSupportingDocument(context.Background(), subSID, "RD01")
		if err != nil || got.SID != "RD01" || got.Type != addressDocument || !reflect.DeepEqual(got.AddressSIDs, want) {
			t.Errorf("%s: read %+v, %v; want the addresses %q", attributes, got, err, want)
		}
	}
}
