package simulation

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// This file is what people do at Twilio, past attestd and everything that is under test.

// asAccount posts with the account's own credentials.
func (w *world) asAccount(account, path string, form map[string]string, into any) error {
	state := w.sim.State().Accounts[account]
	return w.send(http.MethodPost, path, form, account, state.AuthToken, into)
}

// asParent posts with the parent's credentials.
func (w *world) asParent(path string, form map[string]string, into any) error {
	return w.send(http.MethodPost, path, form, trusthubsim.DefaultAccountSID, trusthubsim.DefaultAuthToken, into)
}

func (w *world) send(method, path string, form map[string]string, user, password string, into any) error {
	w.sim.ClearFaults()
	values := url.Values{}
	for name, value := range form {
		values.Set(name, value)
	}
	r, err := http.NewRequestWithContext(w.ctx, method, "https://api.twilio.com"+path, strings.NewReader(values.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(user, password)
	response, err := w.sim.Transport().RoundTrip(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, body)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

// made is what Twilio answers of anything that was made.
type made struct {
	SID         string `json:"sid"`
	PhoneNumber string `json:"phone_number"`
	AuthToken   string `json:"auth_token"`
}

// nextNumber is one that nobody has.
func (w *world) nextNumber() string {
	w.numbersEver++
	return fmt.Sprintf("+1202555%04d", w.numbersEver)
}

func (w *world) buy(account, wanted string) (sid, number string) {
	var bought made
	err := w.asParent("/2010-04-01/Accounts/"+account+"/IncomingPhoneNumbers.json", map[string]string{"PhoneNumber": wanted}, &bought)
	if err != nil {
		w.violated("buy: %v", err)
	}
	w.tracef("%s is bought for %s", wanted, account)
	if len(w.ids) > 0 { // Or else it was there from the beginning.
		w.unseen()
	}
	return bought.SID, bought.PhoneNumber
}

// buyOrRelease changes what the subaccount has, past attestd. It keeps one number at least.
func buyOrRelease(w *world, id onboarding.ID) {
	account := w.account(id)
	if account == "" {
		return
	}
	held := w.sim.State().Accounts[account].IncomingPhoneNumbers
	if len(held) < 2 || w.rng.IntN(2) == 0 {
		w.buy(account, w.nextNumber())
		return
	}
	released := pick(w.rng, held...)
	w.loses(id, released.SID)
	err := w.sim.DeleteInConsole(released.SID)
	w.tracef("%s is released: %v", released.PhoneNumber, err)
	w.unseen()
}

func (w *world) voiceNumbers(id onboarding.ID) []trusthubsim.PhoneNumberState {
	return w.sim.State().Accounts[w.account(id)].IncomingPhoneNumbers
}

// freeNumber is a number of the subaccount that the request does not name, or "".
func (w *world) freeNumber(id onboarding.ID) string {
	r := w.get(id).Request
	for _, n := range w.voiceNumbers(id) {
		if !slices.Contains(r.PhoneNumbers, n.SID) && !slices.Contains(r.PhoneNumbers, n.PhoneNumber) && time.Since(n.DateCreated) > w.scenario.lag {
			return pick(w.rng, n.SID, n.PhoneNumber)
		}
	}
	return ""
}

func (w *world) addressByHand(account string) string {
	a := goodAddress()
	var address made
	err := w.asAccount(account, "/2010-04-01/Accounts/"+account+"/Addresses.json", map[string]string{
		"CustomerName": a.CustomerName, "Street": "9 Given Street", "City": a.City, "Region": a.Region, "PostalCode": a.PostalCode, "IsoCountry": a.ISOCountry,
	}, &address)
	if err != nil {
		w.violated("address by hand: %v", err)
	}
	w.handmade[address.SID] = true
	return address.SID
}

// ours are the bundles that the onboarding has now.
func (w *world) ours(id onboarding.ID) []trusthubsim.BundleState {
	o := w.get(id)
	var keys []onboarding.Key
	for _, p := range o.Request.WantedProducts() {
		keys = append(keys, p.Bundle())
	}
	held := w.sim.State().Accounts[w.account(id)]
	var bundles []trusthubsim.BundleState
	for _, key := range slices.Concat([]onboarding.Key{"customer_profile"}, keys) {
		if sid := o.SID(key); sid != "" {
			if b := bundle(held, sid); b != nil {
				bundles = append(bundles, *b)
			}
		}
	}
	return bundles
}

// still tells whether nobody is about to change anything on the bundle, by a ledger that knows how
// it stands: a reviewer who comes back then cannot meet a correction on its way.
func (w *world) still(id onboarding.ID, b trusthubsim.BundleState) bool {
	o := w.get(id)
	if w.known(o, b.SID) != string(b.Status) || slices.ContainsFunc(w.replicas, func(r *replica) bool { return !r.dead && len(r.runs) > 0 }) {
		return false
	}
	return !slices.ContainsFunc(o.Steps, func(s onboarding.Step) bool {
		isOf := strings.HasSuffix(string(s.Key), ".evaluation") || strings.HasSuffix(string(s.Key), ".submission")
		return s.State == onboarding.StepRunning || s.State != onboarding.StepSucceeded && isOf && o.SID(s.Key[:strings.LastIndex(string(s.Key), ".")]) == b.SID
	})
}

// unseen notes that something has changed that nobody tells attestd of.
func (w *world) unseen() { w.hidden = true }

// loses notes that an object is about to go from Twilio past attestd, with what hangs on it.
func (w *world) loses(id onboarding.ID, sid string) {
	w.lost[sid] = true
	w.mayComeAgain(w.hanging(id, sid))
	for _, b := range w.ours(id) {
		for _, a := range b.ChannelEndpointAssignments {
			if sid == b.SID || sid == a.SID || sid == a.ChannelEndpointSID {
				w.gone[a.ChannelEndpointSID] = true
			}
		}
	}
	w.unseen()
}

// mayComeAgain notes that those may be made once more, because they went.
func (w *world) mayComeAgain(gone map[string]bool) {
	for key := range gone {
		w.again[key]++
	}
}

// hanging is what goes from Twilio with an object, by the names that the census has for it: it may
// be made again.
func (w *world) hanging(id onboarding.ID, sid string) map[string]bool {
	gone := map[string]bool{}
	held := w.sim.State().Accounts[w.account(id)]
	for _, b := range slices.Concat(held.CustomerProfiles, held.TrustProducts) {
		if b.SID == sid {
			gone[b.FriendlyName] = true
		}
		for _, a := range b.EntityAssignments {
			if sid == b.SID || sid == a.SID || sid == a.ObjectSID {
				gone[a.BundleSID+" "+a.ObjectSID] = true
			}
		}
		for _, a := range b.ChannelEndpointAssignments {
			if sid == b.SID || sid == a.SID || sid == a.ChannelEndpointSID {
				gone[a.BundleSID+" "+a.ChannelEndpointSID] = true
			}
		}
	}
	for _, u := range slices.Concat(held.EndUsers, held.SupportingDocuments) {
		if u.SID == sid {
			gone[u.FriendlyName] = true
		}
	}
	for _, a := range held.Addresses {
		if a.SID == sid {
			gone[a.FriendlyName] = true
		}
	}
	return gone
}

// madeByHand makes in the subaccount what the request is to name, and names it.
func (w *world) madeByHand(account string, r *onboarding.Request) error {
	post := func(path string, form map[string]string) (string, error) {
		var object made
		err := w.asAccount(account, path, form, &object)
		w.handmade[object.SID] = true
		return object.SID, err
	}
	user := func(kind string, attributes map[string]string) (string, error) {
		text, err := json.Marshal(attributes)
		if err != nil {
			return "", err
		}
		return post("/v1/EndUsers", map[string]string{"FriendlyName": "by hand " + kind, "Type": kind, "Attributes": string(text)})
	}
	good := corrected(*r)
	business := func() (string, error) {
		return user("customer_profile_business_information", good.Business.Attributes())
	}
	person := func() (string, error) {
		return user("authorized_representative_1", good.AuthorizedRepresentatives[0].Attributes())
	}
	parts := []func() (string, error){business, person}
	if len(r.AuthorizedRepresentatives) > 1 {
		parts = append(parts, func() (string, error) {
			return user("authorized_representative_2", good.AuthorizedRepresentatives[1].Attributes())
		})
	}
	var err error
	switch given := w.scenario.people.given; given {
	case givenNothing:
	case givenAddress:
		r.Address = onboarding.Address{SID: w.addressByHand(account)}
	case givenUsers:
		if r.EndUserSIDs.BusinessInformation, err = business(); err == nil && w.rng.IntN(2) == 0 {
			r.EndUserSIDs.AuthorizedRepresentative1, err = person()
		}
	case givenDraft, givenProfile, givenProducts:
		err = w.profileByHand(account, r, given, post, parts)
	}
	return err
}

func (w *world) profileByHand(account string, r *onboarding.Request, given given, post func(string, map[string]string) (string, error), parts []func() (string, error)) error {
	bundleOf := func(resource, policy string) (string, error) {
		return post("/v1/"+resource, map[string]string{"FriendlyName": "by hand", "Email": "trust@example.com", "PolicySid": policy})
	}
	profile, err := bundleOf("CustomerProfiles", trusthubsim.PolicySecondaryProfile)
	if err != nil {
		return err
	}
	r.CustomerProfileSID = profile
	parts = append(parts,
		func() (string, error) {
			return post("/v1/SupportingDocuments", map[string]string{
				"FriendlyName": "by hand document", "Type": "customer_profile_address", "Attributes": fmt.Sprintf(`{"address_sids": %q}`, w.addressByHand(account)),
			})
		},
		func() (string, error) { return trusthubsim.DefaultPrimaryProfileSID, nil },
	)
	for _, part := range parts {
		if given == givenDraft && w.rng.IntN(2) == 0 {
			continue // It is half done.
		}
		sid, err := part()
		if err != nil {
			return err
		}
		if _, err := post("/v1/CustomerProfiles/"+profile+"/EntityAssignments", map[string]string{"ObjectSid": sid}); err != nil {
			return err
		}
	}
	if given == givenDraft {
		return nil
	}
	if err := w.approvedByHand(account, "CustomerProfiles", profile); err != nil {
		return err
	}
	number := w.sim.State().Accounts[account].IncomingPhoneNumbers[0].SID
	onBundle := map[string]string{"ChannelEndpointType": "phone-number", "ChannelEndpointSid": number}
	if _, err := post("/v1/CustomerProfiles/"+profile+"/ChannelEndpointAssignments", onBundle); err != nil {
		return err
	}
	if given == givenProfile {
		return nil
	}
	product, err := bundleOf("TrustProducts", trusthubsim.PolicyShakenStir)
	if err != nil {
		return err
	}
	r.TrustProductSID = product
	if _, err := post("/v1/TrustProducts/"+product+"/EntityAssignments", map[string]string{"ObjectSid": profile}); err != nil {
		return err
	}
	if _, err := post("/v1/TrustProducts/"+product+"/ChannelEndpointAssignments", onBundle); err != nil {
		return err
	}
	return w.approvedByHand(account, "TrustProducts", product)
}

// approvedByHand hands a bundle in, and has it approved.
func (w *world) approvedByHand(account, resource, sid string) error {
	if err := w.asAccount(account, "/v1/"+resource+"/"+sid, map[string]string{"Status": "pending-review"}, nil); err != nil {
		return err
	}
	return w.sim.Review(sid, trusthubsim.Decision{Status: trusthubsim.StatusApproved})
}
