package trusthub

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

func endUsers(entries ...string) string { return strings.Join(entries, ",") }

func endUser(n int, name, created string) string {
	return fmt.Sprintf(`{"sid": %q, "friendly_name": %q, "type": "t", "date_created": %q}`,
		sid("IT", n), name, created)
}

// paged is a Trust Hub list of those pages. next returns the link of a page to the next one, "" on
// the last.
func paged(pages []string, next func(page int) string) *twilio {
	return answering(func(w http.ResponseWriter, r *http.Request) {
		page := 0
		fmt.Sscanf(r.URL.Query().Get("Page"), "%d", &page)
		link := "null"
		if l := next(page); l != "" {
			link = fmt.Sprintf("%q", l)
		}
		answer(w, 200, fmt.Sprintf(`{"results": [%s], "meta": {"page": %d, "next_page_url": %s}}`,
			pages[page], page, link))
	})
}

func findEndUsers(t *testing.T, transport http.RoundTripper) ([]onboarding.Object, error) {
	t.Helper()
	return connect(t, transport, "").FindEndUsers(t.Context(), subSID, "tag", "t")
}

func sids(found []onboarding.Object) []string {
	var all []string
	for _, o := range found {
		all = append(all, o.SID)
	}
	return all
}

func TestFindReadsAllPagesAndReturnsTheOldestFirst(t *testing.T) {
	t.Parallel()
	tw := paged([]string{
		endUsers(endUser(5, "tag", "2026-01-05T00:00:00Z"),
			endUser(9, "tag2", "2026-01-01T00:00:00Z"), endUser(4, "TAG", "2026-01-01T00:00:00Z")),
		"",
		endUsers(endUser(3, "tag", "2026-01-02T00:00:00Z"), endUser(2, "tag", "2026-01-02T00:00:00Z"),
			`{"sid": "ITx", "friendly_name": null, "type": "t"}`,
			`{"sid": "ITy", "friendly_name": "tag", "type": "u"}`),
	}, func(page int) string {
		if page == 2 {
			return ""
		}
		return fmt.Sprintf("https://TRUSTHUB.twilio.com:443/v1/EndUsers?PageSize=1000&Page=%d&PageToken=PA%d",
			page+1, page)
	})
	found, err := findEndUsers(t, tw)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := sids(found), []string{sid("IT", 2), sid("IT", 3), sid("IT", 5)}; !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	want := []string{
		"GET /2010-04-01/Accounts/" + subSID + ".json",
		"GET /v1/EndUsers?PageSize=1000",
		"GET /v1/EndUsers?PageSize=1000&Page=1&PageToken=PA0",
		"GET /v1/EndUsers?PageSize=1000&Page=2&PageToken=PA1",
	}
	if got := tw.seen(); !slices.Equal(got, want) {
		t.Errorf("requests %q, want %q", got, want)
	}
}

