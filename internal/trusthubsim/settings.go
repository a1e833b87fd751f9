package trusthubsim

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Settings are the switches of a Config that may be changed while the simulator runs, under the names of its flags. A review that has
// begun, and a callback that is on its way, end as they began.
type Settings struct {
	Review                ReviewMode  `json:"review"`
	ReviewDelay           Duration    `json:"review_delay"`
	ApprovalValidity      Duration    `json:"approval_validity"`
	ProductGate           ProductGate `json:"product_gate"`
	RejectedProductsFinal bool        `json:"rejected_products_final"`
	NumbersDuringReview   bool        `json:"numbers_during_review"`
	AnyEmailDomain        bool        `json:"any_email_domain"`
	Latency               Duration    `json:"latency"`
	ListLag               Duration    `json:"list_lag"`
	MaxConcurrent         int         `json:"max_concurrent"`
	Callbacks             Callbacks   `json:"callbacks"`
}

// ErrBadSettings is what SetSettings and Config.Check return, wrapped, for settings that make no sense.
var ErrBadSettings = errors.New("bad settings")

func (s Settings) check() error {
	switch {
	case s.Review != ReviewAuto && s.Review != ReviewManual:
		return fmt.Errorf("%w: review is auto or manual, not %q", ErrBadSettings, s.Review)
	case s.ProductGate != GateApproved && s.ProductGate != GateSubmitted:
		return fmt.Errorf("%w: product_gate is approved or submitted, not %q", ErrBadSettings, s.ProductGate)
	case s.MaxConcurrent < 0:
		return fmt.Errorf("%w: max_concurrent is negative", ErrBadSettings)
	}
	return errors.Join(notNegative("review_delay", s.ReviewDelay), notNegative("latency", s.Latency), notNegative("list_lag", s.ListLag), s.Callbacks.check())
}

func (c Callbacks) check() error {
	return errors.Join(
		isShare("callbacks.lost", c.Lost), isShare("callbacks.duplicated", c.Duplicated), isShare("callbacks.unsigned", c.Unsigned),
		notNegative("callbacks.delay", c.Delay), notNegative("callbacks.spread", c.Spread))
}

func notNegative(name string, d Duration) error {
	if d < 0 {
		return fmt.Errorf("%w: %s is negative", ErrBadSettings, name)
	}
	return nil
}

func isShare(name string, share float64) error {
	if !(share >= 0 && share <= 1) { // Not a number is none either.
		return fmt.Errorf("%w: %s is not between 0 and 1", ErrBadSettings, name)
	}
	return nil
}

// Settings are those in force.
func (s *Simulator) Settings() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg.settings()
}

func (c Config) settings() Settings {
	return Settings{
		Review: c.Review, ReviewDelay: Duration(c.ReviewDelay), ApprovalValidity: Duration(c.ApprovalValidity),
		ProductGate: c.ProductGate, RejectedProductsFinal: c.RejectedProductsFinal,
		NumbersDuringReview: c.NumbersDuringReview, AnyEmailDomain: c.AnyEmailDomain,
		Latency: Duration(c.Latency), ListLag: Duration(c.ListLag), MaxConcurrent: c.MaxConcurrent,
		Callbacks: c.Callbacks,
	}
}

// Check returns ErrBadSettings, wrapped, for a Config that no Twilio could be like.
func (c Config) Check() error {
	c = c.withDefaults()
	switch {
	case !isSID(c.AccountSID, "AC"):
		return fmt.Errorf("%w: account_sid is AC and 32 hex digits, not %q", ErrBadSettings, c.AccountSID)
	case !isSID(c.PrimaryProfileSID, "BU"):
		return fmt.Errorf("%w: primary_profile_sid is BU and 32 hex digits, not %q", ErrBadSettings, c.PrimaryProfileSID)
	case c.PublicURL != "" && !isURL(c.PublicURL):
		return fmt.Errorf("%w: public_url is not an http or https URL: %q", ErrBadSettings, c.PublicURL)
	case strings.ContainsFunc(c.AuthToken, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fmt.Errorf("%w: auth_token has a character that no token has", ErrBadSettings)
	}
	return c.settings().check()
}

// SetSettings replaces the settings from now on. It returns ErrBadSettings, wrapped, and changes nothing if they make no sense.
func (s *Simulator) SetSettings(to Settings) error {
	if err := to.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.Review, s.cfg.ReviewDelay, s.cfg.ApprovalValidity = to.Review, time.Duration(to.ReviewDelay), time.Duration(to.ApprovalValidity)
	s.cfg.ProductGate, s.cfg.RejectedProductsFinal = to.ProductGate, to.RejectedProductsFinal
	s.cfg.NumbersDuringReview, s.cfg.AnyEmailDomain = to.NumbersDuringReview, to.AnyEmailDomain
	s.cfg.Latency, s.cfg.ListLag, s.cfg.MaxConcurrent = time.Duration(to.Latency), time.Duration(to.ListLag), to.MaxConcurrent
	s.cfg.Callbacks = to.Callbacks
	return nil
}
