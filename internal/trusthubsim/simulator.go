package trusthubsim

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// Simulator is the simulated Twilio. It is safe for concurrent use.
type Simulator struct {
	cfg     Config // what Settings has of it is guarded by mu
	control *http.ServeMux

	mu             sync.Mutex // guards everything below
	accounts       collection[*account]
	parent         *account
	numbersByE164  map[string]*phoneNumber // those in service, of all accounts
	areaCodeNext   map[string]int          // for each area code, how many numbers were bought by it
	seq            uint64
	drawn          map[string]int
	inFlight       map[string]int // open requests by the account whose credentials came
	requests       requestLog
	faults         []*fault
	faultsAdded    int
	callbackLog    []CallbackRecord
	callbackNumber int
	timers         map[*alarm]struct{}
	closed         bool

	running sync.WaitGroup // functions of timers that are at work
}

// New starts a Simulator that holds the parent account with its approved primary profile and
// nothing else.
func New(cfg Config) *Simulator {
	cfg = cfg.withDefaults()
	s := &Simulator{
		cfg:           cfg,
		numbersByE164: map[string]*phoneNumber{},
		areaCodeNext:  map[string]int{},
		drawn:         map[string]int{},
		inFlight:      map[string]int{},
		timers:        map[*alarm]struct{}{},
	}
	s.control = s.controlRoutes()
	s.foundParent(time.Now())
	return s
}

// Parent is the parent account: its credentials and its primary profile.
func (s *Simulator) Parent() (accountSID, authToken, primaryProfileSID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parent.sid, s.parent.authToken, s.cfg.PrimaryProfileSID
}

// ServeHTTP answers Twilio's paths (/v1/… and /2010-04-01/…) and the simulator's own (/_sim/…).
//
// A fault that breaks the connection does so by hijacking it; where that cannot be done it panics
// with http.ErrAbortHandler, which an http.Server turns into a broken connection as well.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_sim/") {
		s.control.ServeHTTP(w, r)
		return
	}
	s.exchange(w, r)
}

// Close stops pending reviews and callbacks, and waits for the callbacks in flight. Requests are
// still answered, but nothing happens by itself any more.
func (s *Simulator) Close() {
	s.mu.Lock()
	s.closed = true
	for a := range s.timers {
		a.timer.Stop()
	}
	clear(s.timers)
	s.mu.Unlock()
	s.running.Wait()
}

// alarm is a function that is to run at a later time.
type alarm struct{ timer *time.Timer }

// after runs f, without the lock, once d has passed. The caller holds the lock.
func (s *Simulator) after(d time.Duration, f func()) *alarm {
	a := &alarm{}
	if s.closed {
		return a
	}
	a.timer = time.AfterFunc(d, func() {
		s.mu.Lock()
		_, due := s.timers[a]
		delete(s.timers, a)
		if due {
			s.running.Add(1)
		}
		s.mu.Unlock()
		if due {
			defer s.running.Done()
			f()
		}
	})
	s.timers[a] = struct{}{}
	return a
}

// cancel keeps an alarm from going off. The caller holds the lock.
func (s *Simulator) cancel(a *alarm) {
	if a != nil && a.timer != nil {
		a.timer.Stop()
		delete(s.timers, a)
	}
}
