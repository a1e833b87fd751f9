package pgdev

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// verifier is what Postgres stores of a password for SCRAM. Postgres accepts it in the place of the
// password (RFC 5803). Each connection costs its client as many hashes as the verifier says. By
// default Postgres asks for 4096, which slow down guessing. A password of 130 random bits cannot be
// guessed, and tests open thousands of connections, so one hash is enough.
func verifier(password string) (string, error) {
	const iterations = 1
	salt := make([]byte, 16)
	rand.Read(salt) // It never fails: https://pkg.go.dev/crypto/rand#Read.
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("salting the password: %w", err)
	}
	key := func(of string) []byte {
		mac := hmac.New(sha256.New, salted)
		mac.Write([]byte(of))
		return mac.Sum(nil)
	}
	stored := sha256.Sum256(key("Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, encode(salt), encode(stored[:]), encode(key("Server Key"))), nil
}
