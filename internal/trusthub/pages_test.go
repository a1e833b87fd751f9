package trusthub

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

func endUsers(entries ...string) string { return strings.Join(entries, ",") }

func endUser(n int, name, created string) string {
	return fmt.Sprintf(`{"sid": %q, "friendly_name": %q, "type": "t", "date_created": %q}`, sid("IT", n), name, created)
}

// paged serves Trust Hub pages; next of each is a link as Twilio gives it, "" for the last.
func paged(pages []string, next func(r *http.Request, page int) string) *twilio {
	return answering(func(w http.ResponseWriter, r *http.Request) {
		page := 0
		fmt.Sscanf(r.URL.Query().Get("Page"), "%d", &page)
		link := "null"
		if l := next(r, page); l != "" {
			link = fmt.Sprintf("%q", l)
		}
		answer(w, 200, fmt.Sprintf(`{"results": [%s], "meta": {"page": %d, "next_page_url": %s}}`, pages[page], page, link))
	})
}

func findEndUsers(c *Client) ([]onboarding.Object, error) {
	return c.FindEndUsers(context.Background(), subSID, "tag", "t")
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
		endUsers(endUser(5, "tag", "2026-01-05T00:00:00Z"), endUser(9, "tag2", "2026-01-01T00:00:00Z"), endUser(4, "TAG", "2026-01-01T00:00:00Z")),
		"",
		endUsers(endUser(3, "tag", "2026-01-02T00:00:00Z"), endUser(2, "tag", "2026-01-02T00:00:00Z"),
			`{"sid": "ITx", "friendly_name": null, "type": "t"}`, `{"sid": "ITy", "friendly_name": "tag", "type": "u"}`),
	}, func(r *http.Request, page int) string {
		if page == 2 {
			return ""
		}
		return fmt.Sprintf("https://TRUSTHUB.twilio.com:443/v1/EndUsers?PageSize=1000&Page=%d&PageToken=PA%d", page+1, page)
	})
	found, err := findEndUsers(connect(t, tw, ""))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := sids(found), []string{sid("IT", 2), sid("IT", 3), sid("IT", 5)}; !reflect.DeepEqual(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	want := []string{
		"GET /2010-04-01/Accounts/" + subSID + ".json",
		"GET /v1/EndUsers?PageSize=1000",
		"GET /v1/EndUsers?PageSize=1000&Page=1&PageToken=PA0",
		"GET /v1/EndUsers?PageSize=1000&Page=2&PageToken=PA1",
	}
	if got := tw.seen(); !reflect.DeepEqual(got, want) {
		t.Errorf("requests %q, want %q", got, want)
	}
}

func TestAssignmentsAndSubaccountsComeOldestFirstToo(t *testing.T) {
	t.Parallel()
	assignments := answering(always(200, `{"results": [
		{"sid": "BV3", "object_sid": "IT3", "channel_endpoint_sid": "PN3", "date_created": "2026-01-02T00:00:00Z"},
		{"sid": "BV2", "object_sid": "IT2", "channel_endpoint_sid": "PN2", "date_created": "2026-01-02T00:00:00Z"},
		{"sid": "BV9", "object_sid": "IT9", "channel_endpoint_sid": "PN9", "date_created": "2026-01-01T00:00:00Z"}], "meta": {}}`))
	c := connect(t, assignments, "")
	for _, kind := range []onboarding.BundleKind{onboarding.CustomerProfile, onboarding.TrustProduct} {
		entities, err := c.ListEntityAssignments(context.Background(), subSID, kind, profileSID)
		if err != nil || len(entities) != 3 || entities[0].ObjectSID != "IT9" || entities[1].SID != "BV2" || entities[2].SID != "BV3" {
			t.Errorf("entities: %+v, %v", entities, err)
		}
		numbers, err := c.ListNumberAssignments(context.Background(), subSID, kind, profileSID)
		if err != nil || len(numbers) != 3 || numbers[0].ObjectSID != "PN9" || numbers[1].SID != "BV2" || numbers[2].SID != "BV3" {
			t.Errorf("numbers: %+v, %v", numbers, err)
		}
	}

	accounts := answering(always(200, `{"accounts": [
		{"sid": "AC3", "friendly_name": "tag", "status": "active", "date_created": "Fri, 02 Jan 2026 00:00:00 +0000"},
		{"sid": "AC9", "friendly_name": "tag", "status": "active", "date_created": "Thu, 01 Jan 2026 00:00:00 +0000"},
		{"sid": "AC1", "friendly_name": "tag", "status": "Closed", "date_created": "Thu, 01 Jan 2026 00:00:00 +0000"},
		{"sid": "AC2", "friendly_name": "tag", "status": "active", "date_created": "Fri, 02 Jan 2026 00:00:00 +0000"}]}`))
	found, err := connect(t, accounts, "").FindSubaccounts(context.Background(), "tag")
	if err != nil || len(found) != 3 || found[0].SID != "AC9" || found[1].SID != "AC2" || found[2].SID != "AC3" {
		t.Errorf("subaccounts: %+v, %v", found, err)
	}
}

