package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/attestd/attestd/internal/api"
	"github.com/attestd/attestd/internal/onboarding/plan"
)

// Config is the configuration of the program, all of it from the environment. The README has the
// same table.
type Config struct {
	DatabaseURL string `env:"DATABASE_URL"`
	ListenAddr  string `env:"LISTEN_ADDR" envDefault:":8080"`
	// PublicURL is where Twilio reaches this service. Without it there are no status callbacks, and
	// reviews are polled only.
	PublicURL string `env:"PUBLIC_URL"`

	TwilioAccountSID        string `env:"TWILIO_ACCOUNT_SID"`
	TwilioAuthToken         string `env:"TWILIO_AUTH_TOKEN"`
	TwilioPrimaryProfileSID string `env:"TWILIO_PRIMARY_PROFILE_SID"`
	TwilioAPIURL            string `env:"TWILIO_API_URL" envDefault:"https://api.twilio.com"`
	TwilioTrustHubURL       string `env:"TWILIO_TRUSTHUB_URL" envDefault:"https://trusthub.twilio.com"`

	SecondaryProfilePolicySID string           `env:"SECONDARY_PROFILE_POLICY_SID" envDefault:"RNdfbf3fae0e1107f8aded0e7cead80bf5"`
	ShakenStirPolicySID       string           `env:"SHAKEN_STIR_POLICY_SID" envDefault:"RN7a97559effdf62d00f4298208492a5ea"`
	VoiceIntegrityPolicySID   string           `env:"VOICE_INTEGRITY_POLICY_SID" envDefault:"RN5b3660f9598883b1df4e77f77acefba0"`
	CNAMPolicySID             string           `env:"CNAM_POLICY_SID" envDefault:"RNf3db3cd1fe25fcfd3c3ded065c8fea53"`
	TrustProductGate          plan.Gate        `env:"TRUST_PRODUCT_GATE" envDefault:"auto"`
	CallbackAuth              api.CallbackAuth `env:"CALLBACK_AUTH" envDefault:"signature"`

	ReviewPollMin time.Duration `env:"REVIEW_POLL_MIN" envDefault:"5m"`
	ReviewPollMax time.Duration `env:"REVIEW_POLL_MAX" envDefault:"6h"`
	// CheckInterval is how often an approved onboarding is read again; 0 means never. RepairNumbers
	// puts a number on a bundle again if it has vanished from it; otherwise a person is asked.
	// ApprovalNotice is how long before the end of an approval a person is asked to act.
	CheckInterval  time.Duration `env:"CHECK_INTERVAL" envDefault:"24h"`
	RepairNumbers  bool          `env:"REPAIR_NUMBERS" envDefault:"true"`
	ApprovalNotice time.Duration `env:"APPROVAL_NOTICE" envDefault:"720h"`
	// LookupSettle is how long the lists of Twilio may lag behind a write.
	LookupSettle time.Duration `env:"LOOKUP_SETTLE" envDefault:"3s"`

	// CallbackRetention is how long callbacks are kept.
	CallbackRetention time.Duration `env:"CALLBACK_RETENTION" envDefault:"2160h"`

	// TwilioMaxConcurrent is how many calls of this replica may be under way at once with the
	// credentials of one account.
	TwilioMaxConcurrent int `env:"TWILIO_MAX_CONCURRENT" envDefault:"20"`

	// Workers is how many onboardings this replica works on at once.
	Workers int `env:"WORKERS" envDefault:"64"`
	// StaleAfter is how long a replica may be silent, with its connection open, before the others
	// take its onboardings over.
	StaleAfter time.Duration `env:"STALE_AFTER" envDefault:"4s"`
	LogLevel   slog.Level    `env:"LOG_LEVEL" envDefault:"info"`
}

// secrets may come from files, named by NAME_FILE.
var secrets = []string{"DATABASE_URL", "TWILIO_AUTH_TOKEN"}

var sidPattern = regexp.MustCompile(`^[A-Z]{2}[0-9a-f]{32}$`)

// problem is what is wrong with a variable. The text names the variable and says what to set it to.
// It repeats no secret.
type problem struct {
	variable string
	error
}

