package trusthubsim

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// walk follows a list's pages by next, from its first, and returns the SIDs of each page and the
// paths back.
func walk(c caller, path string) (pages [][]string, back []string) {
	for path != "" {
		r := c.get(path).want(200)
		pages = append(pages, r.sids())
		var next, previous string
		if meta, ok := r.body["meta"].(map[string]any); ok {
			next, _ = meta["next_page_url"].(string)
			previous, _ = meta["previous_page_url"].(string)
		} else {
			next, previous = r.text("next_page_uri"), r.text("previous_page_uri")
		}
		back = append(back, previous)
		path = strings.TrimPrefix(next, "https://api.twilio.com")
	}
	return pages, back
}

// TestPages: newest first, each object once, and previous leads back to where next came from.
func TestPages(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	users, numbers := []string{}, []string{}
	for range 5 {
		users = append(users, b.sub.endUser(representative1, representative()))
		numbers = append(numbers, b.sub.number())
	}
	slices.Reverse(users)
	slices.Reverse(numbers)
	for path, want := range map[string][]string{"/v1/EndUsers": users, b.sub.v2010("/IncomingPhoneNumbers.json"): numbers} {
		for size := 1; size <= 6; size++ {
			pages, back := walk(b.sub, fmt.Sprintf("%s?PageSize=%d", path, size))
			if got := slices.Concat(pages...); !slices.Equal(got, want) {
				t.Errorf("%s by %d: %v, want %v", path, size, got, want)
			}
			if back[0] != "" {
				t.Errorf("%s by %d: the first page has a previous one", path, size)
			}
			for i := 1; i < len(pages); i++ {
				previous := b.sub.get(strings.TrimPrefix(back[i], "https://api.twilio.com")).want(200).sids()
				if !slices.Equal(previous, pages[i-1]) {
					t.Errorf("%s by %d: before page %d comes %v, want %v", path, size, i, previous, pages[i-1])
				}
			}
		}
	}
}

// TestPagesWhileObjectsCome: what is made during a walk neither repeats nor hides anything.
func TestPagesWhileObjectsCome(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	for range 4 {
		b.sub.endUser(representative1, representative())
	}
	first := b.sub.get("/v1/EndUsers?PageSize=2")
	next := first.body["meta"].(map[string]any)["next_page_url"].(string)
	b.sub.endUser(representative1, representative())
	b.sub.delete("/v1/EndUsers/" + first.sids()[0]).want(204)
	second := b.sub.get(strings.TrimPrefix(next, "https://api.twilio.com")).sids()
	if len(second) != 2 || slices.Contains(first.sids(), second[0]) {
		t.Errorf("after %v comes %v", first.sids(), second)
	}
}

// TestPageIsTheClientsOwnCount: without a token it moves nothing.
func TestPageIsTheClientsOwnCount(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	user := b.sub.endUser(representative1, representative())
	r := b.sub.get("/v1/EndUsers?Page=7")
	if got := r.sids(); len(got) != 1 || got[0] != user || r.body["meta"].(map[string]any)["page"] != 7.0 {
		t.Errorf("page 7 is %v", r.body)
	}
}

func TestPageAddressesKeepTheFilters(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{PublicURL: "https://twilio.example.com"})
	b.sub.draftProfile()
	b.sub.draftProfile()
	meta := b.sub.get("/v1/CustomerProfiles?FriendlyName=Pro&Status=draft&PageSize=1").want(200).body["meta"].(map[string]any)
	const want = "https://twilio.example.com/v1/CustomerProfiles?Status=draft&FriendlyName=Pro&PageSize=1&Page=0"
	if meta["first_page_url"] != want || meta["url"] != want {
		t.Errorf("first page %v, want %s", meta["first_page_url"], want)
	}
	next, _ := meta["next_page_url"].(string)
	if !strings.HasPrefix(next, strings.Replace(want, "Page=0", "Page=1&PageToken=PA", 1)) {
		t.Errorf("next page %s", next)
	}
}

func TestBadPages(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	b.sub.get("/v1/EndUsers?PageSize=1000").want(200)
	for query, code := range map[string]int{
		"PageSize=0": codePageSize, "PageSize=1001": codePageSize, "PageSize=x": codeInvalidParameter, "Page=-1": codeInvalidParameter,
		"PageToken=x": codeInvalidParameter, "PageToken=PAx": codeInvalidParameter, "Limit=1": codeUnknownParameters,
	} {
		b.sub.get("/v1/EndUsers?"+query).refused(400, code)
	}
}
