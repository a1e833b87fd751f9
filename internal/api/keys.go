package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"math/big"
	"strings"
)

// Role says what the holder of a key may do.
type Role string

// The roles. An operator may do everything, a viewer may only GET.
const (
	RoleOperator Role = "operator"
	RoleViewer   Role = "viewer"
)

// Valid tells whether r is one of the roles.
func (r Role) Valid() bool { return r == RoleOperator || r == RoleViewer }

// Key is what the server knows of an API key: its holder and role, and not the key itself.
type Key struct {
	Name string
	Role Role
}

// ErrUnknownKey says that there is no such key, or that it was revoked.
var ErrUnknownKey = errors.New("unknown API key")

// Keys looks keys up, once for each request. No answer is cached, because the lookup is cheap, and
// because a revoked key must stop working at once.
type Keys interface {
	// Authenticate returns the key of that SHA-256. Errors: ErrUnknownKey.
	Authenticate(ctx context.Context, sum [sha256.Size]byte) (Key, error)
}

const (
	// keyPrefix lets people and secret scanners see what a string is.
	keyPrefix = "atd_"
	// keyDigits is how many base 62 digits 256 bits take.
	keyDigits = 43
)

// NewKey returns a new key and the SHA-256 that is stored of it. A key is 256 random bits in base
// 62 behind a prefix. It needs no salt and no slow hash, because nobody can guess it.
func NewKey() (plain string, sum [sha256.Size]byte) {
	var random [32]byte
	rand.Read(random[:]) // It never fails: https://pkg.go.dev/crypto/rand#Read.
	digits := new(big.Int).SetBytes(random[:]).Text(62)
	plain = keyPrefix + strings.Repeat("0", keyDigits-len(digits)) + digits
	return plain, sha256.Sum256([]byte(plain))
}

// keySum returns the SHA-256 of a key, by which it is looked up. It returns false for a text that
// does not have the form of a key.
func keySum(plain string) ([sha256.Size]byte, bool) {
	digits, ok := strings.CutPrefix(plain, keyPrefix)
	if !ok || len(digits) != keyDigits {
		return [sha256.Size]byte{}, false
	}
	for _, c := range []byte(digits) {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z') {
			return [sha256.Size]byte{}, false
		}
	}
	return sha256.Sum256([]byte(plain)), true
}
