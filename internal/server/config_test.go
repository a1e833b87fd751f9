package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// environment returns a complete environment with those variables added or, where the value is "-", left out.
func environment(changes ...string) []string {
	vars := map[string]string{
		"DATABASE_URL":       "postgres://localhost/attestd",
		"TWILIO_ACCOUNT_SID": "AC" + strings.Repeat("0", 32),
		"TWILIO_AUTH_TOKEN":  "token-never-shown",
	}
	for i := 0; i < len(changes); i += 2 {
		vars[changes[i]] = changes[i+1]
	}
	var environ []string
	for name, value := range vars {
		if value != "-" {
			environ = append(environ, name+"="+value)
		}
	}
	return environ
}

func TestConfigDefaults(t *testing.T) {
	c, err := LoadConfig(environment("LOG_LEVEL", ""))
	if err != nil {
		t.Fatal(err)
	}
	if c.ListenAddr != ":8080" || c.TrustProductGate != onboarding.GateAuto || c.ReviewPollMin != 5*time.Minute || c.ReviewPollMax != 6*time.Hour ||
		c.SecondaryProfilePolicySID != onboarding.DefaultSecondaryProfilePolicySID || c.ShakenStirPolicySID != onboarding.DefaultShakenStirPolicySID {
		t.Errorf("defaults: %+v", c)
	}
}

func TestAFaultInTheConfigurationNamesItsVariable(t *testing.T) {
	tests := []struct{ name, value string }{
		{"DATABASE_URL", "-"},
		{"TWILIO_ACCOUNT_SID", "-"},
		{"TWILIO_ACCOUNT_SID", "SK" + strings.Repeat("0", 32)},
		{"TWILIO_AUTH_TOKEN", "-"},
		{"TWILIO_PRIMARY_PROFILE_SID", "BU12"},
		{"SECONDARY_PROFILE_POLICY_SID", "BU" + strings.Repeat("0", 32)},
		{"SHAKEN_STIR_POLICY_SID", "RN"},
		{"PUBLIC_URL", "attestd.example.com"},
		{"TWILIO_API_URL", "ftp://example.com"},
		{"TWILIO_TRUSTHUB_URL", "://"},
		{"TRUST_PRODUCT_GATE", "never"},
		{"CALLBACK_AUTH", "none"},
		{"REVIEW_POLL_MIN", "5"},
		{"REVIEW_POLL_MIN", "-1s"},
		{"REVIEW_POLL_MAX", "1s"},
		{"LOOKUP_SETTLE", "soon"},
		{"CALLBACK_RETENTION", "90 days"},
		{"CALLBACK_RETENTION", "59m"},
		{"TWILIO_MAX_CONCURRENT", "0"},
		{"WORKERS", "many"},
		{"WORKERS", "0"},
		{"LOG_LEVEL", "loud"},
	}
	for _, tt := range tests {
		_, err := LoadConfig(environment(tt.name, tt.value))
		if err == nil {
			t.Errorf("%s=%s was accepted", tt.name, tt.value)
			continue
		}
		if !strings.HasPrefix(err.Error(), tt.name) {
			t.Errorf("%s=%s: the message does not begin with the variable: %v", tt.name, tt.value, err)
		}
		if strings.Contains(err.Error(), "token-never-shown") {
			t.Errorf("%s=%s: the message shows a secret", tt.name, tt.value)
		}
	}
}

func TestAllFaultsOfTheConfigurationAreReportedAtOnce(t *testing.T) {
	_, err := LoadConfig(environment("TWILIO_ACCOUNT_SID", "-", "WORKERS", "many", "PUBLIC_URL", "nowhere"))
	for _, name := range []string{"TWILIO_ACCOUNT_SID", "WORKERS", "PUBLIC_URL"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in: %v", name, err)
		}
	}
}

func TestSecretsComeFromFilesToo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("from-the-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadConfig(environment("TWILIO_AUTH_TOKEN", "-", "TWILIO_AUTH_TOKEN_FILE", file))
	if err != nil || c.TwilioAuthToken != "from-the-file" {
		t.Errorf("token %q, error %v", c.TwilioAuthToken, err)
	}
	if _, err := LoadConfig(environment("TWILIO_AUTH_TOKEN_FILE", file)); err == nil || !strings.HasPrefix(err.Error(), "TWILIO_AUTH_TOKEN") {
		t.Errorf("both the variable and its file: %v", err)
	}
	if _, err := LoadConfig(environment("DATABASE_URL", "-", "DATABASE_URL_FILE", file+".missing")); err == nil || !strings.HasPrefix(err.Error(), "DATABASE_URL_FILE") {
		t.Errorf("a missing file: %v", err)
	}
}
