package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/attestd/attestd/internal/store/internal/db"
)

// Errors of the API keys.
var (
	// ErrNoKey says that there is no such key, or that it was revoked.
	ErrNoKey = errors.New("no such API key")
	// ErrKeyExists says that another key has this name, even if it is revoked, or that the key
	// itself is not new.
	ErrKeyExists = errors.New("there is an API key of this name already")
)

// Role is what a key allows.
type Role string

// The roles.
const (
	// RoleOperator may do everything.
	RoleOperator Role = "operator"
	// RoleViewer may only read.
	RoleViewer Role = "viewer"
)

// Key is an API key without its secret.
type Key struct {
	Name      string
	Role      Role
	CreatedAt time.Time
	// RevokedAt is zero while the key is valid.
	RevokedAt time.Time
}

// CreateKey stores a new key by its hash. Errors: ErrKeyExists.
func (s *Store) CreateKey(ctx context.Context, name string, role Role, hash [sha256.Size]byte) error {
	err := s.queries.CreateKey(ctx, db.CreateKeyParams{Name: name, Role: string(role), Sha256: hash[:]})
	if hasCode(err, uniqueViolation) {
		err = ErrKeyExists
	}
	if err != nil {
		return fmt.Errorf("create API key %q: %w", name, err)
	}
	return nil
}

// Keys lists all keys, revoked ones too, oldest first.
func (s *Store) Keys(ctx context.Context) ([]Key, error) {
	rows, err := s.queries.ListKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("list API keys: %w", err)
	}
	keys := make([]Key, len(rows))
	for i, row := range rows {
		keys[i] = Key{Name: row.Name, Role: Role(row.Role), CreatedAt: timeOf(row.CreatedAt), RevokedAt: timeOf(row.RevokedAt)}
	}
	return keys, nil
}

// RevokeKey ends a key. To revoke a revoked key changes nothing. Errors: ErrNoKey.
func (s *Store) RevokeKey(ctx context.Context, name string) error {
	found, err := s.queries.RevokeKey(ctx, name)
	if err == nil && found == 0 {
		err = ErrNoKey
	}
	if err != nil {
		return fmt.Errorf("revoke API key %q: %w", name, err)
	}
	return nil
}

// KeyBySHA256 returns the valid key of that hash. Errors: ErrNoKey.
func (s *Store) KeyBySHA256(ctx context.Context, hash [sha256.Size]byte) (Key, error) {
	found := askID(findKeys, hex.EncodeToString(hash[:]))
	err := s.lookups.write(ctx, "", found)
	if err == nil && !found.answered {
		return Key{}, ErrNoKey
	}
	var row struct {
		Name      string    `json:"name"`
		Role      Role      `json:"role"`
		CreatedAt time.Time `json:"created_at"`
	}
	if err == nil {
		err = json.Unmarshal(found.answer, &row)
	}
	if err != nil {
		return Key{}, fmt.Errorf("look up an API key: %w", err)
	}
	return Key{Name: row.Name, Role: row.Role, CreatedAt: row.CreatedAt.UTC()}, nil
}
