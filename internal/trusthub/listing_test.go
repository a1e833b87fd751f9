package trusthub

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

func pageEndUsers(
	t *testing.T, c *Client, at onboarding.PageAt,
) (onboarding.Page[onboarding.RemoteObject], error) {
	t.Helper()
	return c.PageEndUsers(t.Context(), subSID, at, 2)
}

func TestAPageIsOneCallAndSaysWhereTheNextBegins(t *testing.T) {
	t.Parallel()
	tw := paged([]string{
		endUsers(endUser(1, "a", ""), endUser(2, "b", "")),
		endUser(3, "c", ""),
	}, func(page int) string {
		if page == 1 {
			return ""
		}
		return "https://trusthub.twilio.com/v1/EndUsers?PageSize=2&Page=1&PageToken=PA%3D2" +
			"&To=https%3A%2F%2Fevil.example.com"
	})
	c := connect(t, tw, "")
	first, err := pageEndUsers(t, c, onboarding.PageAt{})
	next := onboarding.PageAt{Number: "1", Token: "PA=2"}
	if err != nil || len(first.Items) != 2 || first.Next != next {
		t.Fatalf("first page %+v, %v", first, err)
	}
	second, err := pageEndUsers(t, c, first.Next)
	if err != nil || len(second.Items) != 1 || second.Next != (onboarding.PageAt{}) {
		t.Errorf("second page %+v, %v", second, err)
	}
	want := []string{
		"GET /2010-04-01/Accounts/" + subSID + ".json", // its owner and its token, once
		"GET /v1/EndUsers?PageSize=2",
		"GET /v1/EndUsers?Page=1&PageSize=2&PageToken=PA%3D2",
	}
	if got := tw.seen(); !slices.Equal(got, want) {
		t.Errorf("requests %q, want %q", got, want)
	}
}

func TestALinkToAnotherListIsNoNextPage(t *testing.T) {
	t.Parallel()
	for _, link := range []string{
		"https://evil.example.com/v1/EndUsers?Page=1",
		"http://trusthub.twilio.com/v1/EndUsers?Page=1",
		"https://trusthub.twilio.com/v1/Policies?Page=1",
		"https://trusthub.twilio.com/v1/EndUsers/?Page=1",
		"/v1/EndUsers/../Policies?Page=1",
		"/v1/EndUsers",
	} {
		tw := paged([]string{""}, func(int) string { return link })
		_, err := pageEndUsers(t, connect(t, tw, ""), onboarding.PageAt{})
		wantClass(t, err, onboarding.ClassPermanent)
	}
}

func TestAPageWithoutAListDoesNotPassForAnEmptyOne(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, `{}`, `[]`, `{"results": null}`, `{"results": {}}`, `{"addresses": []}`, `<html></html>`,
	} {
		c := connect(t, answering(always(200, body)), "")
		if _, err := pageEndUsers(t, c, onboarding.PageAt{}); err == nil {
			t.Errorf("%s passes for a page", body)
		}
	}
}

func TestMembersOfUnexpectedTypesStayEmpty(t *testing.T) {
	t.Parallel()
	body := fmt.Sprintf(`{"results": [{"sid": %q, "friendly_name": 7, "attributes": "none",
		"type": "t", "date_created": 5}], "meta": null}`, endUserSID)
	page, err := pageEndUsers(t, connect(t, answering(always(200, body)), ""), onboarding.PageAt{})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("page %+v, %v", page, err)
	}
	if got := page.Items[0]; got.SID != endUserSID || got.Type != "t" || got.FriendlyName != "" ||
		got.Attributes != nil || !got.CreatedAt.IsZero() {
		t.Errorf("entry %+v", got)
	}
}

func TestOnlyTheParentsSubaccountsAreRead(t *testing.T) {
	t.Parallel()
	for name, account := range map[string]string{
		"the parent itself":   parentSID,
		"a foreign account":   oneAccount,
		"an unknown account":  otherAccount,
		"no account's SID":    "AC1",
		"another kind of SID": profileSID,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tw := answering(func(w http.ResponseWriter, r *http.Request) {
				// The parent is its own owner, as every account is that is not a subaccount.
				if account != otherAccount && r.URL.Path == "/2010-04-01/Accounts/"+account+".json" {
					answer(w, 200, fmt.Sprintf(
						`{"sid": %q, "owner_account_sid": %q, "auth_token": "theirs"}`, account, account))
					return
				}
				answer(w, 404, `{"code": 20404, "message": "not found", "status": 404}`)
			})
			_, err := connect(t, tw, "").PageEndUsers(t.Context(), account, onboarding.PageAt{}, 2)
			if account == "AC1" {
				wantClass(t, err, onboarding.ClassPermanent)
			} else if !errors.Is(err, onboarding.ErrNoSubaccount) {
				t.Errorf("%v, want no such subaccount", err)
			}
			if anyContains(tw.seen(), "/v1/") {
				t.Errorf("its list was read: %q", tw.seen())
			}
		})
	}
}
