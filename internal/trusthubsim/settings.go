package trusthubsim

import (
	"errors"
	"fmt"
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

// ErrBadSettings is what SetSettings returns, wrapped, for settings that make no sense.
var ErrBadSettings = errors.New("bad settings")

func (s Settings) check() error {
	switch {
	case s.Review != ReviewAuto && s.Review != ReviewManual:
		return fmt.Errorf("%w: review is auto or manual, not %q", ErrBadSettings, s.Review)
	case s.ProductGate != GateApproved && s.ProductGate != GateSubmitted:
		return fmt.Errorf("%w: product_gate is approved or submitted, not %q", ErrBadSettings, s.ProductGate)
	case s.ReviewDelay < 0 || s.Latency < 0 || s.ListLag < 0 || s.Callbacks.Delay < 0 || s.Callbacks.Spread < 0:
		return fmt.Errorf("%w: a time is negative", ErrBadSettings)
	}
	for _, share := range []float64{s.Callbacks.Lost, s.Callbacks.Duplicated, s.Callbacks.Unsigned} {
		if share < 0 || share > 1 {
			return fmt.Errorf("%w: a share is not between 0 and 1", ErrBadSettings)
		}
	}
	return nil
}

// Settings are those in force.
func (s *Simulator) Settings() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Settings{
		Review: s.cfg.Review, ReviewDelay: Duration(s.cfg.ReviewDelay), ApprovalValidity: Duration(s.cfg.ApprovalValidity),
		ProductGate: s.cfg.ProductGate, RejectedProductsFinal: s.cfg.RejectedProductsFinal,
		NumbersDuringReview: s.cfg.NumbersDuringReview, AnyEmailDomain: s.cfg.AnyEmailDomain,
		Latency: Duration(s.cfg.Latency), ListLag: Duration(s.cfg.ListLag), MaxConcurrent: s.cfg.MaxConcurrent,
		Callbacks: s.cfg.Callbacks,
	}
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
