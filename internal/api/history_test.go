package api

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

// fakeHistory has one callback, and fails everything with err if that is set.
type fakeHistory struct {
	callback onboarding.StoredCallback
	err      error
}

func (r fakeHistory) CallbackPage(context.Context, onboarding.ID, int64, int) ([]onboarding.StoredCallback, bool, error) {
	return []onboarding.StoredCallback{r.callback}, false, r.err
}

func (r fakeHistory) VersionPage(context.Context, onboarding.ID, int, int) ([]onboarding.RequestVersion, bool, error) {
	return nil, false, r.err
}

func (r fakeHistory) EventPage(context.Context, onboarding.ID, bool, int64, int) ([]onboarding.PastEvent, bool, error) {
	return nil, false, r.err
}

func TestACallbackIsShownAsTextWhateverItWas(t *testing.T) {
	t.Parallel()
	records := fakeHistory{callback: onboarding.StoredCallback{ID: 1, Callback: onboarding.Callback{ReceivedAt: testNow, Body: []byte("Status=\xff&Name=Secret\x00")}}}
	b := setup(t, func(c *Config) { c.History = records })
	var page CallbackPage
	b.call(http.MethodGet, "/onboardings/"+string(testID)+"/callbacks", nil).decode(t, &page)
	if len(page.Callbacks) != 1 || page.NextCursor != nil {
		t.Fatalf("page %+v", page)
	}
	if got := page.Callbacks[0]; got.Body != "Status=\uFFFD&Name=Secret\x00" || got.SignedBy != nil || got.ClaimedStatus != nil {
		t.Errorf("callback %+v", got)
	}
	if strings.Contains(b.log.String(), "Secret") {
		t.Error("the body is in the log")
	}
}

func TestAnEmptyPageOfRecordsIsAnEmptyList(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) { c.History = fakeHistory{} })
	for path, want := range map[string]string{"events": `{"events":[],"next_cursor":null}`, "versions": `{"next_cursor":null,"versions":[]}`} {
		if got := b.call(http.MethodGet, "/onboardings/"+string(testID)+"/"+path, nil); strings.TrimSpace(string(got.body)) != want {
			t.Errorf("%s: %s, want %s", path, got.body, want)
		}
	}
}

func TestOnlyACursorOfTheSameListIsTaken(t *testing.T) {
	t.Parallel()
	for _, last := range []int64{1, 1 << 62} {
		cursor := encodeRowCursor("callbacks", last)
		if got, err := decodeRowCursor("callbacks", cursor); err != nil || got != last {
			t.Errorf("got %d, %v, want %d", got, err, last)
		}
		if _, err := decodeRowCursor("versions", cursor); err == nil {
			t.Error("a cursor of another list is taken")
		}
	}
	for _, raw := range []string{"", "callbacks", "callbacks\n", "callbacks\n0", "callbacks\n-1", "callbacks\n01", "callbacks\n1 ", "callbacks\n9999999999999999999"} {
		cursor := base64.RawURLEncoding.EncodeToString([]byte(raw))
		if last, err := decodeRowCursor("callbacks", &cursor); err == nil {
			t.Errorf("%q is taken for %d", raw, last)
		}
	}
	huge := encodeRowCursor("versions", 1<<31)
	b := setup(t, func(c *Config) { c.History = fakeHistory{} })
	if got := b.call(http.MethodGet, "/onboardings/"+string(testID)+"/versions?cursor="+*huge, nil); got.status != http.StatusUnprocessableEntity {
		t.Errorf("a version that there cannot be: answered %d: %s", got.status, got.body)
	}
}