// LoadConfig reads the configuration from an environment such as os.Environ(). The error has a line
// for every variable that is missing or malformed.
func LoadConfig(environ []string) (Config, error) {
	vars := env.ToMap(environ)
	var problems []problem
	for _, name := range secrets {
		if err := fromFile(vars, name); err != nil {
			problems = append(problems, problem{name, err})
		}
	}
	// Compose files set a variable to nothing if it is not set.
	for name, value := range vars {
		if value == "" {
			delete(vars, name)
		}
	}
	var c Config
	if err := env.ParseWithOptions(&c, env.Options{Environment: vars}); err != nil {
		problems = append(problems, parseProblems(err)...)
	}
	problems = append(problems, c.check()...)
	if len(problems) > 0 {
		return Config{}, oneOfEach(problems)
	}
	return c, nil
}

// oneOfEach joins the first problem of each variable. A value that could not be read was checked
// once more, as a zero.
func oneOfEach(problems []problem) error {
	var errs []error
	seen := map[string]bool{}
	for _, p := range problems {
		if p.variable == "" || !seen[p.variable] {
			errs = append(errs, p.error)
		}
		seen[p.variable] = true
	}
	return errors.Join(errs...)
}

// LoadDatabaseURL reads the one variable that the commands other than serve need.
func LoadDatabaseURL(environ []string) (string, error) {
	vars := env.ToMap(environ)
	if err := fromFile(vars, "DATABASE_URL"); err != nil {
		return "", err
	}
	return vars["DATABASE_URL"], checkDatabaseURL(vars["DATABASE_URL"])
}

// checkDatabaseURL reads the URL as the store does.
func checkDatabaseURL(databaseURL string) error {
	const form = "postgres://USER:PASSWORD@HOST:PORT/DATABASE"
	if databaseURL == "" {
		return errors.New("DATABASE_URL: missing: set it to " + form + ", or DATABASE_URL_FILE to a file that holds it")
	}
	_, err := pgxpool.ParseConfig(databaseURL)
	schemed := strings.HasPrefix(databaseURL, "postgres://") || strings.HasPrefix(databaseURL, "postgresql://")
	if err == nil && schemed {
		return nil
	}
	// An error about a URL that is split at a wrong place may quote a part of the password.
	if _, broken := url.Parse(databaseURL); broken != nil || !schemed {
		return errors.New("DATABASE_URL: not of the form " + form + "; percent-encode what is no letter or digit in USER and PASSWORD")
	}
	if cause := errors.Unwrap(err); cause != nil {
		err = cause // Without the URL.
	}
	return fmt.Errorf("DATABASE_URL: %w", err)
}

func fromFile(vars map[string]string, name string) error {
	path := vars[name+"_FILE"]
	if path == "" {
		return nil
	}
	if vars[name] != "" {
		return fmt.Errorf("%s and %s_FILE are both set: set one of them", name, name)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s_FILE: %w", name, err)
	}
	vars[name] = strings.TrimSpace(string(content))
	return nil
}

// parseProblems names the variable of each value that could not be read. The library names the
// field.
func parseProblems(err error) []problem {
	var all env.AggregateError
	if !errors.As(err, &all) {
		return []problem{{error: err}}
	}
	var problems []problem
	for _, e := range all.Errors {
		p := problem{error: e}
		var parse env.ParseError
		if errors.As(e, &parse) {
			field, _ := reflect.TypeFor[Config]().FieldByName(parse.Name)
			p.variable = field.Tag.Get("env")
			p.error = fmt.Errorf("%s: %w", p.variable, parse.Err)
		}
		problems = append(problems, p)
	}
	return problems
}

// check returns what is missing or malformed.
func (c Config) check() []problem {
	var problems []problem
	add := func(variable, format string, args ...any) {
		problems = append(problems, problem{variable, fmt.Errorf(variable+": "+format, args...)})
	}
	if err := checkDatabaseURL(c.DatabaseURL); err != nil {
		problems = append(problems, problem{"DATABASE_URL", err})
	}
	c.checkTwilio(add)
	c.checkURLs(add)
	oneOf(add, "TRUST_PRODUCT_GATE", c.TrustProductGate, plan.GateAuto, plan.GateSubmitted, plan.GateApproved)
	oneOf(add, "CALLBACK_AUTH", c.CallbackAuth, api.CallbackSignature, api.CallbackToken)
	c.checkBounds(add)
	return problems
}