func TestAnAssignmentThatDoesNotSayOfWhatIsNotLeftOut(t *testing.T) {
	t.Parallel()
	c := connect(t, answering(always(200, `{"results": [{"sid": "BV01", "object_sid": "IT01", "channel_endpoint_sid": "PN01"}, {"sid": "BV02"}]}`)), "")
	if got, err := c.ListEntityAssignments(context.Background(), subSID, onboarding.CustomerProfile, profileSID); err == nil {
		t.Errorf("listed %+v", got)
	}
	if got, err := c.ListNumberAssignments(context.Background(), subSID, onboarding.TrustProduct, profileSID); err == nil {
		t.Errorf("listed %+v", got)
	}
}

func TestFindThatFindsNothingIsNotAnError(t *testing.T) {
	t.Parallel()
	tw := paged([]string{""}, func(*http.Request, int) string { return "" })
	if found, err := findEndUsers(connect(t, tw, "")); err != nil || found == nil || len(found) != 0 {
		t.Errorf("FindEndUsers: %v, %v", found, err)
	}
}

func TestAPageElsewhereIsNotAskedFor(t *testing.T) {
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
			tw := paged([]string{"", ""}, func(*http.Request, int) string { return link })
			_, err := findEndUsers(connect(t, tw, ""))
			wantClass(t, err, onboarding.ClassPermanent)
			if seen := tw.seen(); len(seen) != 2 {
				t.Errorf("requests: %q", seen)
			}
		})
	}
}

func TestPagesInACircleEnd(t *testing.T) {
	t.Parallel()
	tw := paged([]string{"", ""}, func(_ *http.Request, page int) string { return fmt.Sprintf("/v1/EndUsers?Page=%d", 1-page) })
	_, err := findEndUsers(connect(t, tw, ""))
	wantClass(t, err, onboarding.ClassPermanent)
}

func TestAPageThatIsNoneIsNotTakenForAnEmptyOne(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `{}`, `null`, `[]`, `{"results": null}`, `{"results": {}}`, `{"results": [1]}`, `{"results": [{"sid": "IT`,
		`<html></html>`, `{"results": [{"sid": "IT1", "friendly_name": 7}]}`} {
		_, err := findEndUsers(connect(t, answering(always(200, body)), ""))
		if err == nil {
			t.Errorf("%s passed for a page", body)
			continue
		}
		wantClass(t, err, onboarding.ClassUnknown)
	}
}

func TestAFailureOnALaterPageFailsTheLookup(t *testing.T) {
	t.Parallel()
	tw := answering(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("Page") != "" {
			answer(w, 503, "")
			return
		}
		answer(w, 200, `{"results": [`+endUser(1, "tag", "2026-01-01T00:00:00Z")+`], "meta": {"next_page_url": "https://trusthub.twilio.com/v1/EndUsers?Page=1"}}`)
	})
	found, err := findEndUsers(connect(t, tw, ""))
	wantClass(t, err, onboarding.ClassUnknown)
	if found != nil {
		t.Errorf("found %v beside an error", found)
	}
}

func TestFindComparesExactlyWhateverTheFilterLetThrough(t *testing.T) {
	t.Parallel()
	// One answer for all: Twilio's filters are taken to match anything.
	const body = `[
		{"sid": "A1", "friendly_name": "tag", "policy_sid": "` + policySID + `", "object_sid": "X", "channel_endpoint_sid": "X", "date_created": "2026-01-02T00:00:00Z"},
		{"sid": "A2", "friendly_name": "tag ", "policy_sid": "` + policySID + `", "object_sid": "x", "channel_endpoint_sid": "x"},
		{"sid": "A3", "friendly_name": "tag", "policy_sid": "RN", "object_sid": "XX", "channel_endpoint_sid": null},
		{"sid": "A0", "friendly_name": "tag", "policy_sid": "` + policySID + `", "object_sid": "X", "channel_endpoint_sid": "X", "date_created": "2026-01-01T00:00:00Z"}]`
	tw := answering(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/2010") {
			answer(w, 200, `{"addresses": `+body+`, "next_page_uri": null}`)
			return
		}
		answer(w, 200, `{"results": `+body+`, "meta": {"next_page_url": null}}`)
	})
	c := connect(t, tw, "")
	ctx := context.Background()
	for _, kind := range []onboarding.BundleKind{onboarding.CustomerProfile, onboarding.TrustProduct} {
		entities, err := c.FindEntityAssignments(ctx, subSID, kind, profileSID, "X")
		if got := sids(entities); err != nil || !reflect.DeepEqual(got, []string{"A0", "A1"}) {
			t.Errorf("FindEntityAssignments: %v, %v", got, err)
		}
		numbers, err := c.FindNumberAssignments(ctx, subSID, kind, profileSID, "X")
		if got := sids(numbers); err != nil || !reflect.DeepEqual(got, []string{"A0", "A1"}) {
			t.Errorf("FindNumberAssignments: %v, %v", got, err)
		}
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
	if got := sids(addresses); err != nil || !reflect.DeepEqual(got, []string{"A3", "A0", "A1"}) {
		t.Errorf("FindAddresses: %v, %v", got, err)
	}
	documents, err := c.FindSupportingDocuments(ctx, subSID, "tag")
	if got := sids(documents); err != nil || !reflect.DeepEqual(got, []string{"A3", "A0", "A1"}) {
		t.Errorf("FindSupportingDocuments: %v, %v", got, err)
	}
	if !contains(tw.seen(), "ChannelEndpointSid=X&PageSize=1000") || !contains(tw.seen(), "Addresses.json?FriendlyName=tag&PageSize=1000") {
		t.Errorf("filters are missing: %q", tw.seen())
	}
}
