package trusthub_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthub"
	"github.com/attestd/attestd/internal/trusthubsim"
)

const (
	secondaryPolicy  = "RNdfbf3fae0e1107f8aded0e7cead80bf5"
	shakenStirPolicy = "RN7a97559effdf62d00f4298208492a5ea"
	primary          = trusthubsim.DefaultPrimaryProfileSID
	profile          = onboarding.CustomerProfile
	product          = onboarding.TrustProduct
)

var (
	address = onboarding.Address{
		CustomerName: "Example Plumbing LLC",
		Street:       "1 Example Street", StreetSecondary: "Suite 2",
		City: "San Francisco", Region: "CA", PostalCode: "94105", ISOCountry: "US",
	}
	business = onboarding.EndUser{
		FriendlyName: "tag business", Type: "customer_profile_business_information",
		Attributes: onboarding.Business{
			Name: "Example Plumbing LLC", Identity: "direct_customer",
			Type: "Limited Liability Corporation", Industry: "CONSTRUCTION",
			RegistrationIdentifier: "EIN", RegistrationNumber: "12-3456789",
			RegionsOfOperation: "USA_AND_CANADA", WebsiteURL: "https://example.com",
		}.Attributes(),
	}
	representative = onboarding.EndUser{
		FriendlyName: "tag representative", Type: "authorized_representative_1",
		Attributes: onboarding.Representative{
			FirstName: "Example", LastName: "Representative", Email: "owner@example.com",
			PhoneNumber: "+15005550103", BusinessTitle: "Owner", JobPosition: "CEO",
		}.Attributes(),
	}
)

// world is a simulator of Twilio, a client of it over real connections, and a subaccount with two
// numbers.
type world struct {
	sim     *trusthubsim.Simulator
	hub     *trusthub.Client
	url     string
	account string
	numbers []onboarding.PhoneNumber
}

func newWorld(t *testing.T, cfg trusthubsim.Config) *world {
	t.Helper()
	cfg.Review = trusthubsim.ReviewManual
	sim := trusthubsim.New(cfg)
	t.Cleanup(sim.Close)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	w := &world{sim: sim, url: server.URL}
	w.hub = w.connect(t)
	w.account = post(t, sim, "Accounts.json", url.Values{"FriendlyName": {"Example Plumbing LLC"}})
	for _, number := range []string{"+15005550101", "+15005550102"} {
		w.numbers = append(w.numbers, onboarding.PhoneNumber{SID: w.buy(t, number), Number: number})
	}
	sim.ResetRequests()
	return w
}

// connect returns a client of its own, which backs off from nothing.
func (w *world) connect(t *testing.T) *trusthub.Client {
	t.Helper()
	hub, err := trusthub.New(trusthub.Config{
		AccountSID: trusthubsim.DefaultAccountSID, AuthToken: trusthubsim.DefaultAuthToken,
		APIURL: w.url, TrustHubURL: w.url, Timeout: time.Hour, Random: func() float64 { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(hub.Close)
	return hub
}

// buy gives the subaccount a number and returns its SID.
func (w *world) buy(t *testing.T, number string) string {
	t.Helper()
	path := "Accounts/" + w.account + "/IncomingPhoneNumbers.json"
	return post(t, w.sim, path, url.Values{"PhoneNumber": {number}})
}

func (w *world) review(t *testing.T, sid string, d trusthubsim.Decision) {
	t.Helper()
	if err := w.sim.Review(sid, d); err != nil {
		t.Fatal(err)
	}
}

// fault makes the simulator fail.
func fault(t *testing.T, sim *trusthubsim.Simulator, f trusthubsim.Fault) {
	t.Helper()
	if _, err := sim.AddFault(f); err != nil {
		t.Fatal(err)
	}
}

// posts counts the POSTs that the simulator got.
func posts(sim *trusthubsim.Simulator) (n int) {
	for _, r := range sim.Requests() {
		if r.Method == http.MethodPost {
			n++
		}
	}
	return n
}

// post makes a resource of the 2010-04-01 API with the parent's credentials, past the client, and
// returns its SID.
func post(t *testing.T, sim *trusthubsim.Simulator, path string, form url.Values) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		trusthub.DefaultAPIURL+"/2010-04-01/"+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(trusthubsim.DefaultAccountSID, trusthubsim.DefaultAuthToken)
	response, err := sim.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var made struct{ SID string }
	if err := json.NewDecoder(response.Body).Decode(&made); err != nil || made.SID == "" {
		t.Fatalf("POST %s: %s, %v", path, response.Status, err)
	}
	return made.SID
}

// must ends the test on an error.
func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantClass(t *testing.T, err error, class onboarding.Class) *onboarding.RemoteError {
	t.Helper()
	var remote *onboarding.RemoteError
	if !errors.As(err, &remote) || remote.Class != class {
		t.Fatalf("error is %v, want class %q", err, class)
	}
	return remote
}

// newBundle is a bundle of that kind under its usual policy.
func newBundle(kind onboarding.BundleKind, name string) onboarding.NewBundle {
	policy := secondaryPolicy
	if kind == product {
		policy = shakenStirPolicy
	}
	return onboarding.NewBundle{
		Kind: kind, FriendlyName: name, PolicySID: policy, Email: "isv@example.com",
	}
}
