package store

import (
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestKeyIsFoundUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t)})
	hash := sha256.Sum256([]byte("a key"))
	if err := s.CreateKey(t.Context(), "support", RoleViewer, hash); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateKey(t.Context(), "backend", RoleOperator, sha256.Sum256([]byte("another"))); err != nil {
		t.Fatal(err)
	}
	key, err := s.KeyBySHA256(t.Context(), hash)
	if err != nil {
		t.Fatal(err)
	}
	if key.Name != "support" || key.Role != RoleViewer || key.CreatedAt.IsZero() {
		t.Errorf("found %+v", key)
	}

	for range 2 { // the second time changes nothing
		if err := s.RevokeKey(t.Context(), "support"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.KeyBySHA256(t.Context(), hash); !errors.Is(err, ErrNoKey) {
		t.Errorf("look up a revoked key: %v, want %v", err, ErrNoKey)
	}
	keys, err := s.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []Key{{Name: "support", Role: RoleViewer}, {Name: "backend", Role: RoleOperator}}
	if diff := cmp.Diff(want, keys, cmpopts.IgnoreFields(Key{}, "CreatedAt", "RevokedAt")); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if keys[0].RevokedAt.IsZero() || !keys[1].RevokedAt.IsZero() {
		t.Errorf("revoked at %s and %s, want the first only", keys[0].RevokedAt, keys[1].RevokedAt)
	}
}

func TestKeysAreUnique(t *testing.T) {
	t.Parallel()
	s := openStore(t, Config{DatabaseURL: newDatabase(t)})
	hash := sha256.Sum256([]byte("a key"))
	if err := s.CreateKey(t.Context(), "backend", RoleOperator, hash); err != nil {
		t.Fatal(err)
	}
	if err := s.RevokeKey(t.Context(), "backend"); err != nil {
		t.Fatal(err)
	}
	// A name in the history of an onboarding means one key for ever.
	if err := s.CreateKey(t.Context(), "backend", RoleOperator, sha256.Sum256([]byte("another"))); !errors.Is(err, ErrKeyExists) {
		t.Errorf("the same name: %v, want %v", err, ErrKeyExists)
	}
	if err := s.CreateKey(t.Context(), "another", RoleOperator, hash); !errors.Is(err, ErrKeyExists) {
		t.Errorf("the same key: %v, want %v", err, ErrKeyExists)
	}
	if err := s.CreateKey(t.Context(), "third", "admin", sha256.Sum256([]byte("third"))); err == nil {
		t.Error("a role that does not exist was kept")
	}
	if err := s.RevokeKey(t.Context(), "unknown"); !errors.Is(err, ErrNoKey) {
		t.Errorf("revoke an unknown key: %v, want %v", err, ErrNoKey)
	}
	if _, err := s.KeyBySHA256(t.Context(), sha256.Sum256([]byte("unknown"))); !errors.Is(err, ErrNoKey) {
		t.Errorf("look up an unknown key: %v, want %v", err, ErrNoKey)
	}
}
