package trusthubsim

import (
	"strings"
	"testing"
)

func TestWhatMayBeAssigned(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	sibling := b.subaccount("Sibling")
	path, product := profilePath(b.sub.draftProfile()), productPath(b.sub.draftProduct(PolicyShakenStir))
	user := b.sub.endUser(businessInformation, business())
	for _, test := range []struct {
		name         string
		path, object string
		status, code int
	}{
		{"own end user", path, user, 201, 0},
		{"own document", path, b.sub.document(b.sub.address()), 201, 0},
		{"the parent's primary profile", path, b.sim.cfg.PrimaryProfileSID, 201, 0},
		{"a sibling's end user", path, sibling.endUser(representative1, representative()), 400, codeInvalidObject},
		{"the parent's end user", path, b.parent.endUser(representative1, representative()), 400, codeInvalidObject},
		{"a sibling's document", path, sibling.document(sibling.address()), 400, codeInvalidObject},
		{"a sibling's profile", path, sibling.draftProfile(), 400, codeInvalidObject},
		{"unknown", path, "IT00000000000000000000000000000000", 400, codeInvalidObject},
		{"no SID", path, "IT1", 400, codeInvalidParameter},
		{"none", path, "", 400, codeUnknownParameters},
		{"an address", path, b.sub.address(), 400, codeInvalidObjectType},
		{"a number", path, b.sub.number(), 400, codeInvalidObjectType},
		{"own secondary profile on a profile", path, b.sub.draftProfile(), 400, codeInvalidObjectType},
		{"a type that the policy has no use for", path, b.sub.endUser(cnam, `{"cnam_display_name":"EXAMPLE"}`), 400, codeInvalidObjectType},
		{"a second object of a type", path, b.sub.endUser(businessInformation, business()), 409, codeConflict},
		{"own profile on a product", product, b.sub.draftProfile(), 201, 0},
		{"a business on a product", product, user, 400, codeInvalidObjectType},
		{"a second profile on a product", product, b.sub.draftProfile(), 409, codeConflict},
		{"a sibling's profile on a product", product, sibling.draftProfile(), 400, codeInvalidObject},
	} {
		r := b.sub.assign(test.path, test.object)
		r.request = test.name
		if test.code == 0 {
			r.want(test.status)
		} else {
			r.refused(test.status, test.code)
		}
	}
}

// TestDuplicateAssignmentsNameTheBundle, on the same bundle and, for numbers, on another one.
func TestDuplicateAssignmentsNameTheBundle(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	other := b.sub.draftProfile()
	product, otherProduct := b.sub.draftProduct(PolicyShakenStir), b.sub.draftProduct(PolicyShakenStir)
	integrity := b.sub.draftProduct(PolicyVoiceIntegrity)
	for _, sid := range []string{product, otherProduct, integrity} {
		b.sub.assign(productPath(sid), p.profile).want(201)
	}
	b.sub.addNumber(productPath(product), p.number).want(201)
	b.sub.addNumber(productPath(integrity), p.number).want(201) // another policy

	for _, test := range []struct {
		name   string
		again  result
		bundle string
	}{
		{"object, same bundle", b.sub.assign(p.path, p.business), p.profile},
		{"profile, same product", b.sub.assign(productPath(product), p.profile), product},
		{"number, same profile", b.sub.addNumber(p.path, p.number), p.profile},
		{"number, other profile", b.sub.addNumber(profilePath(other), p.number), p.profile},
		{"number, same product", b.sub.addNumber(productPath(product), p.number), product},
		{"number, other product", b.sub.addNumber(productPath(otherProduct), p.number), product},
	} {
		test.again.request = test.name
		test.again.refused(409, codeConflict)
		if want := "already assigned to " + test.bundle; !strings.Contains(test.again.text("message"), want) {
			t.Errorf("%s: %q does not say %q", test.name, test.again.text("message"), want)
		}
	}
	b.sub.assign(profilePath(other), p.business).want(201) // an object may be on several bundles
}

