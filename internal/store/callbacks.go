package store

import (
	"context"
	"fmt"

	"github.com/attestd/attestd/internal/onboarding"
)

// callbackRow asks for a callback to be stored and, if wakes is set, for a wake-up.
type callbackRow struct {
	OnboardingID     onboarding.ID `json:"onboarding_id"`
	ReceivedAt       stamp         `json:"received_at"`
	IdempotencyToken string        `json:"idempotency_token"`
	SignedBy         string        `json:"signed_by"`
	ContentType      string        `json:"content_type"`
	Body             []byte        `json:"body"` // in Base64; never null
	BundleSID        string        `json:"bundle_sid"`
	Status           string        `json:"status"`
	Wakes            bool          `json:"wakes"`
}

// RecordCallback implements [onboarding.Repository]. Errors: [onboarding.ErrNotFound].
func (s *Store) RecordCallback(ctx context.Context, c onboarding.Callback, wake bool) error {
	id := c.OnboardingID
	stored := ask(storeCallbacks, id, callbackRow{
		OnboardingID:     id,
		ReceivedAt:       stamp{c.ReceivedAt},
		IdempotencyToken: c.IdempotencyToken,
		SignedBy:         c.SignedBy,
		ContentType:      c.ContentType,
		Body:             append([]byte{}, c.Body...),
		BundleSID:        c.BundleSID,
		Status:           c.Status,
		Wakes:            wake,
	})
	err := s.group.write(ctx, id, stored, askID(runWoken, string(id)))
	if hasCode(err, foreignKeyViolation) {
		err = onboarding.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("store a callback of onboarding %s: %w", id, err)
	}
	return nil
}
