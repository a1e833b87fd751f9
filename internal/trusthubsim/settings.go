package trusthubsim

import (
	"errors"
	"fmt"
	"time"
)

// Settings are the switches of a Config that may be changed while the simulator runs, under the
// names of the table of switches. A review that has begun, and a callback that is on its way, end
// as they began.
type Settings struct {
	Review                ReviewMode  `json:"review"`
	ReviewDelay           Duration    `json:"review_delay"`
	CheckDelay            Duration    `json:"check_delay"`
	ApprovalValidity      Duration    `json:"approval_validity"`
	ProductGate           ProductGate `json:"product_gate"`
	RejectedProductsFinal bool        `json:"rejected_products_final"`
	NumbersDuringReview   bool        `json:"numbers_during_review"`
	AnyEmailDomain        bool        `json:"any_email_domain"`
	Doubts
	Latency       Duration  `json:"latency"`
	ListLag       Duration  `json:"list_lag"`
	MaxConcurrent int       `json:"max_concurrent"`
	RetryAfter    Duration  `json:"retry_after"`
	Callbacks     Callbacks `json:"callbacks"`
}

// ErrBadSettings is what SetSettings, Set and Config.Check return, wrapped, for settings that make
// no sense.
var ErrBadSettings = errors.New("bad settings")

// Settings are those in force.
func (s *Simulator) Settings() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg.settings()
}

func (c Config) settings() Settings {
	return Settings{
		Review: c.Review, ReviewDelay: Duration(c.ReviewDelay), CheckDelay: Duration(c.CheckDelay),
		ApprovalValidity: Duration(c.ApprovalValidity),
		ProductGate:      c.ProductGate, RejectedProductsFinal: c.RejectedProductsFinal,
		NumbersDuringReview: c.NumbersDuringReview, AnyEmailDomain: c.AnyEmailDomain, Doubts: c.Doubts,
		Latency: Duration(c.Latency), ListLag: Duration(c.ListLag), MaxConcurrent: c.MaxConcurrent,
		RetryAfter: Duration(c.RetryAfter), Callbacks: c.Callbacks,
	}
}

// take replaces the settings, and writes to nothing else: the rest is read without the lock.
func (c *Config) take(to Settings) {
	c.Review, c.ReviewDelay, c.CheckDelay = to.Review, time.Duration(to.ReviewDelay), time.Duration(to.CheckDelay)
	c.ApprovalValidity = time.Duration(to.ApprovalValidity)
	c.ProductGate, c.RejectedProductsFinal = to.ProductGate, to.RejectedProductsFinal
	c.NumbersDuringReview, c.AnyEmailDomain = to.NumbersDuringReview, to.AnyEmailDomain
	c.Doubts = to.Doubts.withDefaults()
	c.Latency, c.ListLag, c.MaxConcurrent = time.Duration(to.Latency), time.Duration(to.ListLag), to.MaxConcurrent
	c.RetryAfter, c.Callbacks = time.Duration(to.RetryAfter), to.Callbacks.withDefaults()
}

// Check returns ErrBadSettings, wrapped, for a Config that no Twilio could be like.
func (c Config) Check() error { return c.withDefaults().check() }

// check holds each switch against the table.
func (c Config) check() error {
	var faults []error
	for i := range switches {
		if fault := switches[i].fault(&c); fault != "" {
			faults = append(faults, fmt.Errorf("%w: %s", ErrBadSettings, fault))
		}
	}
	return errors.Join(faults...)
}

// SetSettings replaces the settings from now on. It returns ErrBadSettings, wrapped, and changes
// nothing if they make no sense.
func (s *Simulator) SetSettings(to Settings) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := s.cfg
	changed.take(to)
	if err := changed.check(); err != nil {
		return err
	}
	s.cfg.take(to)
	return nil
}
