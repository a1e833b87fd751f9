package api

import (
	"encoding/base64"
	"regexp"
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
)

// pageCursorForm is what is in a cursor of one of Twilio's lists: the list, the number of the page and Twilio's token for it, of which one
// may be empty. It holds no URL and nothing that could change which list is read: that is the path's to say.
var pageCursorForm = regexp.MustCompile(`^([a-z-]+)\n([0-9]{0,9})\n([!-~]*)$`)

// encodePageCursor writes a place in a list of Twilio's so that it can be put into a URL; nil for its beginning, which no page has for its next.
func encodePageCursor(list string, at onboarding.PageAt) *string {
	if at == (onboarding.PageAt{}) {
		return nil
	}
	cursor := base64.RawURLEncoding.EncodeToString([]byte(strings.Join([]string{list, at.Number, at.Token}, "\n")))
	return &cursor
}

// decodePageCursor reads what encodePageCursor wrote for that list, and false for anything else.
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

// notOurCursor is the problem of a cursor that no page of this list was answered with.
func notOurCursor() *problemError {
	name := "cursor"
	return invalid([]Fault{{
		Parameter: &name, Code: "format",
		Detail: "This is no cursor of ours. Send next_cursor of the page before as it is, or leave it out for the first page.",
	}})
}
