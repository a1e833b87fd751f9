package trusthubsim

import (
	"errors"
	"net/http"
	"slices"
	"testing"
)

// approvedPair is an approved profile and an approved product that share a number.
type approvedPair struct {
	parts
	product, productPath, onProduct, productAssignment string
}

func (b *testBundle) approvedPair(t *testing.T) approvedPair {
	t.Helper()
	a := approvedPair{parts: b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)}
	b.sub.submit(a.path)
	b.decide(t, a.profile, StatusApproved)
	a.product = b.sub.draftProduct(PolicyShakenStir)
	a.productPath = productPath(a.product)
	a.productAssignment = b.sub.assign(a.productPath, a.profile).want(201).text("sid")
	a.onProduct = b.sub.addNumber(a.productPath, a.number).want(201).text("sid")
	b.sub.submit(a.productPath)
	b.decide(t, a.product, StatusApproved)
	return a
}

// objectsOn are the SIDs of what is on a bundle, numbers included.
func (c caller) objectsOn(bundlePath string) []string {
	c.t.Helper()
	var sids []string
	for _, assigned := range c.get(bundlePath + "/EntityAssignments").want(200).list() {
		sids = append(sids, assigned["object_sid"].(string))
	}
	for _, assigned := range c.get(bundlePath + "/ChannelEndpointAssignments").want(200).list() {
		sids = append(sids, assigned["channel_endpoint_sid"].(string))
	}
	return sids
}

// consoleDeletions are objects that somebody deletes, with what goes along.
var consoleDeletions = []struct {
	name    string
	object  func(a approvedPair) string
	path    func(b *testBundle, a approvedPair) string // where the object was
	refused bool                                       // what the API does about it
	// left are what the bundle no longer has.
	offProfile, offProduct func(a approvedPair) []string
}{
	{
		name: "an end user", object: func(a approvedPair) string { return a.business }, refused: true,
		path:       func(_ *testBundle, a approvedPair) string { return "/v1/EndUsers/" + a.business },
		offProfile: func(a approvedPair) []string { return []string{a.business} },
	},
	{
		name: "a document", object: func(a approvedPair) string { return a.document }, refused: true,
		path:       func(_ *testBundle, a approvedPair) string { return "/v1/SupportingDocuments/" + a.document },
		offProfile: func(a approvedPair) []string { return []string{a.document} },
	},
	{
		name: "an address", object: func(a approvedPair) string { return a.address }, refused: true,
		path: func(b *testBundle, a approvedPair) string { return b.sub.v2010("/Addresses/" + a.address + ".json") },
	},
	{
		name: "a number", object: func(a approvedPair) string { return a.number },
		path: func(b *testBundle, a approvedPair) string {
			return b.sub.v2010("/IncomingPhoneNumbers/" + a.number + ".json")
		},
		offProfile: func(a approvedPair) []string { return []string{a.number} },
		offProduct: func(a approvedPair) []string { return []string{a.number} },
	},
	{
		name: "an entity assignment", object: func(a approvedPair) string { return a.businessAssignment }, refused: true,
		path: func(_ *testBundle, a approvedPair) string {
			return a.path + "/EntityAssignments/" + a.businessAssignment
		},
		offProfile: func(a approvedPair) []string { return []string{a.business} },
	},
	{
		name: "a number's assignment to the profile", object: func(a approvedPair) string { return a.numberAssignment }, refused: true,
		path: func(_ *testBundle, a approvedPair) string {
			return a.path + "/ChannelEndpointAssignments/" + a.numberAssignment
		},
		offProfile: func(a approvedPair) []string { return []string{a.number} },
	},
	{
		name: "a number's assignment to the product", object: func(a approvedPair) string { return a.onProduct },
		path: func(_ *testBundle, a approvedPair) string {
			return a.productPath + "/ChannelEndpointAssignments/" + a.onProduct
		},
		offProduct: func(a approvedPair) []string { return []string{a.number} },
	},
	{
		name: "the product", object: func(a approvedPair) string { return a.product }, refused: true,
		path:       func(_ *testBundle, a approvedPair) string { return a.productPath },
		offProduct: func(a approvedPair) []string { return []string{a.profile, a.number} },
	},
	{
		name: "the profile", object: func(a approvedPair) string { return a.profile }, refused: true,
		path: func(_ *testBundle, a approvedPair) string { return a.path },
		offProfile: func(a approvedPair) []string {
			return []string{a.business, a.representative, a.document, a.number}
		},
		offProduct: func(a approvedPair) []string { return []string{a.profile} },
	},
}

