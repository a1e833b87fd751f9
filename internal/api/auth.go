package api

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// authenticate looks up the key of the caller and checks that its role allows the request. It runs
// before anything reads the body.
func authenticate(keys Keys) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			key, err := keyOf(keys, r)
			if err != nil {
				respondError(w, r, err)
				return
			}
			requestInfoOf(r.Context()).key = key
			if key.Role != RoleOperator && r.Method != http.MethodGet {
				respondError(w, r, problem(problemForbidden, "A key with the role viewer may only read. Use one with the role operator."))
				return
			}
			w.Header().Set("Cache-Control", "no-store") // Answers hold personal data.
			next.ServeHTTP(w, r)
		})
	}
}

// keyOf returns the key that the request carries as "Authorization: Bearer KEY".
func keyOf(keys Keys, r *http.Request) (Key, error) {
	scheme, plain, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	plain = strings.TrimSpace(plain)
	if !strings.EqualFold(scheme, "Bearer") || plain == "" {
		return Key{}, problem(problemUnauthorized, "Send a key as Authorization: Bearer KEY.")
	}
	unknown := problem(problemUnauthorized, "This key is not known, or has been revoked.")
	sum, ok := keySum(plain)
	if !ok {
		return Key{}, unknown
	}
	key, err := keys.Authenticate(r.Context(), sum)
	switch {
	case errors.Is(err, ErrUnknownKey):
		return Key{}, unknown
	case err != nil:
		return Key{}, fmt.Errorf("look up a key: %w", err)
	}
	return key, nil
}
