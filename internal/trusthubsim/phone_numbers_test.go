package trusthubsim

import (
	"net/url"
	"testing"
)

func TestBuyingNumbers(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	path := b.sub.v2010("/IncomingPhoneNumbers.json")
	first := b.sub.post(path, "AreaCode", "415").want(201)
	second := b.parent.post(path, "AreaCode", "415").want(201)
	if first.text("phone_number") != "+14155550100" || second.text("phone_number") != "+14155550101" {
		t.Errorf("bought %s and %s", first.text("phone_number"), second.text("phone_number"))
	}
	if second.text("account_sid") != b.sub.sid {
		t.Errorf("bought through the parent for %s, want the subaccount", second.text("account_sid"))
	}
	b.sub.post(path, "PhoneNumber", "+12125550123", "FriendlyName", "Main line").want(201)
	b.sub.post(path, "PhoneNumber", "+12125550123").refused(400, codeNumberNotAvailable)
	b.subaccount("Sibling").post("/2010-04-01/Accounts/"+b.parent.sid+"/IncomingPhoneNumbers.json", "AreaCode", "212").refused(404, codeNotFound)
	b.sub.post(path, "PhoneNumber", "2125550123").refused(400, codeInvalidNumber)
	b.sub.post(path, "AreaCode", "1").refused(400, codeInvalidAreaCode)
	b.sub.post(path).refused(400, codeUnknownParameters)

	for query, want := range map[string]int{
		"": 3, "?PhoneNumber=%2B12125550123": 1, "?PhoneNumber=%2B1415*": 2, "?PhoneNumber=212555": 1, "?PhoneNumber=%2B1**9999": 0,
		"?PhoneNumber=5550*00": 1, "?FriendlyName=Main%20line": 1, "?Origin=hosted": 0, "?Origin=twilio": 3, "?Beta=true": 3,
	} {
		if got := b.sub.get(path + query).sids(); len(got) != want {
			t.Errorf("%s: %d numbers, want %d", query, len(got), want)
		}
	}
}

// TestReleasedAndMovedNumbers lose their assignments, whatever the status of the bundles.
func TestReleasedAndMovedNumbers(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Review: ReviewManual})
	p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	moved := b.sub.number()
	b.sub.addNumber(p.path, moved).want(201)
	b.sub.submit(p.path)
	b.decide(t, p.profile, StatusApproved)
	product := productPath(b.sub.draftProduct(PolicyShakenStir))
	b.sub.assign(product, p.profile).want(201)
	b.sub.addNumber(product, p.number).want(201)

	sibling := b.subaccount("Sibling")
	b.sub.delete(b.sub.v2010("/IncomingPhoneNumbers/" + p.number + ".json")).want(204)
	movedPath := b.sub.v2010("/IncomingPhoneNumbers/" + moved + ".json")
	b.sub.post(movedPath, "AccountSid", sibling.sid).refused(400, codeInvalidParameter)
	b.parent.post(movedPath, "AccountSid", sibling.sid).want(200)

	for _, path := range []string{p.path, product} {
		if got := b.sub.get(path + "/ChannelEndpointAssignments").sids(); len(got) != 0 {
			t.Errorf("%s still has %v", path, got)
		}
	}
	b.sub.get(movedPath).refused(404, codeNotFound)
	sibling.get(sibling.v2010("/IncomingPhoneNumbers/" + moved + ".json")).want(200)
	b.sub.addNumber(p.path, moved).refused(400, codeInvalidObject)

	deleted := b.sim.State().Accounts[b.sub.sid].Deleted
	if len(deleted.ChannelEndpointAssignments) != 3 || len(deleted.IncomingPhoneNumbers) != 1 {
		t.Errorf("deleted: %+v", deleted)
	}
}

// TestNumbersThatCannotMakeCalls say so where they are bought, read and listed.
func TestNumbersThatCannotMakeCalls(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	path := b.sub.v2010("/IncomingPhoneNumbers.json")
	for number, want := range map[string]bool{"+16005550100": false, "+14165550100": true, "+442071838750": true} {
		bought := b.sub.post(path, "PhoneNumber", number).want(201)
		read := b.sub.get(b.sub.v2010("/IncomingPhoneNumbers/" + bought.text("sid") + ".json")).want(200)
		listed := b.sub.get(path + "?PhoneNumber=" + url.QueryEscape(number)).list()
		if len(listed) != 1 {
			t.Fatalf("%s is listed as %v", number, listed)
		}
		for _, properties := range []map[string]any{bought.body, read.body, listed[0]} {
			if got := properties["capabilities"].(map[string]any)["voice"]; got != want {
				t.Errorf("%s: voice is %v, want %v", number, got, want)
			}
		}
	}
	if got := b.sub.post(path, "AreaCode", "600").want(201).body["capabilities"].(map[string]any)["voice"]; got != false {
		t.Errorf("a number of the area code 600 has voice %v", got)
	}
}

func TestNumberSettings(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	path := b.sub.v2010("/IncomingPhoneNumbers/" + b.sub.number() + ".json")
	got := b.sub.post(path, "VoiceUrl", "https://example.com/voice", "VoiceMethod", "GET", "FriendlyName", "Desk").want(200)
	if got.text("voice_url") != "https://example.com/voice" || got.text("voice_method") != "GET" || got.text("friendly_name") != "Desk" {
		t.Errorf("after the update: %v", got.body)
	}
	b.sub.post(path, "VoiceMethod", "PUT").refused(400, codeInvalidParameter)
	b.sub.post(path, "VoiceColour", "x").refused(400, codeUnknownParameters)
}