func TestAssignmentsAndSubaccountsComeOldestFirstToo(t *testing.T) {
	t.Parallel()
	assignments := answering(always(200, `{"results": [
		{"sid": "BV3", "object_sid": "IT3", "channel_endpoint_sid": "PN3", "date_created": "2026-01-02T00:00:00Z"},
		{"sid": "BV2", "object_sid": "IT2", "channel_endpoint_sid": "PN2", "date_created": "2026-01-02T00:00:00Z"},
		{"sid": "BV9", "object_sid": "IT9", "channel_endpoint_sid": "PN9", "date_created": "2026-01-01T00:00:00Z"}],
		"meta": {}}`))
	c := connect(t, assignments, "")
	check := func(what string, got []onboarding.Assignment, err error, objects ...string) {
		t.Helper()
		var assigned []string
		for _, a := range got {
			assigned = append(assigned, a.ObjectSID)
		}
		if err != nil || !slices.Equal(assigned, objects) {
			t.Errorf("%s: %+v, %v; want the assignments of %q", what, got, err, objects)
		}
	}
	for _, kind := range bothKinds {
		entities, err := c.ListEntityAssignments(t.Context(), subSID, kind, profileSID)
		check("entities", entities, err, "IT9", "IT2", "IT3")
		numbers, err := c.ListNumberAssignments(t.Context(), subSID, kind, profileSID)
		check("numbers", numbers, err, "PN9", "PN2", "PN3")
	}

	accounts := answering(always(200, `{"accounts": [
		{"sid": "AC3", "friendly_name": "tag", "status": "active",
			"date_created": "Fri, 02 Jan 2026 00:00:00 +0000"},
		{"sid": "AC9", "friendly_name": "tag", "status": "active",
			"date_created": "Thu, 01 Jan 2026 00:00:00 +0000"},
		{"sid": "AC1", "friendly_name": "tag", "status": "Closed",
			"date_created": "Thu, 01 Jan 2026 00:00:00 +0000"},
		{"sid": "AC2", "friendly_name": "tag", "status": "active",
			"date_created": "Fri, 02 Jan 2026 00:00:00 +0000"}]}`))
	found, err := connect(t, accounts, "").FindSubaccounts(t.Context(), "tag")
	if err != nil || len(found) != 3 || found[0].SID != "AC9" || found[1].SID != "AC2" || found[2].SID != "AC3" {
		t.Errorf("subaccounts: %+v, %v", found, err)
	}
}

func TestAnAssignmentWithoutItsObjectIsNotLeftOut(t *testing.T) {
	t.Parallel()
	c := connect(t, answering(always(200, `{"results": [
		{"sid": "BV01", "object_sid": "IT01", "channel_endpoint_sid": "PN01"}, {"sid": "BV02"}]}`)), "")
	for _, kind := range bothKinds {
		if got, err := c.ListEntityAssignments(t.Context(), subSID, kind, profileSID); err == nil {
			t.Errorf("listed the entities %+v", got)
		}
		if got, err := c.ListNumberAssignments(t.Context(), subSID, kind, profileSID); err == nil {
			t.Errorf("listed the numbers %+v", got)
		}
	}
}

func TestAnEmptyListIsNotAnError(t *testing.T) {
	t.Parallel()
	found, err := findEndUsers(t, paged([]string{""}, func(int) string { return "" }))
	if err != nil || found == nil || len(found) != 0 {
		t.Errorf("FindEndUsers: %v, %v", found, err)
	}
}

func TestAPageOnAnotherHostIsNotAskedFor(t *testing.T) {
	t.Parallel()
	for _, link := range []string{
		"https://evil.example.com/v1/EndUsers?Page=1",
		"http://trusthub.twilio.com/v1/EndUsers?Page=1",
		"https://trusthub.twilio.com:8443/v1/EndUsers?Page=1",
		"https://user:pass@trusthub.twilio.com/v1/EndUsers?Page=1",
		"https://trusthub.twilio.com@evil.example.com/v1/EndUsers?Page=1",
		"//evil.example.com/v1/EndUsers?Page=1",
		"https:evil.example.com",
		"://",
	} {
		t.Run(link, func(t *testing.T) {
			t.Parallel()
			tw := paged([]string{"", ""}, func(int) string { return link })
			_, err := findEndUsers(t, tw)
			wantClass(t, err, onboarding.ClassPermanent)
			if seen := tw.seen(); len(seen) != 2 {
				t.Errorf("requests: %q", seen)
			}
		})
	}
}

func TestPagesInACircleEnd(t *testing.T) {
	t.Parallel()
	tw := paged([]string{"", ""}, func(page int) string {
		return fmt.Sprintf("/v1/EndUsers?Page=%d", 1-page)
	})
	_, err := findEndUsers(t, tw)
	wantClass(t, err, onboarding.ClassPermanent)
}

