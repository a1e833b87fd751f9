package api

import (
	"context"
	"encoding/base64"
	"regexp"
	"strconv"

	"github.com/attestd/attestd/internal/onboarding"
)

// Records is what is kept beside the onboardings themselves. Each page says whether there are more. Errors: onboarding.ErrNotFound.
type Records interface {
	// CallbackPage returns callbacks, newest first, from before the one with that ID on; 0 for the newest.
	CallbackPage(ctx context.Context, id onboarding.ID, before int64, limit int) (page []onboarding.StoredCallback, more bool, err error)
	// VersionPage returns versions of the request, newest first, from before that one on; 0 for the newest.
	VersionPage(ctx context.Context, id onboarding.ID, before, limit int) (page []onboarding.RequestVersion, more bool, err error)
	// EventPage returns the history, newest or oldest first, from after or before the event with that ID on; 0 for the first.
	EventPage(ctx context.Context, id onboarding.ID, oldestFirst bool, from int64, limit int) (page []onboarding.PastEvent, more bool, err error)
}

// rowCursorForm is what is in a cursor of one of our own lists: the list, and the number of the last row of the page before.
var rowCursorForm = regexp.MustCompile(`^([a-z-]+)\n([1-9][0-9]{0,18})$`)

// encodeRowCursor writes a place in a list so that it can be put into a URL.
func encodeRowCursor(list string, last int64) *string {
	cursor := base64.RawURLEncoding.EncodeToString([]byte(list + "\n" + strconv.FormatInt(last, 10)))
	return &cursor
}

// decodeRowCursor reads what encodeRowCursor wrote for that list; 0 for no cursor. The error says that it is something else.
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
