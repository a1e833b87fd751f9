package trusthubsim

import (
	"net/http"
	"strings"
	"testing"
)

// buy puts a number into service.
func (c caller) buy(number string) result {
	return c.post(c.v2010("/IncomingPhoneNumbers.json"), "PhoneNumber", number).want(201)
}

// TestWhichNumbersAProductTakes, and that the switch lets all of them through.
func TestWhichNumbersAProductTakes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		number                  string
		shaken, integrity, cnam bool
	}{
		{"+14155550100", true, true, true},
		{"+17875550100", true, true, true}, // Puerto Rico
		{"+18885550100", true, true, false},
		{"+18335550100", true, true, false},
		{"+14165550100", true, false, false}, // Toronto
		{"+18765550100", true, false, false}, // Jamaica
		{"+442071838750", false, false, false},
	} {
		for policySID, takes := range map[string]bool{PolicyShakenStir: test.shaken, PolicyVoiceIntegrity: test.integrity, PolicyCNAM: test.cnam} {
			for _, unfit := range []bool{false, true} {
				b := setup(t, Config{Doubts: Doubts{UnfitNumbers: unfit}})
				profile := b.sub.draftProfile()
				product := productPath(b.sub.draftProduct(policySID))
				b.sub.assign(product, profile).want(201)
				number := b.sub.buy(test.number).text("sid")
				b.sub.addNumber(profilePath(profile), number).want(201)
				r := b.sub.addNumber(product, number)
				if takes || unfit {
					r.want(201)
					continue
				}
				if r.refused(400, codeBadRequest); strings.Contains(r.text("message"), test.number) || !strings.Contains(r.text("message"), number) {
					t.Errorf("%s on %s: %q", test.number, policySID, r.text("message"))
				}
			}
		}
	}
}

// TestTheTypeOfANumber is told where it is read.
func TestTheTypeOfANumber(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	for number, want := range map[string]string{"+18005550100": "toll-free", "+14155550100": "local", "+442071838750": "local"} {
		if got := b.sub.buy(number).text("type"); got != want {
			t.Errorf("%s is %s, want %s", number, got, want)
		}
	}
	for _, number := range []string{"+1415555010", "+141555501000", "4155550100"} {
		b.sub.post(b.sub.v2010("/IncomingPhoneNumbers.json"), "PhoneNumber", number).refused(400, codeInvalidNumber)
	}
}

// TestANumberOnTheParentsProfile: the parent puts it there, or its area code does. The subaccount
// is told the bundle and cannot read it.
func TestANumberOnTheParentsProfile(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(b *testBundle) string{
		"by the parent": func(b *testBundle) string {
			number := b.sub.number()
			b.parent.addNumber(profilePath(DefaultPrimaryProfileSID), number).want(201)
			return number
		},
		"by its area code": func(b *testBundle) string {
			return b.sub.post(b.sub.v2010("/IncomingPhoneNumbers.json"), "AreaCode", codeOnParents).want(201).text("sid")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, Config{})
			number := put(b)
			primary := profilePath(DefaultPrimaryProfileSID)
			path := profilePath(b.sub.draftProfile())
			r := b.sub.addNumber(path, number).refused(409, codeConflict)
			if want := "already assigned to " + DefaultPrimaryProfileSID; !strings.Contains(r.text("message"), want) {
				t.Errorf("%q does not say %q", r.text("message"), want)
			}
			b.sub.get(primary).refused(404, codeNotFound)

			on := b.parent.get(primary + "/ChannelEndpointAssignments?ChannelEndpointSid=" + number).list()
			if len(on) != 1 || on[0]["account_sid"] != b.parent.sid || on[0]["channel_endpoint_sid"] != number {
				t.Fatalf("the parent's profile has %v", on)
			}
			b.parent.delete(primary + "/ChannelEndpointAssignments/" + on[0]["sid"].(string)).want(http.StatusNoContent)
			b.sub.addNumber(path, number).want(201)
		})
	}
}

// TestTheParentsBundlesTakeNumbersOfItsOwn family only.
func TestTheParentsBundlesTakeNumbersOfItsOwn(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	sibling := b.subaccount("Sibling")
	b.sub.addNumber(profilePath(b.sub.draftProfile()), sibling.number()).refused(400, codeInvalidObject)
	b.parent.addNumber(profilePath(DefaultPrimaryProfileSID), "PN00000000000000000000000000000000").refused(400, codeInvalidObject)

	number := b.sub.number()
	b.parent.addNumber(profilePath(DefaultPrimaryProfileSID), number).want(201)
	b.sub.delete(b.sub.v2010("/IncomingPhoneNumbers/" + number + ".json")).want(204)
	if got := b.parent.get(profilePath(DefaultPrimaryProfileSID) + "/ChannelEndpointAssignments").sids(); len(got) != 0 {
		t.Errorf("a released number is still on the parent's profile: %v", got)
	}
}

// TestTheCodeOfADuplicate is that of the switch, for numbers and for objects.
func TestTheCodeOfADuplicate(t *testing.T) {
	t.Parallel()
	for _, code := range []int{20409, 70003} {
		b := setup(t, Config{Doubts: Doubts{DuplicateCode: code}})
		p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
		b.sub.addNumber(p.path, p.number).refused(409, code)
		b.sub.assign(p.path, p.business).refused(409, code)
		b.sub.assign(p.path, b.sub.endUser(businessInformation, business())).refused(409, codeConflict)
	}
}
