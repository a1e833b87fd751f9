package trusthubsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"
)

// Effect is what a fault does to a request.
type Effect string

const (
	// EffectStatus answers with Status, Headers and Body; the work is not done.
	EffectStatus Effect = "status"
	// EffectHTML answers with an HTML page, as a proxy does; the work is not done.
	EffectHTML Effect = "html"
	// EffectDelay waits, then does the work.
	EffectDelay Effect = "delay"
	// EffectDropBefore breaks the connection; the work is not done.
	EffectDropBefore Effect = "drop_before"
	// EffectStatusAfter does the work, then answers as EffectStatus does.
	EffectStatusAfter Effect = "status_after"
	// EffectHTMLAfter does the work, then answers as EffectHTML does.
	EffectHTMLAfter Effect = "html_after"
	// EffectDelayAfter does the work, then waits before it answers.
	EffectDelayAfter Effect = "delay_after"
	// EffectDropAfter does the work, then breaks the connection.
	EffectDropAfter Effect = "drop_after"
	// EffectTruncateAfter does the work, then breaks the connection in the middle of the answer's
	// body.
	EffectTruncateAfter Effect = "truncate_after"
)

// Fault is something that goes wrong with the requests that it matches. Of several that match, the
// first that is due strikes.
type Fault struct {
	ID int `json:"id"` // given by the simulator

	Method  string `json:"method,omitempty"`  // "" matches any
	Path    string `json:"path,omitempty"`    // as path.Match has it for each segment; a last segment ** matches any rest; "" matches any
	Account string `json:"account,omitempty"` // the user name of the credentials; "" matches any

	Skip        int     `json:"skip,omitempty"`        // so many requests pass first
	Times       int     `json:"times,omitempty"`       // strikes at most that often; 0 is always
	Probability float64 `json:"probability,omitempty"` // of striking; 0 is 1

	Effect  Effect            `json:"effect"`
	Status  int               `json:"status,omitempty"`  // 503 by default, 502 for HTML
	Body    string            `json:"body,omitempty"`    // an error like Twilio's by default
	Headers map[string]string `json:"headers,omitempty"` // for example Retry-After
	// Delay precedes the effect, whichever it is: before the work, or after it for those that do
	// the work first. In JSON it is text like "2s".
	Delay Duration `json:"delay,omitempty"`

	Seen int `json:"seen"` // how many requests matched
	Hits int `json:"hits"` // how many it struck
}

// Duration is a time.Duration that is text in JSON.
type Duration time.Duration

// MarshalText writes it as time.Duration.String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration understands.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// ErrBadFault is what AddFault returns, wrapped, for a fault that makes no sense.
var ErrBadFault = errors.New("bad fault")

type fault struct{ Fault }

func (f Fault) check() error {
	switch f.Effect {
	case EffectStatus, EffectHTML, EffectDelay, EffectDropBefore,
		EffectStatusAfter, EffectHTMLAfter, EffectDelayAfter, EffectDropAfter, EffectTruncateAfter:
	default:
		return fmt.Errorf("%w: unknown effect %q", ErrBadFault, f.Effect)
	}
	if _, err := path.Match(f.Path, ""); err != nil {
		return fmt.Errorf("%w: path %q: %w", ErrBadFault, f.Path, err)
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) || f.Probability < 0 || f.Probability > 1 || f.Skip < 0 || f.Times < 0 || f.Delay < 0 {
		return fmt.Errorf("%w: a number is out of its range", ErrBadFault)
	}
	return nil
}

// AddFault adds a fault and returns its ID. It returns ErrBadFault, wrapped, if the fault makes no
// sense.
func (s *Simulator) AddFault(f Fault) (id int, err error) {
	if err := f.check(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faultsAdded++
	f.ID, f.Seen, f.Hits = s.faultsAdded, 0, 0
	s.faults = append(s.faults, &fault{f})
	return f.ID, nil
}

// ClearFaults removes all faults.
func (s *Simulator) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Faults are those that were added, with how often they matched and struck.
func (s *Simulator) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	faults := make([]Fault, len(s.faults))
	for i, f := range s.faults {
		faults[i] = f.Fault
	}
	return faults
}

// strike finds the fault that hits a request, and counts it. The caller holds the lock.
func (s *Simulator) strike(r *Request) *fault {
	for _, f := range s.faults {
		if !f.matches(r) {
			continue
		}
		f.Seen++
		if f.Seen <= f.Skip || f.Times > 0 && f.Hits >= f.Times {
			continue
		}
		if f.Probability > 0 && s.drawChance("fault", fmt.Sprint(f.ID), r.AuthSID) >= f.Probability {
			continue
		}
		f.Hits++
		struck := *f
		return &struck
	}
	return nil
}

func (f *fault) matches(r *Request) bool {
	return (f.Method == "" || f.Method == r.Method) && (f.Account == "" || f.Account == r.AuthSID) &&
		(f.Path == "" || matchPath(strings.Split(f.Path, "/"), strings.Split(r.Path, "/")))
}

func matchPath(pattern, segments []string) bool {
	for i, part := range pattern {
		if part == "**" && i == len(pattern)-1 {
			return true
		}
		if i >= len(segments) {
			return false
		}
		if ok, _ := path.Match(part, segments[i]); !ok {
			return false
		}
	}
	return len(pattern) == len(segments)
}

// effect is what the fault does; a nil fault does nothing.
func (f *fault) effect() Effect {
	if f == nil {
		return ""
	}
	return f.Effect
}

func (f *fault) after() bool {
	return f.Effect == EffectDelayAfter || f.Effect == EffectDropAfter || f.Effect == EffectTruncateAfter ||
		f.Effect == EffectStatusAfter || f.Effect == EffectHTMLAfter
}

func (f *fault) delayBefore() time.Duration {
	if f == nil || f.after() {
		return 0
	}
	return time.Duration(f.Delay)
}

func (f *fault) delayAfter() time.Duration {
	if f == nil || !f.after() {
		return 0
	}
	return time.Duration(f.Delay)
}

// reply is the answer of a fault that answers.
func (f *fault) reply() reply {
	status, body, kind := f.Status, f.Body, "application/json"
	html := f.Effect == EffectHTML || f.Effect == EffectHTMLAfter
	if html {
		setDefault(&status, http.StatusBadGateway)
		setDefault(&body, fmt.Sprintf("<html><head><title>%d</title></head><body><h1>%d %s</h1></body></html>\n",
			status, status, http.StatusText(status)))
		kind = "text/html; charset=utf-8"
	} else {
		setDefault(&status, http.StatusServiceUnavailable)
		if body == "" {
			body = string(renderError(refuse(status, codeOfStatus(status), "%s", http.StatusText(status))).body)
		}
		if !json.Valid([]byte(body)) {
			kind = "text/plain; charset=utf-8"
		}
	}
	out := reply{status: status, header: http.Header{"Content-Type": {kind}}, body: []byte(body)}
	for name, value := range f.Headers {
		out.header.Set(name, value)
	}
	return out
}

// codeOfStatus is Twilio's code that goes with an HTTP status: 20000 and the status, with its older
// codes for three.
func codeOfStatus(status int) int {
	switch status {
	case http.StatusUnauthorized:
		return codePermissionDenied
	case http.StatusMethodNotAllowed:
		return codeMethodNotAllowed
	case http.StatusInternalServerError:
		return codeServerError
	case http.StatusServiceUnavailable:
		return codeServiceUnavailable
	}
	return 20000 + status
}
