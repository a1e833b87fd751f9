package trusthub_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// journey is an onboarding that a test makes call by call.
type journey struct {
	*world
	t                *testing.T
	profile, product string
}

const journeyTag = "onb_1.2:customer_profile"

// TestAnOnboardingFromTheFirstCallToTheLast makes every call that brings a subaccount to its
// approval, and looks up everything by the name and the parent that it was made with.
func TestAnOnboardingFromTheFirstCallToTheLast(t *testing.T) {
	t.Parallel()
	j := &journey{world: newWorld(t, trusthubsim.Config{ProductGate: trusthubsim.GateSubmitted}), t: t}
	j.readWhatIsThere()
	j.createProfile()
	j.evaluate(profile, j.profile, onboarding.EvaluationNoncompliant, 1)
	j.assignToProfile()
	j.evaluate(profile, j.profile, onboarding.EvaluationCompliant, 2)
	j.submit(profile, j.profile)
	j.createProduct()
	j.evaluate(product, j.product, onboarding.EvaluationCompliant, 1)
	j.submit(product, j.product)
	j.readReviews()

	fetches := 0
	for _, r := range j.sim.Requests() {
		if r.Path == "/2010-04-01/Accounts/"+j.account+".json" {
			fetches++
		}
	}
	if fetches != 1 {
		t.Errorf("the account was fetched %d times in the whole onboarding", fetches)
	}
}

func (j *journey) readWhatIsThere() {
	t, ctx, hub := j.t, j.t.Context(), j.hub
	t.Helper()
	account := must[onboarding.Account](t)(hub.FetchAccount(ctx, j.account))
	if want := (onboarding.Account{SID: j.account, OwnerSID: hub.ParentAccount(), Status: "active"}); account != want {
		t.Errorf("account %+v, want %+v", account, want)
	}
	wanted := []string{j.numbers[1].Number, j.numbers[0].SID, "+15005550199"}
	numbers := must[[]onboarding.PhoneNumber](t)(hub.FindPhoneNumbers(ctx, j.account, wanted))
	if want := []onboarding.PhoneNumber{j.numbers[1], j.numbers[0]}; !reflect.DeepEqual(numbers, want) {
		t.Errorf("numbers %v, want %v", numbers, want)
	}
	p := must[onboarding.Bundle](t)(hub.FetchBundle(ctx, hub.ParentAccount(), profile, primary))
	if p.Status != onboarding.BundleApproved || p.AccountSID != hub.ParentAccount() {
		t.Errorf("primary profile: %+v", p)
	}
}

func (j *journey) createProfile() {
	t, ctx := j.t, j.t.Context()
	t.Helper()
	b := newBundle(profile, journeyTag)
	b.StatusCallback = "https://attestd.example.com/hook"
	made := must[onboarding.Bundle](t)(j.hub.CreateBundle(ctx, j.account, b))
	if made.Status != onboarding.BundleDraft || made.AccountSID != j.account || made.PolicySID != secondaryPolicy {
		t.Errorf("profile: %+v", made)
	}
	j.profile = made.SID
	j.foundBundle(profile, secondaryPolicy, made.SID)
	others := must[[]onboarding.Bundle](t)(j.hub.FindBundles(ctx, j.account, product, journeyTag, secondaryPolicy))
	if len(others) != 0 {
		t.Errorf("the profile is found among the products: %+v", others)
	}
}

// assignToProfile creates what a profile needs, and assigns it together with the numbers.
func (j *journey) assignToProfile() {
	t, ctx, hub, ac := j.t, j.t.Context(), j.hub, j.account
	t.Helper()
	object, objects := must[onboarding.Object](t), must[[]onboarding.Object](t)
	ad := object(hub.CreateAddress(ctx, ac, "tag address", address))
	j.found(ad, objects(hub.FindAddresses(ctx, ac, "tag address")))
	j.found(ad, []onboarding.Object{object(hub.FetchAddress(ctx, ac, ad.SID))})
	rd := object(hub.CreateSupportingDocument(ctx, ac, "tag document", ad.SID))
	j.found(rd, objects(hub.FindSupportingDocuments(ctx, ac, "tag document")))
	it := object(hub.CreateEndUser(ctx, ac, business))
	j.found(it, objects(hub.FindEndUsers(ctx, ac, business.FriendlyName, business.Type)))
	rep := object(hub.CreateEndUser(ctx, ac, representative))

	var last onboarding.Object
	for _, sid := range []string{primary, rd.SID, it.SID, rep.SID} {
		last = object(hub.AssignEntity(ctx, ac, profile, j.profile, sid))
		j.found(last, objects(hub.FindEntityAssignments(ctx, ac, profile, j.profile, sid)))
	}
	_, err := hub.AssignEntity(ctx, ac, profile, j.profile, rep.SID)
	wantClass(t, err, onboarding.ClassExists)
	if err := hub.DeleteEntityAssignment(ctx, ac, profile, j.profile, last.SID); err != nil {
		t.Error(err)
	}
	object(hub.AssignEntity(ctx, ac, profile, j.profile, rep.SID))
	j.assignNumbers(profile, j.profile)
	_, err = hub.AssignNumber(ctx, ac, profile, j.profile, j.numbers[0].SID)
	wantClass(t, err, onboarding.ClassExists)
}

func (j *journey) createProduct() {
	t, ctx := j.t, j.t.Context()
	t.Helper()
	made := must[onboarding.Bundle](t)(j.hub.CreateBundle(ctx, j.account, newBundle(product, journeyTag)))
	j.product = made.SID
	j.foundBundle(product, shakenStirPolicy, made.SID)
	bv := must[onboarding.Object](t)(j.hub.AssignEntity(ctx, j.account, product, made.SID, j.profile))
	j.found(bv, must[[]onboarding.Object](t)(
		j.hub.FindEntityAssignments(ctx, j.account, product, made.SID, j.profile)))
	j.assignNumbers(product, made.SID)
}