// addProblem notes what is wrong with a variable.
type addProblem func(variable, format string, args ...any)

// checkTwilio checks credentials and SIDs.
func (c Config) checkTwilio(add addProblem) {
	switch {
	case c.TwilioAuthToken == "":
		add("TWILIO_AUTH_TOKEN", "missing: set it, or TWILIO_AUTH_TOKEN_FILE, to the parent account's auth token")
	case strings.ContainsFunc(c.TwilioAuthToken, func(r rune) bool { return r <= ' ' || r > '~' }):
		add("TWILIO_AUTH_TOKEN", "has a space, a line break or another character that no auth token has")
	}
	sid := func(name, value, prefix, what string, required bool) {
		switch {
		case value == "" && required:
			add(name, "missing: set it to %s", what)
		case value != "" && (!sidPattern.MatchString(value) || !strings.HasPrefix(value, prefix)):
			add(name, "%q is not %s (%s and 32 hex digits)", value, what, prefix)
		}
	}
	sid("TWILIO_ACCOUNT_SID", c.TwilioAccountSID, "AC", "the parent account's SID", true)
	sid("TWILIO_PRIMARY_PROFILE_SID", c.TwilioPrimaryProfileSID, "BU", "the SID of the ISV's primary business profile", false)
	sid("SECONDARY_PROFILE_POLICY_SID", c.SecondaryProfilePolicySID, "RN", "the SID of a policy", true)
	sid("SHAKEN_STIR_POLICY_SID", c.ShakenStirPolicySID, "RN", "the SID of a policy", true)
	sid("VOICE_INTEGRITY_POLICY_SID", c.VoiceIntegrityPolicySID, "RN", "the SID of a policy", true)
	sid("CNAM_POLICY_SID", c.CNAMPolicySID, "RN", "the SID of a policy", true)
}

func (c Config) checkURLs(add addProblem) {
	for _, v := range []struct{ name, value string }{
		{"PUBLIC_URL", c.PublicURL}, {"TWILIO_API_URL", c.TwilioAPIURL}, {"TWILIO_TRUSTHUB_URL", c.TwilioTrustHubURL},
	} {
		switch u, err := url.Parse(v.value); {
		case v.value == "":
		case err != nil, u.Host == "", u.Scheme != "http" && u.Scheme != "https":
			add(v.name, "not an http or https URL")
		case u.User != nil, u.RawQuery != "", u.Fragment != "":
			add(v.name, "leave user, password, query and fragment out of the URL")
		}
	}
}

// checkBounds checks durations and numbers.
func (c Config) checkBounds(add addProblem) {
	if c.ReviewPollMin <= 0 {
		add("REVIEW_POLL_MIN", "must be more than zero")
	}
	if c.ReviewPollMax < c.ReviewPollMin {
		add("REVIEW_POLL_MAX", "must not be less than REVIEW_POLL_MIN")
	}
	if c.CheckInterval < 0 {
		add("CHECK_INTERVAL", "must not be less than zero; zero means never")
	}
	if c.ApprovalNotice < 0 {
		add("APPROVAL_NOTICE", "must not be less than zero")
	}
	if c.StaleAfter < 2*time.Second {
		add("STALE_AFTER", "must not be less than 2s")
	}
	if c.LookupSettle <= 0 {
		add("LOOKUP_SETTLE", "must be more than zero")
	}
	if c.CallbackRetention < time.Hour {
		add("CALLBACK_RETENTION", "must be 1h at least")
	}
	if c.TwilioMaxConcurrent < 1 || c.TwilioMaxConcurrent > 1000 {
		add("TWILIO_MAX_CONCURRENT", "must be from 1 to 1000")
	}
	if c.Workers < 1 || c.Workers > 10_000 {
		add("WORKERS", "must be from 1 to 10000")
	}
}

func oneOf[T ~string](add addProblem, name string, value T, allowed ...T) {
	if !slices.Contains(allowed, value) {
		add(name, "%q is none of %v", value, allowed)
	}
}