// TestDeletionInTheConsole asks no rule of the API, and takes along what hangs on the object, and
// nothing else.
func TestDeletionInTheConsole(t *testing.T) {
	t.Parallel()
	for _, test := range consoleDeletions {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, Config{Review: ReviewManual})
			a := b.approvedPair(t)
			before := map[string][]string{a.path: b.sub.objectsOn(a.path), a.productPath: b.sub.objectsOn(a.productPath)}
			path := test.path(b, a)
			if r := b.sub.get(path).want(200); test.refused {
				if r := b.sub.delete(path); r.status < 400 {
					t.Fatalf("the API deletes %s: %d", test.name, r.status)
				}
			} else if r.text("sid") != test.object(a) {
				t.Fatalf("%s reads %v", path, r.body)
			}
			if status, answered := b.control(t, http.MethodDelete, "/_sim/objects/"+test.object(a), ""); status != 204 {
				t.Fatalf("the deletion is answered %d: %v", status, answered)
			}

			b.sub.get(path).refused(404, codeNotFound)
			for bundle, off := range map[string]func(approvedPair) []string{a.path: test.offProfile, a.productPath: test.offProduct} {
				if bundle == path {
					continue // It is gone with all that it had.
				}
				want := before[bundle]
				if off != nil {
					want = slices.DeleteFunc(slices.Clone(want), func(sid string) bool { return slices.Contains(off(a), sid) })
				}
				if got := b.sub.objectsOn(bundle); !slices.Equal(got, want) {
					t.Errorf("%s has %v, want %v", bundle, got, want)
				}
				if got := b.sub.status(bundle); got != "twilio-approved" {
					t.Errorf("%s is %s", bundle, got)
				}
			}
			if err := b.sim.DeleteInConsole(test.object(a)); !errors.Is(err, ErrNoSuchObject) {
				t.Errorf("deleted again: %v", err)
			}
		})
	}
}

// TestWhatWasFreedInTheConsoleCanBeUsedAgain: a number goes on another profile, an end user can be
// deleted.
func TestWhatWasFreedInTheConsoleCanBeUsedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Review: ReviewManual})
	a := b.approvedPair(t)
	for _, sid := range []string{a.product, a.profile} {
		if err := b.sim.DeleteInConsole(sid); err != nil {
			t.Fatal(err)
		}
	}
	b.sub.delete("/v1/EndUsers/" + a.business).want(204)
	b.sub.delete("/v1/SupportingDocuments/" + a.document).want(204)
	b.sub.delete(b.sub.v2010("/Addresses/" + a.address + ".json")).want(204)
	b.sub.addNumber(profilePath(b.sub.draftProfile()), a.number).want(201)
}

// TestAnEvaluationMissesWhatTheConsoleDeleted.
func TestAnEvaluationMissesWhatTheConsoleDeleted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		object func(b *testBundle, a approvedPair) string
		bundle func(a approvedPair) string
	}{
		"an end user":         {func(_ *testBundle, a approvedPair) string { return a.business }, func(a approvedPair) string { return a.path }},
		"an address":          {func(_ *testBundle, a approvedPair) string { return a.address }, func(a approvedPair) string { return a.path }},
		"the primary profile": {func(b *testBundle, _ approvedPair) string { return b.sim.cfg.PrimaryProfileSID }, func(a approvedPair) string { return a.path }},
		"the profile":         {func(_ *testBundle, a approvedPair) string { return a.profile }, func(a approvedPair) string { return a.productPath }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, Config{Review: ReviewManual})
			a := b.approvedPair(t)
			if got := b.sub.evaluate(test.bundle(a)).text("status"); got != "compliant" {
				t.Fatalf("before the deletion it is %s", got)
			}
			if err := b.sim.DeleteInConsole(test.object(b, a)); err != nil {
				t.Fatal(err)
			}
			if got := b.sub.evaluate(test.bundle(a)).text("status"); got != "noncompliant" {
				t.Errorf("after the deletion it is %s", got)
			}
		})
	}
}

// TestADeletedBundleIsNotReviewedAnyMore, and its SID is none to review.
func TestADeletedBundleIsNotReviewedAnyMore(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Review: ReviewManual})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	b.sub.submit(p.path)
	b.sub.delete(p.path).refused(400, codeBundleInReview)
	if err := b.sim.DeleteInConsole(p.profile); err != nil {
		t.Fatal(err)
	}
	if err := b.sim.Review(p.profile, Decision{Status: StatusApproved}); !errors.Is(err, ErrNoSuchBundle) {
		t.Errorf("reviewing it: %v", err)
	}
	if status, _ := b.control(t, http.MethodDelete, "/_sim/objects/BU1", ""); status != 404 {
		t.Errorf("an unknown object is answered %d", status)
	}
}
