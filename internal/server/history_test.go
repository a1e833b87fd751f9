package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// corrected makes a world with an onboarding whose profile was rejected, corrected and submitted
// again, and is in review.
func corrected(t *testing.T) (w *world, customer subaccount, id, profile string) {
	t.Helper()
	w = newWorld(t, trusthubsim.Config{Review: trusthubsim.ReviewManual})
	w.serve()
	customer = w.subaccount(1)
	id = w.post(customer.request(nil)).ID
	profile = w.await(id, "in_review").CustomerProfile.SID
	w.reject(profile, 18602)
	w.await(id, "action_required")
	if status, raw := w.patch(id, 1, map[string]any{"business": map[string]any{"business_registration_number": "987654321"}}); status != http.StatusAccepted {
		t.Fatalf("the correction answered %d: %s", status, raw)
	}
	w.awaitThat(id, "the profile in review again", func(a answer) bool { return a.CustomerProfile.Status == "pending-review" && a.Status == "in_review" })
	return w, customer, id, profile
}

// list reads a whole list about an onboarding, with pages of that size.
func list[T any](w *world, path, member string, size int) []T {
	w.t.Helper()
	var all []T
	query := url.Values{"limit": {fmt.Sprint(size)}}
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	for {
		var page map[string]any
		var entries map[string][]T
		status, raw := w.call(http.MethodGet, path+separator+query.Encode(), nil, &page)
		if status != http.StatusOK {
			w.t.Fatalf("%s answered %d: %s", path, status, raw)
		}
		next, more := page["next_cursor"].(string)
		delete(page, "next_cursor")
		recode(w.t, page, &entries)
		if len(entries[member]) > size {
			w.t.Errorf("%s: a page of %d, want %d at most", path, len(entries[member]), size)
		}
		all = append(all, entries[member]...)
		if !more {
			return all
		}
		query.Set("cursor", next)
	}
}

func TestSupportReadsWhatChangedBetweenTwoSubmissions(t *testing.T) {
	t.Parallel()
	w, _, id, profile := corrected(t)
	w.asViewer()
	type change struct{ Pointer, Old, New string }
	type submission struct {
		Bundle    string
		BundleSID string `json:"bundle_sid"`
		Decision  string
	}
	type version struct {
		Version     int
		Actor       string
		Changes     []change
		Submissions []submission
	}
	want := []version{
		{2, "key:test", []change{{"/business/business_registration_number", "123456789", "987654321"}}, []submission{{"customer_profile", profile, ""}}},
		{1, "key:test", []change{}, []submission{{"customer_profile", profile, "rejected"}}},
	}
	if diff := cmp.Diff(want, list[version](w, "/onboardings/"+id+"/versions", "versions", 1)); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
}

func TestSupportReadsTheHistoryFromEitherEnd(t *testing.T) {
	t.Parallel()
	w, _, id, _ := corrected(t)
	type event struct{ At, Kind, Step, Actor, Detail string }
	oldest := list[event](w, "/onboardings/"+id+"/events?order=oldest", "events", 7)
	newest := list[event](w, "/onboardings/"+id+"/events", "events", 100)
	if len(oldest) == 0 || oldest[0].Kind != "onboarding.created" || oldest[0].Actor != "key:test" || oldest[0].At == "" {
		t.Errorf("the history begins with %+v", oldest)
	}
	if len(newest) != len(oldest) || newest[len(newest)-1] != oldest[0] || newest[0] != oldest[len(oldest)-1] {
		t.Errorf("the newest first: %d events, the oldest first: %d", len(newest), len(oldest))
	}
}

func TestSupportReadsTheCallbacksThatCame(t *testing.T) {
	t.Parallel()
	w, customer, id, profile := corrected(t)
	w.asViewer()
	type callback struct {
		SignedBy  string `json:"signed_by"`
		BundleSID string `json:"bundle_sid"`
		Status    string `json:"claimed_status"`
		Body      string
	}
	callbacks := list[callback](w, "/onboardings/"+id+"/callbacks", "callbacks", 1)
	if len(callbacks) == 0 {
		t.Fatal("no callbacks, although the review has ended once")
	}
	for _, c := range callbacks {
		if c.SignedBy != customer.sid && c.SignedBy != trusthubsim.DefaultAccountSID || !strings.Contains(c.Body, c.BundleSID) {
			t.Errorf("callback %+v", c)
		}
	}
	rejected := false
	for _, c := range callbacks {
		rejected = rejected || c.BundleSID == profile && c.Status == "twilio-rejected"
	}
	if !rejected {
		t.Errorf("none of the callbacks is about the rejection: %+v", callbacks)
	}
}

func TestTheRecordsOfNoOnboardingAreNotFound(t *testing.T) {
	t.Parallel()
	w, _, id, _ := corrected(t)
	for _, list := range []string{"callbacks", "versions", "events"} {
		if status, raw := w.call(http.MethodGet, "/onboardings/onb_01890a5d-ac96-774b-bcce-b302099a8057/"+list, nil, nil); status != http.StatusNotFound {
			t.Errorf("%s answered %d: %s", list, status, raw)
		}
	}
	var page struct {
		NextCursor string `json:"next_cursor"`
	}
	w.call(http.MethodGet, "/onboardings/"+id+"/events?limit=1", nil, &page)
	for path, want := range map[string]int{
		"events?cursor=" + page.NextCursor:              http.StatusOK,
		"events?order=oldest&cursor=" + page.NextCursor: http.StatusUnprocessableEntity,
		"versions?cursor=" + page.NextCursor:            http.StatusUnprocessableEntity,
		"callbacks?cursor=" + page.NextCursor:           http.StatusUnprocessableEntity,
		"events?order=any":                              http.StatusUnprocessableEntity,
		"events?limit=0":                                http.StatusUnprocessableEntity,
	} {
		if status, raw := w.call(http.MethodGet, "/onboardings/"+id+"/"+path, nil, nil); status != want {
			t.Errorf("%s answered %d, want %d: %s", path, status, want, raw)
		}
	}
}

// recode reads a decoded JSON document into another type.
func recode(t *testing.T, from, into any) {
	t.Helper()
	text, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}
