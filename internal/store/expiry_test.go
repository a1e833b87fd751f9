package store

import (
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/store/internal/db"
)

// storedTokens are the tokens of the callbacks that are stored, newest first.
func storedTokens(t *testing.T, s *Store, id onboarding.ID) (tokens []string) {
	t.Helper()
	page, _, err := s.CallbackPage(t.Context(), id, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range page {
		tokens = append(tokens, c.IdempotencyToken)
	}
	return tokens
}

func TestCallbacksAreDeletedAfterTheirRetention(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t), CallbackRetention: 48 * time.Hour})
	id := newOnboarding(t, s)
	for i, token := range []string{"a", "b", "c", "d", "e"} {
		storeCallback(t, s, id, time.Now().Add(-49*time.Hour-time.Duration(i)*time.Minute), token)
	}
	storeCallback(t, s, id, time.Now().Add(-47*time.Hour), "young")
	deleted, err := s.expireCallbacks(t.Context(), 2) // three batches
	if err != nil || deleted != 5 {
		t.Errorf("deleted %d, %v, want 5", deleted, err)
	}
	if left := storedTokens(t, s, id); len(left) != 1 || left[0] != "young" {
		t.Errorf("left: %v", left)
	}
}

func TestOneReplicaDeletesAtATime(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t), CallbackRetention: time.Hour})
	id := newOnboarding(t, s)
	storeCallback(t, s, id, time.Now().Add(-2*time.Hour), "old")
	err := s.inTx(t.Context(), func(q *db.Queries) error {
		if mine, err := q.TryExpiryLock(t.Context(), expiryLockClass); err != nil || !mine {
			t.Fatalf("lock: %t, %v", mine, err)
		}
		if deleted, err := s.expireCallbacks(t.Context(), 10); err != nil || deleted != 0 {
			t.Errorf("deleted %d, %v, although another deletes", deleted, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if deleted, err := s.expireCallbacks(t.Context(), 10); err != nil || deleted != 1 {
		t.Errorf("deleted %d, %v, want 1 once the other has ended", deleted, err)
	}
}

func TestAReplicaDeletesWithoutBeingAsked(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t), CallbackRetention: time.Hour, StaleAfter: time.Hour, Advance: newInbox().advance, Workers: 1})
	s.timing.expiry = 10 * time.Millisecond
	id := newOnboarding(t, s)
	storeCallback(t, s, id, time.Now().Add(-2*time.Hour), "old")
	start(t, s)
	eventually(t, "the callback is gone", func() bool { return len(storedTokens(t, s, id)) == 0 })
}
