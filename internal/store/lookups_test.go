package store

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

// Lookups that share a round trip are each answered for themselves.
func TestEachLookupGetsItsOwnAnswer(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t)})
	const known = 4
	var hashes [known][sha256.Size]byte
	for i := range hashes {
		hashes[i] = sha256.Sum256(fmt.Append(nil, i))
		if err := s.CreateKey(t.Context(), fmt.Sprintf("key-%d", i), RoleViewer, hashes[i]); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for worker := range 32 {
		wg.Go(func() {
			for n := range 100 {
				switch i := (worker + n) % known; n % 3 {
				case 0:
					if key, err := s.KeyBySHA256(t.Context(), hashes[i]); err != nil || key.Name != fmt.Sprintf("key-%d", i) {
						t.Errorf("key %d: got %q, %v", i, key.Name, err)
					}
				case 1:
					if key, err := s.KeyBySHA256(t.Context(), sha256.Sum256([]byte("nobody's"))); !errors.Is(err, ErrNoKey) {
						t.Errorf("nobody's key: got %q, %v", key.Name, err)
					}
				case 2:
					if id, _, err := s.FindByCallbackToken(t.Context(), "nobody's"); !errors.Is(err, onboarding.ErrNotFound) {
						t.Errorf("nobody's token: got %s, %v", id, err)
					}
				}
			}
		})
	}
	wg.Wait()
}
