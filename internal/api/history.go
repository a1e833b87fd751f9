package api

import (
	"context"

	"github.com/attestd/attestd/internal/onboarding"
)

// History reads the past of an onboarding, page by page. more says whether there is another page.
// Errors: onboarding.ErrNotFound.
type History interface {
	// CallbackPage returns the callbacks before the one with this ID, newest first. 0 begins with
	// the newest.
	CallbackPage(ctx context.Context, id onboarding.ID, before int64, limit int) (page []onboarding.StoredCallback, more bool, err error)
	// VersionPage returns the versions of the request before this one, newest first. 0 begins with
	// the newest.
	VersionPage(ctx context.Context, id onboarding.ID, before, limit int) (page []onboarding.RequestVersion, more bool, err error)
	// EventPage returns the events after or before the one with this ID, oldest or newest first. 0
	// begins with the first.
	EventPage(ctx context.Context, id onboarding.ID, oldestFirst bool, from int64, limit int) (page []onboarding.PastEvent, more bool, err error)
}
