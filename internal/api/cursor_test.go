package api

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestACursorComesBackAsItWas(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{testNow, time.Unix(0, 0).UTC(), time.Unix(0, -1).UTC(), time.Unix(0, 1<<62).UTC()} {
		want := onboarding.Cursor{CreatedAt: at, ID: testID}
		got, ok := decodeCursor(encodeCursor(want))
		if !ok || !got.CreatedAt.Equal(want.CreatedAt) || got.ID != want.ID {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func TestWhatIsNoCursorOfOursIsRefused(t *testing.T) {
	t.Parallel()
	good := encodeCursor(onboarding.Cursor{CreatedAt: testNow, ID: testID})
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	otherVersion := append([]byte{2}, raw[1:]...)
	for name, s := range map[string]string{
		"empty":           "",
		"short":           good[:8],
		"cut off":         good[:len(good)-4],
		"longer":          good + "AAAA",
		"no base64":       "!" + good[1:],
		"with padding":    base64.URLEncoding.EncodeToString(raw[:10]),
		"another version": base64.RawURLEncoding.EncodeToString(otherVersion),
	} {
		if c, ok := decodeCursor(s); ok {
			t.Errorf("%s: %v", name, c)
		}
	}
}
