package trusthubsim

import (
	"slices"
	"time"
)

// Request is the log's record of one request to Twilio's paths. Two requests overlapped if each
// started before the other finished.
type Request struct {
	Number     int                 `json:"number"`      // from 1, in the order of arrival
	StartedAt  time.Time           `json:"started_at"`  // with nanoseconds
	FinishedAt time.Time           `json:"finished_at"` // zero while it is at work
	AuthSID    string              `json:"auth_sid"`    // the user name that came, right or not
	AccountSID string              `json:"account_sid"` // that it acted on, "" for none
	Method     string              `json:"method"`
	Path       string              `json:"path"`
	Query      map[string][]string `json:"query"`
	Form       map[string][]string `json:"form"`
	Status     int                 `json:"status"`     // of the answer, 0 if none went out
	ErrorCode  int                 `json:"error_code"` // Twilio's, 0 if there was none
	// SID is that of the object that was made, read, changed or deleted, even if the answer did not
	// go out.
	SID     string `json:"sid"`
	Fault   Effect `json:"fault,omitempty"`    // that hit
	FaultID int    `json:"fault_id,omitempty"` // its Fault.ID
}

// keptRequests is how many records the log keeps at least.
const keptRequests = 100_000

// requestLog holds the last records.
type requestLog struct {
	number  int
	records []*Request
}

func (l *requestLog) add(record *Request) {
	l.number++
	record.Number = l.number
	if len(l.records) >= 2*keptRequests {
		l.records = slices.Clone(l.records[keptRequests:])
	}
	l.records = append(l.records, record)
}

// Requests are the last requests to Twilio's paths, at least 100,000, in the order of their
// arrival, those at work included. GET /_sim/requests answers the same.
func (s *Simulator) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	records := make([]Request, len(s.requests.records))
	for i, record := range s.requests.records {
		records[i] = *record
	}
	return records
}

// ResetRequests empties the log; numbers go on.
func (s *Simulator) ResetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests.records = nil
}
