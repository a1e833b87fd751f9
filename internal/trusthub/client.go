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
	// DefaultCircuitFailures in a row mean that Twilio is down. Where one call in ten fails, which single calls bear well enough, that many
	// come together once in ten thousand million calls.
	DefaultCircuitFailures = 10
	DefaultCircuitMax      = 30 * time.Second
)

// Config is what a [Client] is made of. Only the credentials are required.
type Config struct {
	// AccountSID and AuthToken are the parent account's: those of its subaccounts are fetched with them.
	AccountSID string
	AuthToken  string
	// APIURL and TrustHubURL are origins, without a path: of the API of 2010-04-01 and of Trust Hub.
	APIURL      string
	TrustHubURL string
	// Timeout is for one request, from its turn to the end of its answer.
	Timeout time.Duration
	// MaxConcurrentPerAccount limits the requests under way that one account's credentials have signed: Twilio counts concurrent requests
	// per account and refuses the excess with 429 (code 20429). Others wait for their turn. It is where a client begins: an account that is
	// refused is given fewer for a while. Negative means no limit.
	MaxConcurrentPerAccount int
	// CircuitFailures is how many failures in a row, and nothing else between them, make the client hold back all requests to a host but
	// one now and then; negative means never.
	CircuitFailures int
	// CircuitMax is the longest time between two such trials.
	CircuitMax time.Duration
	// Logger gets a debug line for each request. It never sees a query, a body or a credential.
	Logger *slog.Logger
	// Now tells the time: by which a request is too late (see [onboarding.WithSendBy]), against which Retry-After dates are read, and until
	// which requests are held back.
	Now func() time.Time
	// Random returns a number in [0, 1), for jitter. It must be safe for concurrent use.
	Random func() float64
	// Transport takes the place of the client's own HTTP transport, in tests. A request is then checked for lateness before RoundTrip, not
	// at the socket. Close leaves it alone.
	Transport http.RoundTripper
}

// Client talks to Twilio. It is safe for concurrent use.
type Client struct {
	parent      string
	api         *url.URL
	trustHub    *url.URL
	transport   http.RoundTripper
	atSocket    bool // lateness is checked at the socket, because the transport is ours
	timeout     time.Duration
	now         func() time.Time
	random      func() float64
	log         *slog.Logger
	lanes       lanes
	circuits    [2]circuit // of the API's host and of Trust Hub's, see circuitOf
	tokens      tokens
	subaccounts sync.Map // of the parent, as far as known: SID to struct{}
	parentToken string
	closeIdle   func()
}

var _ onboarding.TrustHub = (*Client)(nil)

// New returns a client. It makes no call: wrong credentials show at the first.
func New(cfg Config) (*Client, error) {
	if !isSID(cfg.AccountSID) {
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
		closeIdle:   func() {},
	}
	if c.transport == nil {
		own := newTransport()
		c.transport, c.atSocket, c.closeIdle = own, true, own.CloseIdleConnections
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
	c.lanes.width = cfg.MaxConcurrentPerAccount
	if c.lanes.width == 0 {
		c.lanes.width = DefaultMaxConcurrentPerAccount
	}
	for i := range c.circuits {
		c.circuits[i] = circuit{failures: cfg.CircuitFailures, least: circuitMin, most: cfg.CircuitMax, parent: c.parent}
		if cfg.CircuitFailures == 0 {
			c.circuits[i].failures = DefaultCircuitFailures
		}
		if cfg.CircuitMax <= 0 {
			c.circuits[i].most = DefaultCircuitMax
		}
	}
	c.tokens.fetch = c.fetchToken
	return c, nil
}

// Close lets go of idle connections. Calls under way go on; the client may be used again.
func (c *Client) Close() { c.closeIdle() }

// ParentAccount is the SID of the account that the client was configured with.
func (c *Client) ParentAccount() string { return c.parent }

// origin reads a base URL. One with a path is refused: the links to further pages name paths from the root.
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

// isSID says whether s can be put into a path. twilio-go puts SIDs there as they are, so that "../" or "?" would reach another resource.
func isSID(s string) bool {
	if len(s) < 3 || len(s) > 64 {
		return false
	}
	for _, r := range []byte(s) {
		if (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return true
}
