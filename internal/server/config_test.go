package server

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding/plan"
)

// environment returns a complete environment with these variables, without those whose value is
// "-".
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
	if c.ListenAddr != ":8080" || c.TrustProductGate != plan.GateAuto || c.ReviewPollMin != 5*time.Minute || c.ReviewPollMax != 6*time.Hour ||
		c.SecondaryProfilePolicySID != plan.DefaultSecondaryProfilePolicySID || c.ShakenStirPolicySID != plan.DefaultShakenStirPolicySID {
		t.Errorf("defaults: %+v", c)
	}
}

func TestAFaultInTheConfigurationNamesItsVariable(t *testing.T) {
	tests := []struct{ name, value string }{
		{"DATABASE_URL", "-"},
		{"DATABASE_URL", "token-never-shown"},
		{"DATABASE_URL", "postgres://attestd:token-never-shown/@localhost/attestd"},
		{"DATABASE_URL", "mysql//attestd:token-never-shown@localhost/attestd"},
		{"TWILIO_ACCOUNT_SID", "-"},
		{"TWILIO_ACCOUNT_SID", "SK" + strings.Repeat("0", 32)},
		{"TWILIO_AUTH_TOKEN", "-"},
		{"TWILIO_AUTH_TOKEN", "token-never-shown\n"},
		{"TWILIO_PRIMARY_PROFILE_SID", "BU12"},
		{"SECONDARY_PROFILE_POLICY_SID", "BU" + strings.Repeat("0", 32)},
		{"SHAKEN_STIR_POLICY_SID", "RN"},
		{"PUBLIC_URL", "attestd.example.com"},
		{"PUBLIC_URL", "https://attestd.example.com/?tenant=1"},
		{"PUBLIC_URL", "https://attestd.example.com/#here"},
		{"PUBLIC_URL", "https://user:token-never-shown@attestd.example.com"},
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

// A value that cannot be read is not also reported as out of bounds.
func TestAFaultOfTheConfigurationIsReportedOnce(t *testing.T) {
	for _, name := range []string{"WORKERS", "REVIEW_POLL_MIN", "REVIEW_POLL_MAX", "TWILIO_MAX_CONCURRENT", "STALE_AFTER", "LOOKUP_SETTLE", "CALLBACK_RETENTION"} {
		if _, err := LoadConfig(environment(name, "many")); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range secrets {
		if _, err := LoadConfig(environment(name, "-", name+"_FILE", "/nowhere")); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s_FILE: %v", name, err)
		}
	}
}

func TestTheOtherCommandsNameTheDatabaseURLToo(t *testing.T) {
	for _, value := range []string{"-", "token-never-shown"} {
		_, err := LoadDatabaseURL(environment("DATABASE_URL", value))
		if err == nil || !strings.HasPrefix(err.Error(), "DATABASE_URL") || strings.Contains(err.Error(), "token-never-shown") {
			t.Errorf("DATABASE_URL=%s: %v", value, err)
		}
	}
}

func TestDatabaseURLsOfSeveralForms(t *testing.T) {
	for _, value := range []string{"postgres://u:p@a:5432,b:5433/attestd", "postgresql:///attestd?host=/run/postgresql", "postgres://u:p%2F@h/d?sslmode=disable&pool_max_conns=4"} {
		if _, err := LoadDatabaseURL(environment("DATABASE_URL", value)); err != nil {
			t.Errorf("%s: %v", value, err)
		}
	}
	_, err := LoadDatabaseURL(environment("DATABASE_URL", "postgres://u:token-never-shown@h/d?sslmode=verify-full&sslrootcert=/nowhere"))
	if err == nil || !strings.Contains(err.Error(), "/nowhere") || strings.Contains(err.Error(), "token-never-shown") {
		t.Errorf("a certificate that is missing: %v", err)
	}
}

func TestTheREADMEHasEveryVariableWithItsDefault(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for i := range reflect.TypeFor[Config]().NumField() {
		tag := reflect.TypeFor[Config]().Field(i).Tag
		row := regexp.MustCompile("(?m)^\\|.*`" + tag.Get("env") + "`.*$").FindString(string(readme))
		value := tag.Get("envDefault")
		if row == "" {
			t.Errorf("%s is missing", tag.Get("env"))
		}
		if value != "" && !strings.Contains(row, "`"+value+"`") && !strings.Contains(row, "Twilio's") {
			t.Errorf("%s: the default %s is not in %q", tag.Get("env"), value, row)
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
