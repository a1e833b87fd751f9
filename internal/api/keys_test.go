package api

import (
	"crypto/sha256"
	"strings"
	"testing"
)

func TestANewKeyIsFoundByItsHash(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		plain, sum := NewKey()
		if len(plain) != 47 || !strings.HasPrefix(plain, "atd_") {
			t.Fatalf("key %q has not the form of one", plain)
		}
		if sum != sha256.Sum256([]byte(plain)) {
			t.Fatal("the sum is not the key's SHA-256")
		}
		if found, ok := keySum(plain); !ok || found != sum {
			t.Fatal("the key is not found by its sum")
		}
		if seen[plain] {
			t.Fatal("the same key twice")
		}
		seen[plain] = true
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	for role, want := range map[Role]bool{RoleOperator: true, RoleViewer: true, "": false, "admin": false} {
		if role.Valid() != want {
			t.Errorf("%q valid: %v", role, !want)
		}
	}
}
