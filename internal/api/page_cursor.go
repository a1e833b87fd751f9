package api

import (
	"encoding/base64"
	"regexp"
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
)

// pageCursorForm is the content of a cursor of a list of Twilio: the name of the list, the number
// of the page, and the token that Twilio gave for it. The number or the token may be empty. A
// cursor holds no URL and cannot change which list is read.
var pageCursorForm = regexp.MustCompile(`^([a-z-]+)\n([0-9]{0,9})\n([!-~]*)$`)

// encodePageCursor writes a place in a list of Twilio for use in a URL. It returns nil for the
// first page, which is no next page.
func encodePageCursor(list string, at onboarding.PageAt) *string {
	if at == (onboarding.PageAt{}) {
		return nil
	}
	cursor := base64.RawURLEncoding.EncodeToString([]byte(strings.Join([]string{list, at.Number, at.Token}, "\n")))
	return &cursor
}

// decodePageCursor reads a cursor of encodePageCursor for this list, and returns false for anything
// else.
func decodePageCursor(list, cursor string) (onboarding.PageAt, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return onboarding.PageAt{}, false
	}
	parts := pageCursorForm.FindStringSubmatch(string(raw))
	if parts == nil || parts[1] != list || parts[2] == "" && parts[3] == "" {
		return onboarding.PageAt{}, false
	}
	return onboarding.PageAt{Number: parts[2], Token: parts[3]}, true
}

// notOurCursor is the problem of a cursor that no page of this list has given out.
func notOurCursor() *problemError {
	name := "cursor"
	return invalid([]Fault{{
		Parameter: &name, Code: "format",
		Detail: "This is no cursor of ours. Send next_cursor of the page before as it is, or leave it out for the first page.",
	}})
}
