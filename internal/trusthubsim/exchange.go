package trusthubsim

import (
	"encoding/json"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// maxBody is the largest request body that is read.
const maxBody = 1 << 20

// answer is what a handler gives back. The body is rendered after the lock is given up, so it must
// not share anything that changes.
type answer struct {
	status int    // 0 is 200
	body   any    // nil is no body
	sid    string // of the object that was made, read, changed or deleted
}

// reply is an answer as bytes.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// call is one request at work. Its handler runs under the simulator's lock.
type call struct {
	sim     *Simulator
	route   *route
	path    string
	base    string   // of absolute URLs
	sids    []string // those in the path, in their order
	query   url.Values
	form    url.Values
	now     time.Time
	caller  *account // whose credentials came
	account *account // which the call acts on
}

// exchange takes one request from its arrival to its answer: log it, see which fault hits, wait,
// work, answer.
func (s *Simulator) exchange(w http.ResponseWriter, r *http.Request) {
	form, formErr := readForm(r)
	record, hit, wait, crowded := s.arrive(r, form)
	var out reply
	defer func() { s.leave(record, out) }()

	if crowded {
		out = renderError(refuse(http.StatusTooManyRequests, codeTooManyRequests, "Too Many Requests"))
		if wait >= time.Second {
			out.header.Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
		}
		out.write(w)
		return
	}
	// A client that leaves meanwhile changes nothing: what has arrived is worked on.
	time.Sleep(wait + hit.delayBefore())
	switch hit.effect() {
	case EffectDropBefore:
		drop(w)
		return
	case EffectStatus, EffectHTML:
		out = hit.reply()
		out.write(w)
		return
	default: // the others let the work be done
	}

	done := s.work(r, form, formErr, record)
	time.Sleep(hit.delayAfter())
	switch hit.effect() {
	case EffectDropAfter:
		drop(w)
	case EffectTruncateAfter:
		out = reply{status: done.status}
		truncate(w, done)
	case EffectStatusAfter, EffectHTMLAfter:
		out = hit.reply()
		out.write(w)
	default:
		out = done
		out.write(w)
	}
}

// arrive logs the request as begun, and finds the fault that hits it and whether its account has
// too many open. The wait is what passes before the work or, of a crowded request, what it is told
// to wait.
func (s *Simulator) arrive(r *http.Request, form url.Values) (record *Request, hit *fault, wait time.Duration, crowded bool) {
	user, _, _ := r.BasicAuth()
	query, _ := url.ParseQuery(r.URL.RawQuery)
	record = &Request{
		StartedAt: time.Now(), AuthSID: user,
		Method: r.Method, Path: r.URL.Path, Query: query, Form: form,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests.add(record)
	s.inFlight[user]++
	if s.cfg.MaxConcurrent > 0 && s.inFlight[user] > s.cfg.MaxConcurrent {
		return record, nil, s.cfg.RetryAfter, true
	}
	if hit = s.strike(record); hit != nil {
		record.Fault = hit.Effect
		record.FaultID = hit.ID
	}
	return record, hit, s.cfg.Latency, false
}

// leave completes the request's log record.
func (s *Simulator) leave(record *Request, out reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	record.Status = out.status
	record.FinishedAt = time.Now()
	if s.inFlight[record.AuthSID]--; s.inFlight[record.AuthSID] == 0 {
		delete(s.inFlight, record.AuthSID)
	}
	if out.status >= 400 {
		var said apiError
		if json.Unmarshal(out.body, &said) == nil {
			record.ErrorCode = said.Code
		}
	}
	s.cfg.Logger.Debug("request", slog.Int("number", record.Number), slog.String("method", record.Method),
		slog.String("path", record.Path), slog.Int("status", record.Status), slog.Int("code", record.ErrorCode))
}

// work carries the request out under the lock and renders the answer outside of it.
func (s *Simulator) work(r *http.Request, form url.Values, formErr *apiError, record *Request) reply {
	result, apiErr := s.handle(r, form, formErr, record)
	if apiErr != nil {
		return renderError(apiErr)
	}
	if result.status == 0 {
		result.status = http.StatusOK
	}
	out := reply{status: result.status, header: http.Header{}}
	if result.body == nil {
		return out
	}
	var err error
	if out.body, err = json.Marshal(result.body); err != nil {
		return renderError(refuse(http.StatusInternalServerError, codeServerError, "rendering the answer: %v", err))
	}
	out.header.Set("Content-Type", "application/json")
	return out
}

func (s *Simulator) handle(r *http.Request, form url.Values, formErr *apiError, record *Request) (answer, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{sim: s, path: r.URL.Path, base: s.cfg.PublicURL, query: record.Query, form: form, now: time.Now().UTC()}
	if c.base == "" {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		c.base = scheme + "://" + r.Host
	}
	if apiErr := c.authenticate(r); apiErr != nil {
		return answer{}, apiErr
	}
	record.AccountSID = c.caller.sid
	if apiErr := c.find(r.Method); apiErr != nil {
		return answer{}, apiErr
	}
	if apiErr := c.choose(r.Method); apiErr != nil {
		return answer{}, apiErr
	}
	record.AccountSID = c.account.sid
	if formErr != nil {
		return answer{}, formErr
	}
	if apiErr := c.checkParameters(); apiErr != nil {
		return answer{}, apiErr
	}
	result, apiErr := c.route.handle(c)
	record.SID = result.sid
	return result, apiErr
}

// readForm reads the body of a POST, which must be a form.
func readForm(r *http.Request) (url.Values, *apiError) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, badRequest(codeBadRequest, "The body could not be read")
	case len(body) > maxBody:
		return nil, refuse(http.StatusRequestEntityTooLarge, codeBadRequest, "The body is too large")
	case len(body) == 0:
		return url.Values{}, nil
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	form, err := url.ParseQuery(string(body))
	if kind != "application/x-www-form-urlencoded" || err != nil {
		return nil, badRequest(codeBadRequest, "The body is not application/x-www-form-urlencoded")
	}
	return form, nil
}

func renderError(e *apiError) reply {
	body, _ := json.Marshal(e)
	header := http.Header{"Content-Type": {"application/json"}}
	if e.Status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", `Basic realm="Twilio API"`)
	}
	return reply{status: e.Status, header: header, body: body}
}

func (o reply) write(w http.ResponseWriter) {
	for name, values := range o.header {
		w.Header()[name] = values
	}
	w.WriteHeader(o.status)
	_, _ = w.Write(o.body)
}

// drop breaks the connection without an answer.
func drop(w http.ResponseWriter) {
	if hijacker, ok := w.(http.Hijacker); ok {
		if conn, _, err := hijacker.Hijack(); err == nil {
			_ = conn.Close()
			return
		}
	}
	panic(http.ErrAbortHandler)
}

// truncate sends the head and half of the body, and breaks the connection. Without a body there is
// nothing to halve, and no answer is sent.
func truncate(w http.ResponseWriter, o reply) {
	if len(o.body) == 0 {
		drop(w)
		return
	}
	for name, values := range o.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(o.body)))
	w.WriteHeader(o.status)
	_, _ = w.Write(o.body[:len(o.body)/2])
	if flusher, ok := w.(http.Flusher); ok {
		flusher.Flush()
	}
	panic(http.ErrAbortHandler)
}
