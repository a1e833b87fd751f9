package onboarding

import (
	"context"
	"time"
)

type sendByKey struct{}

// WithSendBy sets the time by which a request made under ctx must have left this process, or else
// not leave at all.
//
// It closes the gap that a fence in the ledger cannot: a process that was paused between its intent
// and its call would otherwise make that call when it wakes, long after another replica has looked
// for it, not found it, and made its own.
func WithSendBy(ctx context.Context, t time.Time) context.Context {
	return context.WithValue(ctx, sendByKey{}, t)
}

// SendBy returns the time set by [WithSendBy].
func SendBy(ctx context.Context) (time.Time, bool) {
	t, ok := ctx.Value(sendByKey{}).(time.Time)
	return t, ok
}
