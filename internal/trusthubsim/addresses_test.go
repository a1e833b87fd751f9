package trusthubsim

import (
	"net/http"
	"strings"
	"testing"
)

func TestAddressesAreChecked(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	for _, test := range []struct {
		name   string
		change []string
		status int
		code   int
	}{
		{"right", nil, 201, 0},
		{"9 digits", []string{"PostalCode", "94105-1234"}, 201, 0},
		{"4 digits", []string{"PostalCode", "9410"}, 400, codeAddressInvalid},
		{"letters", []string{"PostalCode", "SW1A 1AA"}, 400, codeAddressInvalid},
		{"letters elsewhere", []string{"PostalCode", "SW1A 1AA", "IsoCountry", "GB"}, 201, 0},
		{"not found", []string{"Street", "1 Unknown Rd"}, 400, codeAddressSuggestion},
		{"no street", []string{"Street", ""}, 400, codeUnknownParameters},
		{"no region", []string{"Region", ""}, 400, codeUnknownParameters},
		{"country's name", []string{"IsoCountry", "USA"}, 400, codeInvalidParameter},
		{"long name", []string{"FriendlyName", strings.Repeat("n", 65)}, 400, codeFriendlyName},
		{"longest name", []string{"FriendlyName", strings.Repeat("n", 64)}, 201, 0},
		{"long customer name", []string{"CustomerName", strings.Repeat("n", 65)}, 400, codeInvalidParameter},
		{"not a boolean", []string{"EmergencyEnabled", "yes"}, 400, codeInvalidParameter},
		{"unknown parameter", []string{"County", "x"}, 400, codeUnknownParameters},
	} {
		form := values(append([]string{
			"CustomerName", "Example Plumbing LLC", "Street", "100 Main St", "City", "San Francisco", "Region", "CA",
			"PostalCode", "94105", "IsoCountry", "US",
		}, test.change...)...)
		r := b.sub.do(http.MethodPost, b.sub.v2010("/Addresses.json"), form)
		r.request = test.name
		if test.code == 0 {
			r.want(test.status)
		} else {
			r.refused(test.status, test.code)
		}
	}
}

// TestAddressesAreCorrected unless the request says otherwise: what was sent is not what is kept.
func TestAddressesAreCorrected(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	read := func(sid string) result { return b.sub.get(b.sub.v2010("/Addresses/" + sid + ".json")).want(200) }
	corrected := read(b.sub.address("Street", "100  Main St"))
	if corrected.text("street") != "100 MAIN ST" || corrected.body["validated"] != true {
		t.Errorf("corrected: %v", corrected.body)
	}
	asSent := read(b.sub.address("AutoCorrectAddress", "false"))
	if asSent.text("street") != "100 Main St" || asSent.body["validated"] != false {
		t.Errorf("as sent: %v", asSent.body)
	}
	foreign := read(b.sub.address("IsoCountry", "BB"))
	if foreign.text("street") != "100 Main St" {
		t.Errorf("foreign: %v", foreign.body)
	}
}

func TestAddressListFilters(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	b.sub.address("FriendlyName", "one")
	b.sub.address("FriendlyName", "two", "CustomerName", "Other LLC", "IsoCountry", "BB", "EmergencyEnabled", "true")
	for query, want := range map[string]int{
		"": 2, "?FriendlyName=one": 1, "?FriendlyName=on": 0, "?CustomerName=Other%20LLC": 1, "?IsoCountry=BB": 1,
		"?EmergencyEnabled=false": 1, "?IsoCountry=BB&FriendlyName=one": 0,
	} {
		if got := b.sub.get(b.sub.v2010("/Addresses.json" + query)).sids(); len(got) != want {
			t.Errorf("%s: %d addresses, want %d", query, len(got), want)
		}
	}
}

// TestLinkedAddresses: an address that a document names stays, and cannot be changed while a bundle
// with the document is in review or approved.
func TestLinkedAddresses(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Review: ReviewManual})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	path := b.sub.v2010("/Addresses/" + p.address + ".json")
	b.sub.delete(path).refused(400, codeAddressLinked)
	b.sub.post(path, "Street", "200 Main St").want(200)

	b.sub.submit(p.path)
	b.sub.post(path, "Street", "300 Main St").refused(400, codeAddressLinked)
	b.decide(t, p.profile, StatusApproved)
	b.sub.post(path, "Street", "300 Main St").refused(400, codeAddressLinked)
	b.decide(t, p.profile, StatusRejected, 18603)
	b.sub.post(path, "Street", "1 Unknown St").refused(400, codeAddressSuggestion)
	if got := b.sub.post(path, "Street", "300 Main St").want(200).text("street"); got != "300 MAIN ST" {
		t.Errorf("street %q", got)
	}

	b.sub.delete(p.path + "/EntityAssignments/" + p.documentAssignment).want(204)
	b.sub.delete("/v1/SupportingDocuments/" + p.document).want(204)
	b.sub.delete(path).want(204)
	b.sub.get(path).refused(404, codeNotFound)
}
