package api

import (
	"encoding/base64"
	"encoding/binary"
	"regexp"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// cursorVersion is the first byte of a cursor. A cursor of another version is refused.
const cursorVersion = 1

var onboardingIDForm = regexp.MustCompile(`^onb_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// encodeCursor writes a place in the list of onboardings for use in a URL: the version, the time in
// nanoseconds since 1970, and the ID.
func encodeCursor(c onboarding.Cursor) string {
	raw := make([]byte, 0, 1+8+len(c.ID))
	raw = append(raw, cursorVersion)
	raw = binary.BigEndian.AppendUint64(raw, uint64(c.CreatedAt.UnixNano()))
	raw = append(raw, c.ID...)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// decodeCursor reads a cursor of encodeCursor, and returns false for anything else.
func decodeCursor(s string) (onboarding.Cursor, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) < 1+8 || raw[0] != cursorVersion || !onboardingIDForm.Match(raw[9:]) {
		return onboarding.Cursor{}, false
	}
	at := int64(binary.BigEndian.Uint64(raw[1:9])) //nolint:gosec // Back and forth without loss.
	return onboarding.Cursor{CreatedAt: time.Unix(0, at).UTC(), ID: onboarding.ID(raw[9:])}, true
}
