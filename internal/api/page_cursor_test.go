package api

import (
	"encoding/base64"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestAPlaceInAListOfTwiliosComesBackAsItWas(t *testing.T) {
	t.Parallel()
	for _, want := range []onboarding.PageAt{{Number: "1"}, {Token: "PAIT0123=="}, {Number: "12", Token: "PA:~/+%"}} {
		cursor := encodePageCursor("end-users", want)
		if got, ok := decodePageCursor("end-users", *cursor); !ok || got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if _, ok := decodePageCursor("addresses", *cursor); ok {
			t.Error("a cursor of another list is taken")
		}
	}
	if cursor := encodePageCursor("end-users", onboarding.PageAt{}); cursor != nil {
		t.Errorf("after the last page comes %q", *cursor)
	}
}

func TestWhatIsNoPlaceInAListOfTwiliosIsRefused(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"", "end-users", "end-users\n\n", "end-users\n1", "end-users\n-1\n", "end-users\n1\nPA 1", "end-users\n1\nPA\n", "end-users\n1\nPA\x00",
		"https://evil.example.com\n1\n",
	} {
		cursor := base64.RawURLEncoding.EncodeToString([]byte(raw))
		if at, ok := decodePageCursor("end-users", cursor); ok {
			t.Errorf("%q is taken for %+v", raw, at)
		}
	}
	if _, ok := decodePageCursor("end-users", "not base64!"); ok {
		t.Error("what is no base64 is taken")
	}
}
