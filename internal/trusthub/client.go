package trusthub

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// Defaults of a [Config].
const (
	DefaultAPIURL                  = "https://api.twilio.com"
	DefaultTrustHubURL             = "https://trusthub.twilio.com"
	DefaultTimeout                 = 15 * time.Second
	DefaultMaxConcurrentPerAccount = 20
)

// Config configures a [Client]. Only the credentials are required.
type Config struct {
	// AccountSID and AuthToken are the parent account's. The tokens of its subaccounts are fetched
	// with them.
	AccountSID string
	AuthToken  string
	// APIURL and TrustHubURL are the origins of the 2010-04-01 API and of Trust Hub, without a
	// path.
	APIURL      string
	TrustHubURL string
	// Timeout bounds one request, from its admission to the end of its answer.
	Timeout time.Duration
	// MaxConcurrentPerAccount limits the requests in flight that one account has signed; others
	// wait in a queue. Twilio counts concurrent requests per account and answers too many with 429
	// (code 20429). After a 429 the limit is lower for a while. Negative means no limit.
	MaxConcurrentPerAccount int
	// CircuitFailures is how many failures in a row open the circuit breaker of a host; negative
	// means never.
	CircuitFailures int
	// Logger gets a debug line for each request. It never sees a query, a body or a credential.
	Logger *slog.Logger
	// Now tells the time. All times and durations in this package come from it, except the ends of
	// timers and contexts, which the runtime tells.
	Now func() time.Time
	// Random returns a number in [0, 1), for jitter. It must be safe for concurrent use.
	Random func() float64
	// Transport replaces the client's own HTTP transport, in tests. The deadline of a request (see
	// [onboarding.WithSendBy]) is then checked before RoundTrip, not at the socket. Close does not
	// close it.
	Transport http.RoundTripper
}

// Client calls Twilio. It is safe for concurrent use.
type Client struct {
	parent      string
	api         *url.URL
	trustHub    *url.URL
	transport   http.RoundTripper
	guarded     bool // the transport is ours: its connections ask a sendGuard
	timeout     time.Duration
	now         func() time.Time
	random      func() float64
	log         *slog.Logger
	limiters    limiters
	breakers    [2]breaker // of the API's host and of Trust Hub's, see breakerOf
	tokens      tokens
	subaccounts sync.Map // the parent's that are known: SID to struct{}
	parentToken string
	closeIdle   func()
}

var _ onboarding.TrustHub = (*Client)(nil)

// New returns a client. It makes no call: wrong credentials show at the first.
func New(cfg Config) (*Client, error) {
	if !onboarding.IsSID("AC", cfg.AccountSID) {
		return nil, errors.New("trusthub: the parent's account SID is missing or malformed")
	}
	if cfg.AuthToken == "" {
		return nil, errors.New("trusthub: the parent's auth token is missing")
	}
	api, err := origin(cfg.APIURL, DefaultAPIURL)
	if err != nil {
		return nil, fmt.Errorf("trusthub: API URL: %w", err)
	}
	trustHub, err := origin(cfg.TrustHubURL, DefaultTrustHubURL)
	if err != nil {
		return nil, fmt.Errorf("trusthub: Trust Hub URL: %w", err)
	}
	c := &Client{
		parent:      cfg.AccountSID,
		parentToken: cfg.AuthToken,
		api:         api,
		trustHub:    trustHub,
		transport:   cfg.Transport,
		timeout:     cfg.Timeout,
		now:         cfg.Now,
		random:      cfg.Random,
		log:         cfg.Logger,
		limiters:    limiters{max: cfg.MaxConcurrentPerAccount},
		closeIdle:   func() {},
	}
	c.setDefaults()
	if cfg.CircuitFailures == 0 {
		cfg.CircuitFailures = defaultFailures
	}
	for i := range c.breakers {
		c.breakers[i] = breaker{
			failures: cfg.CircuitFailures, least: breakerMin, most: breakerMax, parent: c.parent,
		}
	}
	c.tokens.fetch = c.fetchToken
	return c, nil
}

func (c *Client) setDefaults() {
	if c.transport == nil {
		own := newTransport()
		c.transport, c.guarded, c.closeIdle = own, true, own.CloseIdleConnections
	}
	if c.timeout <= 0 {
		c.timeout = DefaultTimeout
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.random == nil {
		c.random = rand.Float64
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.limiters.max == 0 {
		c.limiters.max = DefaultMaxConcurrentPerAccount
	}
}

// Close closes idle connections. Calls in flight go on, and the client can still be used.
func (c *Client) Close() { c.closeIdle() }

// ParentAccount is the SID of the account that the client was configured with.
func (c *Client) ParentAccount() string { return c.parent }

// origin reads a base URL. It refuses one with a path: the links between pages name paths from the
// root.
func origin(given, otherwise string) (*url.URL, error) {
	if given == "" {
		given = otherwise
	}
	u, err := url.Parse(given)
	switch {
	case err != nil:
		return nil, errors.New("cannot be read")
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, errors.New("must begin with http:// or https:// and name a host")
	case u.User != nil, u.RawQuery != "", u.Fragment != "", u.Path != "" && u.Path != "/":
		return nil, errors.New("must be a scheme and a host only")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}
