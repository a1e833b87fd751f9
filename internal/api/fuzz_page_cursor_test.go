package api

import (
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

// Whatever is sent as a cursor, a decoded cursor is one that encodes to a cursor again, and never
// the first page.
func FuzzPageCursor(f *testing.F) {
	f.Add(*encodePageCursor("end-users", onboarding.PageAt{Number: "1", Token: "PA1"}))
	f.Add("")
	f.Fuzz(func(t *testing.T, cursor string) {
		at, ok := decodePageCursor("end-users", cursor)
		if !ok {
			return
		}
		again := encodePageCursor("end-users", at)
		if again == nil {
			t.Fatalf("%q is the beginning of the list", cursor)
		}
		if same, ok := decodePageCursor("end-users", *again); !ok || same != at {
			t.Errorf("%+v came back as %+v", at, same)
		}
	})
}
