package api

import (
	"context"

	"github.com/attestd/attestd/internal/onboarding"
)

// History reads the past of an onboarding, page by page. more says whether there is another page. Errors: onboarding.ErrNotFound.
type History interface {
	// CallbackPage returns callbacks, newest first, from before the one with that ID on; 0 for the newest.
	CallbackPage(ctx context.Context, id onboarding.ID, before int64, limit int) (page []onboarding.StoredCallback, more bool, err error)
	// VersionPage returns versions of the request, newest first, from before that one on; 0 for the newest.
	VersionPage(ctx context.Context, id onboarding.ID, before, limit int) (page []onboarding.RequestVersion, more bool, err error)
	// EventPage returns events, newest or oldest first, from after or before the event with that ID on; 0 for the first.
	EventPage(ctx context.Context, id onboarding.ID, oldestFirst bool, from int64, limit int) (page []onboarding.PastEvent, more bool, err error)
}