func (j *journey) assignNumbers(kind onboarding.BundleKind, bundle string) {
	t, ctx := j.t, j.t.Context()
	t.Helper()
	for _, n := range j.numbers {
		ra := must[onboarding.Object](t)(j.hub.AssignNumber(ctx, j.account, kind, bundle, n.SID))
		j.found(ra, must[[]onboarding.Object](t)(
			j.hub.FindNumberAssignments(ctx, j.account, kind, bundle, n.SID)))
	}
}

// evaluate evaluates the bundle. count is how many evaluations it has then.
func (j *journey) evaluate(kind onboarding.BundleKind, bundle, status string, count int) {
	t, ctx := j.t, j.t.Context()
	t.Helper()
	policy := newBundle(kind, "").PolicySID
	e := must[onboarding.Evaluation](t)(j.hub.Evaluate(ctx, j.account, kind, bundle, policy))
	if e.Status != status || len(e.Results) == 0 {
		t.Fatalf("%s evaluates to %+v, want %s", bundle, e, status)
	}
	for _, r := range e.Results {
		if r.RequirementName == "" || !r.Passed && r.Code == 0 {
			t.Errorf("a result says too little: %+v", r)
		}
	}
	all := must[[]onboarding.Evaluation](t)(j.hub.FindEvaluations(ctx, j.account, kind, bundle))
	if len(all) != count {
		t.Errorf("%d evaluations of %s, want %d", len(all), bundle, count)
	}
}

func (j *journey) submit(kind onboarding.BundleKind, bundle string) {
	j.t.Helper()
	got := must[onboarding.Bundle](j.t)(j.hub.SubmitBundle(j.t.Context(), j.account, kind, bundle))
	if got.Status != onboarding.BundlePendingReview {
		j.t.Errorf("submitted: %+v", got)
	}
}

func (j *journey) readReviews() {
	t, ctx := j.t, j.t.Context()
	t.Helper()
	j.review(t, j.profile, trusthubsim.Decision{Status: trusthubsim.StatusApproved})
	j.review(t, j.product, trusthubsim.Decision{
		Status: trusthubsim.StatusRejected, Errors: trusthubsim.Codes(18602),
	})
	approved := must[onboarding.Bundle](t)(j.hub.FetchBundle(ctx, j.account, profile, j.profile))
	if approved.Status != onboarding.BundleApproved || approved.ValidUntil.IsZero() {
		t.Errorf("approved: %+v", approved)
	}
	rejected := must[onboarding.Bundle](t)(j.hub.FetchBundle(ctx, j.account, product, j.product))
	if rejected.Status != onboarding.BundleRejected ||
		!reflect.DeepEqual(rejected.Errors, []onboarding.BundleError{{Code: 18602}}) {
		t.Errorf("rejected: %+v", rejected)
	}
}

// found wants a lookup to return the made object alone.
func (j *journey) found(made onboarding.Object, all []onboarding.Object) {
	j.t.Helper()
	if len(all) != 1 || all[0] != made || made.SID == "" || made.CreatedAt.IsZero() {
		j.t.Errorf("found %+v, want %+v", all, made)
	}
}

func (j *journey) foundBundle(kind onboarding.BundleKind, policy, sid string) {
	j.t.Helper()
	all := must[[]onboarding.Bundle](j.t)(
		j.hub.FindBundles(j.t.Context(), j.account, kind, journeyTag, policy))
	if len(all) != 1 || all[0].SID != sid {
		j.t.Errorf("found %+v, want %s", all, sid)
	}
}

func TestTheSignerOfACallbackIsKnown(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]trusthubsim.Callbacks{
		"form":              {},
		"JSON":              {JSON: true},
		"signed by parent":  {ParentSigns: true},
		"JSON, with parent": {JSON: true, ParentSigns: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, trusthubsim.Config{Callbacks: how})
			type result struct {
				signer string
				err    error
			}
			results := make(chan result, 8)
			var receiver *httptest.Server
			receiver = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				signer, err := w.hub.SignedBy(r.Context(), w.account, r.Header.Get("X-Twilio-Signature"),
					receiver.URL+r.URL.RequestURI(), r.Header.Get("Content-Type"), body)
				results <- result{signer, err}
			}))
			defer receiver.Close()

			object := must[onboarding.Object](t)
			b := newBundle(profile, "tag")
			b.StatusCallback = receiver.URL + "/hook/token"
			bu := must[onboarding.Bundle](t)(w.hub.CreateBundle(t.Context(), w.account, b))
			ad := object(w.hub.CreateAddress(t.Context(), w.account, "a", address))
			rd := object(w.hub.CreateSupportingDocument(t.Context(), w.account, "d", ad.SID))
			it := object(w.hub.CreateEndUser(t.Context(), w.account, business))
			rep := object(w.hub.CreateEndUser(t.Context(), w.account, representative))
			for _, sid := range []string{primary, rd.SID, it.SID, rep.SID} {
				object(w.hub.AssignEntity(t.Context(), w.account, profile, bu.SID, sid))
			}
			must[onboarding.Bundle](t)(w.hub.SubmitBundle(t.Context(), w.account, profile, bu.SID))
			w.review(t, bu.SID, trusthubsim.Decision{Status: trusthubsim.StatusApproved})
			want := w.account
			if how.ParentSigns {
				want = w.hub.ParentAccount()
			}
			if got := <-results; got.err != nil || got.signer != want {
				t.Errorf("signed by %q, %v; want %s", got.signer, got.err, want)
			}
		})
	}
}