// TestNumbersGoToTheProfileFirst and leave it last.
func TestNumbersGoToTheProfileFirst(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	product := productPath(b.sub.draftProduct(PolicyShakenStir))

	b.sub.addNumber(product, p.number).refused(400, codeBadRequest) // no profile on the product
	profileAssignment := b.sub.assign(product, p.profile).want(201).text("sid")
	b.sub.addNumber(product, b.sub.number()).refused(400, codeBadRequest) // not on the profile
	elsewhere := b.sub.number()
	b.sub.addNumber(profilePath(b.sub.draftProfile()), elsewhere).want(201)
	b.sub.addNumber(product, elsewhere).refused(400, codeBadRequest) // on another profile
	onProduct := b.sub.addNumber(product, p.number).want(201).text("sid")

	onProfile := p.path + "/ChannelEndpointAssignments/" + p.numberAssignment
	b.sub.delete(onProfile).refused(400, codeBadRequest)
	b.sub.delete(product+"/EntityAssignments/"+profileAssignment).refused(409, codeConflict)
	b.sub.delete(product + "/ChannelEndpointAssignments/" + onProduct).want(204)
	b.sub.delete(onProfile).want(204)
	b.sub.delete(product + "/EntityAssignments/" + profileAssignment).want(204)
}

func TestNumberAssignments(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	sibling := b.subaccount("Sibling")
	path := profilePath(b.sub.draftProfile())
	b.sub.addNumber(path, sibling.number()).refused(400, codeInvalidObject)
	b.sub.addNumber(path, "PN1").refused(400, codeInvalidParameter)
	number := b.sub.number()
	b.sub.post(path+"/ChannelEndpointAssignments", "ChannelEndpointType", "fax", "ChannelEndpointSid", number).refused(400, codeInvalidParameter)

	first := b.sub.addNumber(path, number).want(201)
	other := b.sub.number()
	b.sub.addNumber(path, other).want(201)
	b.sub.get(path + "/ChannelEndpointAssignments/" + first.text("sid")).want(200)
	for query, want := range map[string]int{
		"": 2, "?ChannelEndpointSid=" + number: 1, "?ChannelEndpointSids=" + number + "," + other: 2,
		"?ChannelEndpointSids=" + other: 1, "?ChannelEndpointSid=PN00000000000000000000000000000000": 0,
	} {
		if got := b.sub.get(path + "/ChannelEndpointAssignments" + query).sids(); len(got) != want {
			t.Errorf("%s: %d assignments, want %d", query, len(got), want)
		}
	}
}

func TestEntityAssignmentsByType(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	b.sub.get(p.path + "/EntityAssignments/" + p.businessAssignment).want(200)
	for objectType, want := range map[string]string{
		businessInformation: p.business, profileAddress: p.document, typePrimaryProfile: b.sim.cfg.PrimaryProfileSID,
	} {
		items := b.sub.get(p.path + "/EntityAssignments?ObjectType=" + objectType).list()
		if len(items) != 1 || items[0]["object_sid"] != want {
			t.Errorf("%s: %v, want %s", objectType, items, want)
		}
	}
}

// TestNumbersDuringReview is the switch for products in review.
func TestNumbersDuringReview(t *testing.T) {
	t.Parallel()
	for _, allowed := range []bool{false, true} {
		b := setup(t, Config{Review: ReviewManual, ProductGate: GateSubmitted, NumbersDuringReview: allowed})
		p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
		product := productPath(b.sub.draftProduct(PolicyShakenStir))
		b.sub.assign(product, p.profile).want(201)
		b.sub.submit(p.path)
		b.sub.submit(product)
		if r := b.sub.addNumber(product, p.number); allowed {
			r.want(201)
		} else {
			r.refused(409, codeConflict)
		}
	}
}