func TestAnUnreadablePageDoesNotPassForAnEmptyOne(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, `{}`, `null`, `[]`, `{"results": null}`, `{"results": {}}`, `{"results": [1]}`,
		`{"results": [{"sid": "IT`, `<html></html>`, `{"results": [{"sid": "IT1", "friendly_name": 7}]}`,
		`{"results": [{"friendly_name": "tag", "type": "t"}]}`,
	} {
		_, err := findEndUsers(t, answering(always(200, body)))
		if err == nil {
			t.Errorf("%s passes for a page", body)
			continue
		}
		wantClass(t, err, onboarding.ClassUnknown)
	}
}

func TestAFailureOnALaterPageFailsTheLookup(t *testing.T) {
	t.Parallel()
	first := `{"results": [` + endUser(1, "tag", "2026-01-01T00:00:00Z") +
		`], "meta": {"next_page_url": "https://trusthub.twilio.com/v1/EndUsers?Page=1"}}`
	found, err := findEndUsers(t, answering(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("Page") != "" {
			answer(w, 503, "")
			return
		}
		answer(w, 200, first)
	}))
	wantClass(t, err, onboarding.ClassUnknown)
	if found != nil {
		t.Errorf("found %v beside an error", found)
	}
}

// mixedList is a list whose entries a bad filter let pass.
const mixedList = `[
	{"sid": "A1", "friendly_name": "tag", "policy_sid": "` + policySID + `",
		"object_sid": "X", "channel_endpoint_sid": "X", "date_created": "2026-01-02T00:00:00Z"},
	{"sid": "A2", "friendly_name": "tag ", "policy_sid": "` + policySID + `",
		"object_sid": "x", "channel_endpoint_sid": "x"},
	{"sid": "A3", "friendly_name": "tag", "policy_sid": "RN", "object_sid": "XX", "channel_endpoint_sid": null},
	{"sid": "A0", "friendly_name": "tag", "policy_sid": "` + policySID + `",
		"object_sid": "X", "channel_endpoint_sid": "X", "date_created": "2026-01-01T00:00:00Z"}]`

func TestFindComparesExactlyWhateverTwiliosFiltersLetPass(t *testing.T) {
	t.Parallel()
	tw := answering(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/2010") {
			answer(w, 200, `{"addresses": `+mixedList+`, "next_page_uri": null}`)
			return
		}
		answer(w, 200, `{"results": `+mixedList+`, "meta": {"next_page_url": null}}`)
	})
	c, ctx := connect(t, tw, ""), t.Context()
	check := func(what string, found []onboarding.Object, err error, want ...string) {
		t.Helper()
		if got := sids(found); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", what, got, err, want)
		}
	}
	for _, kind := range bothKinds {
		entities, err := c.FindEntityAssignments(ctx, subSID, kind, profileSID, "X")
		check("FindEntityAssignments", entities, err, "A0", "A1")
		numbers, err := c.FindNumberAssignments(ctx, subSID, kind, profileSID, "X")
		check("FindNumberAssignments", numbers, err, "A0", "A1")
		bundles, err := c.FindBundles(ctx, subSID, kind, "tag", policySID)
		if err != nil || len(bundles) != 2 || bundles[0].SID != "A0" || bundles[1].SID != "A1" {
			t.Errorf("FindBundles: %v, %v", bundles, err)
		}
		evaluations, err := c.FindEvaluations(ctx, subSID, kind, profileSID)
		if err != nil || len(evaluations) != 4 || evaluations[0].SID != "A1" || evaluations[1].SID != "A0" {
			t.Errorf("FindEvaluations, newest first: %v, %v", evaluations, err)
		}
	}
	addresses, err := c.FindAddresses(ctx, subSID, "tag")
	check("FindAddresses", addresses, err, "A3", "A0", "A1")
	documents, err := c.FindSupportingDocuments(ctx, subSID, "tag")
	check("FindSupportingDocuments", documents, err, "A3", "A0", "A1")
	for _, filter := range []string{
		"ChannelEndpointSid=X&PageSize=1000", "Addresses.json?FriendlyName=tag&PageSize=1000",
	} {
		if !anyContains(tw.seen(), filter) {
			t.Errorf("no request has the filter %s: %q", filter, tw.seen())
		}
	}
}
