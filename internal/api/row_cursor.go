package api

import (
	"encoding/base64"
	"regexp"
	"strconv"
)

// rowCursorForm is the content of a cursor of a list of our own: the name of the list, and the
// number of the last row of the page before.
var rowCursorForm = regexp.MustCompile(`^([a-z-]+)\n([1-9][0-9]{0,18})$`)

// encodeRowCursor writes a place in a list of our own for use in a URL.
func encodeRowCursor(list string, last int64) *string {
	cursor := base64.RawURLEncoding.EncodeToString([]byte(list + "\n" + strconv.FormatInt(last, 10)))
	return &cursor
}

// decodeRowCursor reads a cursor of encodeRowCursor for this list; 0 if there is none. An error
// means that it is something else.
func decodeRowCursor(list string, cursor *string) (last int64, err error) {
	if cursor == nil {
		return 0, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(*cursor)
	if err != nil {
		return 0, notOurCursor()
	}
	parts := rowCursorForm.FindStringSubmatch(string(raw))
	if parts == nil || parts[1] != list {
		return 0, notOurCursor()
	}
	if last, err = strconv.ParseInt(parts[2], 10, 64); err != nil {
		return 0, notOurCursor()
	}
	return last, nil
}
