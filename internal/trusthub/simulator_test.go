package trusthub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
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

// bench is a client of a simulator over real connections, and a subaccount with two numbers.
type bench struct {
	sim     *trusthubsim.Simulator
	hub     *trusthub.Client
	base    string
	account string
	numbers []onboarding.PhoneNumber
}

func setup(t *testing.T, cfg trusthubsim.Config) *bench {
	t.Helper()
	cfg.Review = trusthubsim.ReviewManual
	sim := trusthubsim.New(cfg)
	t.Cleanup(sim.Close)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	b := &bench{sim: sim, base: server.URL}
	b.hub = b.connect(t)
	b.account = b.post(t, "/2010-04-01/Accounts.json", url.Values{"FriendlyName": {"Example Plumbing LLC"}})["sid"].(string)
	for _, number := range []string{"+15005550101", "+15005550102"} {
		made := b.post(t, "/2010-04-01/Accounts/"+b.account+"/IncomingPhoneNumbers.json", url.Values{"PhoneNumber": {number}})
		b.numbers = append(b.numbers, onboarding.PhoneNumber{SID: made["sid"].(string), Number: number})
	}
	sim.ResetRequests()
	return b
}

// connect returns a client that knows nothing of any other's troubles.
func (b *bench) connect(t *testing.T) *trusthub.Client {
	t.Helper()
	hub, err := trusthub.New(trusthub.Config{
		AccountSID: trusthubsim.DefaultAccountSID, AuthToken: trusthubsim.DefaultAuthToken,
		APIURL: b.base, TrustHubURL: b.base, Timeout: 5 * time.Second, Random: func() float64 { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(hub.Close)
	return hub
}

// post makes what a test needs with the parent's credentials, past the client.
func (b *bench) post(t *testing.T, path string, form url.Values) map[string]any {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(trusthubsim.DefaultAccountSID, trusthubsim.DefaultAuthToken)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var made map[string]any
	if err := json.NewDecoder(response.Body).Decode(&made); err != nil || response.StatusCode > 299 {
		t.Fatalf("POST %s: %s, %v, %v", path, response.Status, made, err)
	}
	return made
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

var (
	address = onboarding.Address{
		CustomerName: "Example Plumbing LLC", Street: "1 Example Street", StreetSecondary: "Suite 2", City: "San Francisco",
		Region: "CA", PostalCode: "94105", ISOCountry: "US",
	}
	business = onboarding.Business{
		Name: "Example Plumbing LLC", Identity: "direct_customer", Type: "Limited Liability Corporation", Industry: "CONSTRUCTION",
		RegistrationIdentifier: "EIN", RegistrationNumber: "12-3456789", RegionsOfOperation: "USA_AND_CANADA",
		WebsiteURL: "https://example.com",
	}
	representative = onboarding.Representative{
		FirstName: "Example", LastName: "Representative", Email: "owner@example.com", PhoneNumber: "+15005550103",
		BusinessTitle: "Owner", JobPosition: "CEO",
	}
)

// TestAnOnboardingFromTheFirstCallToTheLast makes every call that brings a subaccount to its approval, and looks everything up again under the name and the parent
// that it was made with.
func TestAnOnboardingFromTheFirstCallToTheLast(t *testing.T) {
	t.Parallel()
	b := setup(t, trusthubsim.Config{ProductGate: trusthubsim.GateSubmitted})
	ctx, hub, ac := context.Background(), b.hub, b.account
	object, objects := must[onboarding.Object](t), must[[]onboarding.Object](t)
	bundle, bundles := must[onboarding.Bundle](t), must[[]onboarding.Bundle](t)
	found := func(made onboarding.Object, all []onboarding.Object) {
		t.Helper()
		if len(all) != 1 || all[0] != made || made.SID == "" || made.CreatedAt.IsZero() {
			t.Errorf("found %+v, want %+v", all, made)
		}
	}
	const tag = "onb_1.2:customer_profile"

	account := must[onboarding.Account](t)(hub.FetchAccount(ctx, ac))
	if want := (onboarding.Account{SID: ac, OwnerSID: hub.ParentAccount(), Status: "active"}); account != want {
		t.Errorf("account %+v, want %+v", account, want)
	}
	numbers := must[[]onboarding.PhoneNumber](t)(hub.FindPhoneNumbers(ctx, ac, []string{b.numbers[1].Number, b.numbers[0].SID, "+15005550199"}))
	if want := []onboarding.PhoneNumber{b.numbers[1], b.numbers[0]}; !reflect.DeepEqual(numbers, want) {
		t.Errorf("numbers %v, want %v", numbers, want)
	}
	if p := bundle(hub.FetchBundle(ctx, hub.ParentAccount(), profile, primary)); p.Status != onboarding.BundleApproved || p.AccountSID != hub.ParentAccount() {
		t.Errorf("primary profile: %+v", p)
	}

	bu := bundle(hub.CreateBundle(ctx, ac, onboarding.NewBundle{
		Kind: profile, FriendlyName: tag, PolicySID: secondaryPolicy, Email: "isv@example.com", StatusCallback: "https://attestd.example.com/hook",
	}))
	if bu.Status != onboarding.BundleDraft || bu.AccountSID != ac || bu.PolicySID != secondaryPolicy {
		t.Errorf("profile: %+v", bu)
	}
	if got := bundles(hub.FindBundles(ctx, ac, profile, tag, secondaryPolicy)); len(got) != 1 || got[0].SID != bu.SID {
		t.Errorf("found %+v, want %s", got, bu.SID)
	}
	if got := bundles(hub.FindBundles(ctx, ac, product, tag, secondaryPolicy)); len(got) != 0 {
		t.Errorf("a profile is found among the products: %+v", got)
	}

	ad := object(hub.CreateAddress(ctx, ac, "tag address", address))
	found(ad, objects(hub.FindAddresses(ctx, ac, "tag address")))
	found(ad, []onboarding.Object{object(hub.FetchAddress(ctx, ac, ad.SID))})
	rd := object(hub.CreateSupportingDocument(ctx, ac, "tag document", ad.SID))
	found(rd, objects(hub.FindSupportingDocuments(ctx, ac, "tag document")))
	info := onboarding.EndUser{FriendlyName: "tag info", Type: "customer_profile_business_information", Attributes: business.Attributes()}
	it := object(hub.CreateEndUser(ctx, ac, info))
	found(it, objects(hub.FindEndUsers(ctx, ac, "tag info", info.Type)))
	rep := object(hub.CreateEndUser(ctx, ac, onboarding.EndUser{
		FriendlyName: "tag rep", Type: "authorized_representative_1", Attributes: representative.Attributes(),
	}))

	evaluation := must[onboarding.Evaluation](t)(hub.Evaluate(ctx, ac, profile, bu.SID, secondaryPolicy))
	if evaluation.Status != onboarding.EvaluationNoncompliant || len(evaluation.Results) == 0 {
		t.Errorf("an empty profile evaluates to %+v", evaluation)
	}
	for _, r := range evaluation.Results {
		if r.RequirementName == "" || !r.Passed && r.Code == 0 {
			t.Errorf("a result says too little: %+v", r)
		}
	}

	var last onboarding.Object
	for _, sid := range []string{primary, rd.SID, it.SID, rep.SID} {
		last = object(hub.AssignEntity(ctx, ac, profile, bu.SID, sid))
		found(last, objects(hub.FindEntityAssignments(ctx, ac, profile, bu.SID, sid)))
	}
	again := func() error { _, err := hub.AssignEntity(ctx, ac, profile, bu.SID, rep.SID); return err }
	wantClass(t, again(), onboarding.ClassExists)
	if err := hub.DeleteEntityAssignment(ctx, ac, profile, bu.SID, last.SID); err != nil {
		t.Error(err)
	}
	if err := again(); err != nil {
		t.Errorf("assigning again what was taken off: %v", err)
	}
	for _, n := range b.numbers {
		ra := object(hub.AssignNumber(ctx, ac, profile, bu.SID, n.SID))
		found(ra, objects(hub.FindNumberAssignments(ctx, ac, profile, bu.SID, n.SID)))
	}
	_, err := hub.AssignNumber(ctx, ac, profile, bu.SID, b.numbers[0].SID)
	wantClass(t, err, onboarding.ClassExists)

	evaluation = must[onboarding.Evaluation](t)(hub.Evaluate(ctx, ac, profile, bu.SID, secondaryPolicy))
	if evaluation.Status != onboarding.EvaluationCompliant {
		t.Fatalf("the profile evaluates to %+v", evaluation)
	}
	if all := must[[]onboarding.Evaluation](t)(hub.FindEvaluations(ctx, ac, profile, bu.SID)); len(all) != 2 {
		t.Errorf("evaluations: %+v", all)
	}
	if got := bundle(hub.SubmitBundle(ctx, ac, profile, bu.SID)); got.Status != onboarding.BundlePendingReview {
		t.Errorf("submitted: %+v", got)
	}

	bt := bundle(hub.CreateBundle(ctx, ac, onboarding.NewBundle{Kind: product, FriendlyName: tag, PolicySID: shakenStirPolicy, Email: "isv@example.com"}))
	if got := bundles(hub.FindBundles(ctx, ac, product, tag, shakenStirPolicy)); len(got) != 1 || got[0].SID != bt.SID {
		t.Errorf("found %+v, want %s", got, bt.SID)
	}
	bv := object(hub.AssignEntity(ctx, ac, product, bt.SID, bu.SID))
	found(bv, objects(hub.FindEntityAssignments(ctx, ac, product, bt.SID, bu.SID)))
	for _, n := range b.numbers {
		ra := object(hub.AssignNumber(ctx, ac, product, bt.SID, n.SID))
		found(ra, objects(hub.FindNumberAssignments(ctx, ac, product, bt.SID, n.SID)))
	}
	if e := must[onboarding.Evaluation](t)(hub.Evaluate(ctx, ac, product, bt.SID, shakenStirPolicy)); e.Status != onboarding.EvaluationCompliant {
		t.Fatalf("the product evaluates to %+v", e)
	}
	if all := must[[]onboarding.Evaluation](t)(hub.FindEvaluations(ctx, ac, product, bt.SID)); len(all) != 1 {
		t.Errorf("evaluations: %+v", all)
	}
	if got := bundle(hub.SubmitBundle(ctx, ac, product, bt.SID)); got.Status != onboarding.BundlePendingReview {
		t.Errorf("submitted: %+v", got)
	}
	b.review(t, bu.SID, trusthubsim.Decision{Status: trusthubsim.StatusApproved})
	b.review(t, bt.SID, trusthubsim.Decision{Status: trusthubsim.StatusRejected, Errors: trusthubsim.Codes(18602)})
	if got := bundle(hub.FetchBundle(ctx, ac, profile, bu.SID)); got.Status != onboarding.BundleApproved || got.ValidUntil.IsZero() {
		t.Errorf("approved: %+v", got)
	}
	if got := bundle(hub.FetchBundle(ctx, ac, product, bt.SID)); got.Status != onboarding.BundleRejected ||
		!reflect.DeepEqual(got.Errors, []onboarding.BundleError{{Code: 18602}}) {
		t.Errorf("rejected: %+v", got)
	}

	fetches := 0
	for _, r := range b.sim.Requests() {
		if r.Path == "/2010-04-01/Accounts/"+ac+".json" {
			fetches++
		}
	}
	if fetches != 1 {
		t.Errorf("the account was fetched %d times in the whole onboarding", fetches)
	}
}

func (b *bench) review(t *testing.T, sid string, d trusthubsim.Decision) {
	t.Helper()
	if err := b.sim.Review(sid, d); err != nil {
		t.Fatal(err)
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

func TestDeletedTwiceIsDeleted(t *testing.T) {
	t.Parallel()
	b := setup(t, trusthubsim.Config{})
	ctx, hub, ac := context.Background(), b.hub, b.account
	object := must[onboarding.Object](t)
	ad := object(hub.CreateAddress(ctx, ac, "a", address))
	rd := object(hub.CreateSupportingDocument(ctx, ac, "d", ad.SID))
	it := object(hub.CreateEndUser(ctx, ac, onboarding.EndUser{FriendlyName: "e", Type: "authorized_representative_1", Attributes: representative.Attributes()}))
	var deletions []func() error
	for _, kind := range []onboarding.BundleKind{profile, product} {
		policy := map[onboarding.BundleKind]string{profile: secondaryPolicy, product: shakenStirPolicy}[kind]
		bu := must[onboarding.Bundle](t)(hub.CreateBundle(ctx, ac, onboarding.NewBundle{Kind: kind, FriendlyName: "b", PolicySID: policy, Email: "isv@example.com"}))
		if kind == profile {
			bv := object(hub.AssignEntity(ctx, ac, kind, bu.SID, it.SID))
			ra := object(hub.AssignNumber(ctx, ac, kind, bu.SID, b.numbers[0].SID))
			deletions = append(deletions,
				func() error { return hub.DeleteNumberAssignment(ctx, ac, kind, bu.SID, ra.SID) },
				func() error { return hub.DeleteEntityAssignment(ctx, ac, kind, bu.SID, bv.SID) })
		} else {
			missing := "BV" + strings.Repeat("0", 32)
			deletions = append(deletions,
				func() error { return hub.DeleteNumberAssignment(ctx, ac, kind, bu.SID, missing) },
				func() error { return hub.DeleteEntityAssignment(ctx, ac, kind, bu.SID, missing) })
		}
		deletions = append(deletions, func() error { return hub.DeleteBundle(ctx, ac, kind, bu.SID) })
	}
	deletions = append(deletions,
		func() error { return hub.DeleteEndUser(ctx, ac, it.SID) },
		func() error { return hub.DeleteSupportingDocument(ctx, ac, rd.SID) },
		func() error { return hub.DeleteAddress(ctx, ac, ad.SID) })
	for i, remove := range deletions {
		for _, time := range []string{"first", "second"} {
			if err := remove(); err != nil {
				t.Errorf("deletion %d, the %s time: %v", i, time, err)
			}
		}
	}
	if left, err := hub.FindEndUsers(ctx, ac, "e", "authorized_representative_1"); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestAConflictNamesTheOtherBundle(t *testing.T) {
	t.Parallel()
	b := setup(t, trusthubsim.Config{})
	ctx, hub, ac := context.Background(), b.hub, b.account
	bundle := must[onboarding.Bundle](t)
	first := bundle(hub.CreateBundle(ctx, ac, onboarding.NewBundle{Kind: profile, FriendlyName: "1", PolicySID: secondaryPolicy, Email: "isv@example.com"}))
	second := bundle(hub.CreateBundle(ctx, ac, onboarding.NewBundle{Kind: profile, FriendlyName: "2", PolicySID: secondaryPolicy, Email: "isv@example.com"}))
	if _, err := hub.AssignNumber(ctx, ac, profile, first.SID, b.numbers[0].SID); err != nil {
		t.Fatal(err)
	}
	_, err := hub.AssignNumber(ctx, ac, profile, second.SID, b.numbers[0].SID)
	if r := wantClass(t, err, onboarding.ClassPermanent); r.BundleSID != first.SID {
		t.Errorf("the conflict names %q, want %s", r.BundleSID, first.SID)
	}
}

func TestWhatTwilioRefusesIsSaid(t *testing.T) {
	t.Parallel()
	b := setup(t, trusthubsim.Config{})
	ctx := context.Background()
	_, err := b.hub.CreateEndUser(ctx, b.account, onboarding.EndUser{
		FriendlyName: "x", Type: "authorized_representative_1", Attributes: map[string]string{"shoe_size": "44"},
	})
	if r := wantClass(t, err, onboarding.ClassPermanent); r.Code == 0 || r.Message == "" || r.HTTPStatus != 400 {
		t.Errorf("the refusal says %+v", r)
	}
	_, err = b.hub.FetchAccount(ctx, "AC"+strings.Repeat("9", 32))
	wantClass(t, err, onboarding.ClassPermanent)
	_, err = b.hub.CreateEndUser(ctx, "AC"+strings.Repeat("9", 32), onboarding.EndUser{})
	wantClass(t, err, onboarding.ClassPermanent)
}

// TestFaultsAreSortedAndLeaveWhatTheClassSays breaks the creation of an end user in every way the simulator knows: where the class says
// that nothing was made, nothing is there, and where it says unknown, the lookup tells.
func TestFaultsAreSortedAndLeaveWhatTheClassSays(t *testing.T) {
	t.Parallel()
	for i, c := range []struct {
		fault trusthubsim.Fault
		class onboarding.Class
		made  int
	}{
		{trusthubsim.Fault{Effect: trusthubsim.EffectStatus, Status: 429, Headers: map[string]string{"Retry-After": "3"}}, onboarding.ClassRepeatable, 0},
		{trusthubsim.Fault{Effect: trusthubsim.EffectStatus, Status: 503, Headers: map[string]string{"Retry-After": "3"}}, onboarding.ClassRepeatable, 0},
		{trusthubsim.Fault{Effect: trusthubsim.EffectStatus, Status: 503}, onboarding.ClassUnknown, 0},
		{trusthubsim.Fault{Effect: trusthubsim.EffectHTML}, onboarding.ClassUnknown, 0},
		{trusthubsim.Fault{Effect: trusthubsim.EffectDropBefore}, onboarding.ClassUnknown, 0},
		{trusthubsim.Fault{Effect: trusthubsim.EffectStatusAfter, Status: 500}, onboarding.ClassUnknown, 1},
		{trusthubsim.Fault{Effect: trusthubsim.EffectHTMLAfter}, onboarding.ClassUnknown, 1},
		{trusthubsim.Fault{Effect: trusthubsim.EffectDropAfter}, onboarding.ClassUnknown, 1},
		{trusthubsim.Fault{Effect: trusthubsim.EffectTruncateAfter}, onboarding.ClassUnknown, 1},
	} {
		t.Run(fmt.Sprintf("%d %s", i, c.fault.Effect), func(t *testing.T) {
			t.Parallel()
			b := setup(t, trusthubsim.Config{})
			c.fault.Method, c.fault.Path, c.fault.Times = http.MethodPost, "/v1/EndUsers", 1
			if _, err := b.sim.AddFault(c.fault); err != nil {
				t.Fatal(err)
			}
			user := onboarding.EndUser{FriendlyName: "tag", Type: "authorized_representative_1", Attributes: representative.Attributes()}
			_, err := b.hub.CreateEndUser(context.Background(), b.account, user)
			r := wantClass(t, err, c.class)
			if c.fault.Headers != nil && (r.RetryAfter <= 2900*time.Millisecond || r.RetryAfter > 3*time.Second) {
				t.Errorf("RetryAfter is %v", r.RetryAfter)
			}
			found, err := b.connect(t).FindEndUsers(context.Background(), b.account, "tag", user.Type)
			if err != nil || len(found) != c.made {
				t.Errorf("found %v, %v; want %d", found, err, c.made)
			}
			posts := 0
			for _, request := range b.sim.Requests() {
				if request.Method == http.MethodPost {
					posts++
				}
			}
			if posts != 1 {
				t.Errorf("the POST was made %d times", posts)
			}
		})
	}
}

func TestCallbacksOfTheSimulatorAreRecognized(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]trusthubsim.Callbacks{
		"form":              {},
		"JSON":              {JSON: true},
		"signed by parent":  {ParentSigns: true},
		"JSON, with parent": {JSON: true, ParentSigns: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, trusthubsim.Config{Callbacks: how})
			type result struct {
				signer string
				err    error
			}
			results := make(chan result, 8)
			var receiver *httptest.Server
			receiver = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				signer, err := b.hub.SignedBy(r.Context(), b.account, r.Header.Get("X-Twilio-Signature"),
					receiver.URL+r.URL.RequestURI(), r.Header.Get("Content-Type"), body)
				results <- result{signer, err}
			}))
			defer receiver.Close()

			ctx, hub, ac := context.Background(), b.hub, b.account
			bu := must[onboarding.Bundle](t)(hub.CreateBundle(ctx, ac, onboarding.NewBundle{
				Kind: profile, FriendlyName: "tag", PolicySID: secondaryPolicy, Email: "isv@example.com", StatusCallback: receiver.URL + "/hook/token",
			}))
			object := must[onboarding.Object](t)
			ad := object(hub.CreateAddress(ctx, ac, "a", address))
			rd := object(hub.CreateSupportingDocument(ctx, ac, "d", ad.SID))
			it := object(hub.CreateEndUser(ctx, ac, onboarding.EndUser{FriendlyName: "i", Type: "customer_profile_business_information", Attributes: business.Attributes()}))
			rep := object(hub.CreateEndUser(ctx, ac, onboarding.EndUser{FriendlyName: "r", Type: "authorized_representative_1", Attributes: representative.Attributes()}))
			for _, sid := range []string{primary, rd.SID, it.SID, rep.SID} {
				object(hub.AssignEntity(ctx, ac, profile, bu.SID, sid))
			}
			must[onboarding.Bundle](t)(hub.SubmitBundle(ctx, ac, profile, bu.SID))
			b.review(t, bu.SID, trusthubsim.Decision{Status: trusthubsim.StatusApproved})
			want := ac
			if how.ParentSigns {
				want = hub.ParentAccount()
			}
			if got := <-results; got.err != nil || got.signer != want {
				t.Errorf("signed by %q, %v; want %s", got.signer, got.err, want)
			}
		})
	}
}
