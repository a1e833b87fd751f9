package simulation

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// wire is a replica's network to Twilio. What has left arrives, whatever becomes of the process
// that sent it.
type wire struct{ from *replica }

// fate is what happens to one request.
type fate struct {
	there, back time.Duration
	fault       *trusthubsim.Fault
	// empty: a list of numbers is answered with nothing in it.
	empty bool
	// twice: something on the way sends a POST a second time, and the answer is lost.
	twice bool
}

type reply struct {
	response *http.Response
	err      error
}

// RoundTrip returns when the answer came or the request's context ended.
func (x wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w := x.from.world
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body.Close()
	}
	of := callOf(r.Context())
	w.departs(of, r, body)
	key := fmt.Sprintf("%s %s %s %s", of, r.Method, r.URL.RequestURI(), digest(body))
	answered := make(chan reply, 1)
	sent := r.WithContext(context.WithoutCancel(r.Context()))
	w.working.Go(func() {
		var f fate
		if !w.turns.wait(nil, "wire "+key, func(rng *rand.Rand) {
			f = w.fate(rng, r.Method, r.URL.Path)
			if w.emptyLists > 0 && strings.HasSuffix(r.URL.Path, "/IncomingPhoneNumbers.json") && !r.URL.Query().Has("PhoneNumber") {
				w.emptyLists--
				w.doneSince = time.Time{} // Attestd has to look once more.
				f = fate{there: f.there, back: f.back, empty: true}
			}
			w.aim(x.from, r.Method, f)
		}) {
			answered <- reply{err: errOver}
			return
		}
		w.tracef("  sent %s %s", key, f)
		w.pass(f.there)
		response, err := w.atTwilio(of, sent, body, f)
		w.pass(f.back)
		answered <- reply{response, err}
	})
	var a reply
	select {
	case a = <-answered:
	case <-r.Context().Done():
		a.err = r.Context().Err()
	}
	w.turns.after()
	if x.from.paused && !w.turns.wait(x.from, "wake "+key, nil) {
		return nil, errOver
	}
	return a.response, a.err
}

// atTwilio is the request's time at Twilio.
func (w *world) atTwilio(of call, r *http.Request, body []byte, f fate) (*http.Response, error) {
	send := func() (*http.Response, error) {
		if err := w.setFault(f.fault); err != nil {
			return nil, err
		}
		again := r.Clone(r.Context())
		if body != nil {
			again.Body = io.NopCloser(bytes.NewReader(body))
		}
		w.tokens.towardsTwilio(again)
		defer w.turns.after()
		return w.sim.Transport().RoundTrip(again)
	}
	defer w.turns.after()
	var gone map[string]bool
	if sid := strings.TrimSuffix(r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:], ".json"); r.Method == http.MethodDelete {
		w.judging.Lock()
		if w.back[sid] {
			gone = w.hanging(of.id, sid)
		}
		w.judging.Unlock()
	}
	response, err := send()
	if r.Method != http.MethodGet {
		w.judging.Lock()
		w.wrote(of.id)
		w.mayComeAgain(gone)
		w.judging.Unlock()
	}
	if f.twice && err == nil && response.StatusCode == http.StatusCreated {
		w.doubled++
		if _, err := send(); err != nil {
			return nil, err
		}
		response, err = nil, fmt.Errorf("connection broken: %w", io.EOF)
	}
	if r.Method != http.MethodGet {
		w.judging.Lock()
		w.counted(of)
		w.judging.Unlock()
	}
	if err == nil {
		w.tracef("  answered %s %s %s %d", of, r.Method, r.URL.Path, response.StatusCode)
		w.tokens.fromTwilio(r, response)
		if f.empty && response.StatusCode == http.StatusOK {
			response.Body = io.NopCloser(strings.NewReader(`{"incoming_phone_numbers": [], "next_page_uri": null}`))
			response.ContentLength = -1
		}
	}
	return response, err
}

// setFault has the simulator strike the next request, which follows at once.
func (w *world) setFault(f *trusthubsim.Fault) error {
	w.sim.ClearFaults()
	if f == nil {
		return nil
	}
	_, err := w.sim.AddFault(*f)
	return err
}

// fate draws what happens to a request.
func (w *world) fate(rng *rand.Rand, method, path string) fate {
	f := fate{there: latency(rng), back: latency(rng)}
	if !w.rough() || rng.Float64() >= w.scenario.requestFault {
		return f
	}
	after := trusthubsim.Duration(rng.Int64N(int64(2 * w.scenario.timeout)))
	before := trusthubsim.Duration(rng.Int64N(int64(w.scenario.processing)))
	faults := []trusthubsim.Fault{
		{Effect: trusthubsim.EffectDropBefore},
		{Effect: trusthubsim.EffectDropAfter},
		{Effect: trusthubsim.EffectDropAfter, Delay: after},
		{Effect: trusthubsim.EffectTruncateAfter},
		{Effect: trusthubsim.EffectDelay, Delay: before},
		{Effect: trusthubsim.EffectDelay, Delay: before},
		{Effect: trusthubsim.EffectDelayAfter, Delay: after},
		{Effect: trusthubsim.EffectDelayAfter, Delay: after},
		{Effect: trusthubsim.EffectHTML},
		{Effect: trusthubsim.EffectHTMLAfter},
		{Effect: trusthubsim.EffectHTMLAfter, Status: http.StatusOK},
		{Effect: trusthubsim.EffectStatus, Status: http.StatusInternalServerError},
		{Effect: trusthubsim.EffectStatusAfter, Status: http.StatusInternalServerError},
		{Effect: trusthubsim.EffectStatusAfter, Status: http.StatusGatewayTimeout},
		{Effect: trusthubsim.EffectStatus, Status: http.StatusServiceUnavailable, Headers: map[string]string{"Retry-After": "3"}},
		{Effect: trusthubsim.EffectStatus, Status: http.StatusForbidden},
		{Effect: trusthubsim.EffectStatus, Status: http.StatusBadRequest},
		{Effect: trusthubsim.EffectStatus, Status: http.StatusConflict},
		{Effect: trusthubsim.EffectStatus, Status: http.StatusUnprocessableEntity},
	}
	if w.scenario.strained {
		faults = append(faults,
			trusthubsim.Fault{Effect: trusthubsim.EffectStatus, Status: http.StatusTooManyRequests},
			trusthubsim.Fault{Effect: trusthubsim.EffectStatus, Status: http.StatusTooManyRequests, Headers: map[string]string{"Retry-After": "7"}})
	} else {
		faults = append(faults, trusthubsim.Fault{Effect: trusthubsim.EffectStatus, Status: http.StatusUnauthorized})
	}
	i := rng.IntN(len(faults) + 2)
	if i >= len(faults) {
		f.twice = method == http.MethodPost && strings.HasPrefix(path, "/v1/")
		return f
	}
	f.fault = &faults[i]
	return f
}

func (f fate) String() string {
	switch {
	case f.twice:
		return "twice"
	case f.empty:
		return "empty"
	case f.fault == nil:
		return ""
	default:
		return fmt.Sprintf("fault %s %d %s", f.fault.Effect, f.fault.Status, time.Duration(f.fault.Delay).Round(time.Millisecond))
	}
}

func latency(rng *rand.Rand) time.Duration {
	return time.Millisecond + time.Duration(rng.Int64N(int64(60*time.Millisecond)))
}

// tokens has Twilio's accounts change their auth tokens, which the simulator does not: it knows
// one, and the wire turns it into another.
type tokens struct {
	sim  *trusthubsim.Simulator
	real map[string]string
	now  map[string]string
}

func (t *tokens) change(account string) {
	t.now[account] += "x"
}

func (t *tokens) towardsTwilio(r *http.Request) {
	user, password, _ := r.BasicAuth()
	if real, ok := t.real[user]; ok && password == real+t.now[user] {
		r.SetBasicAuth(user, real)
	} else if ok {
		r.SetBasicAuth(user, "revoked")
	}
}

func (t *tokens) fromTwilio(r *http.Request, response *http.Response) {
	sid, ok := strings.CutPrefix(r.URL.Path, "/2010-04-01/Accounts/")
	sid, isAccount := strings.CutSuffix(sid, ".json")
	real := t.real[sid]
	if !ok || !isAccount || real == "" {
		return
	}
	body, err := io.ReadAll(response.Body)
	body = bytes.ReplaceAll(body, []byte(real), []byte(real+t.now[sid]))
	response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
	response.ContentLength = -1
}

// failing ends a body as it ended.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// callbacks is the way of the simulator's callbacks to attestd.
type callbacks struct{ world *world }

func (c callbacks) Do(r *http.Request) (*http.Response, error) {
	w := c.world
	body, _ := io.ReadAll(r.Body)
	if !w.turns.wait(nil, "callback "+r.URL.Path+" "+string(body), nil) {
		return nil, errOver
	}
	form, _ := url.ParseQuery(string(body))
	w.tracef("  callback: %s is %s", form.Get("BundleSid"), form.Get("Status"))
	token := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	id, _, err := w.store.FindByCallbackToken(r.Context(), token)
	if err == nil {
		err = w.receive(onboarding.Callback{
			OnboardingID: id, IdempotencyToken: r.Header.Get("I-Twilio-Idempotency-Token"), ContentType: r.Header.Get("Content-Type"),
			Body: body, BundleSID: form.Get("BundleSid"), Status: form.Get("Status"),
		})
	}
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: r}, nil
}

// digest tells bodies apart without showing them.
func digest(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	h := fnv.New32a()
	h.Write(body)
	return fmt.Sprintf("%08x", h.Sum32())
}

// pass lets virtual time pass.
func (w *world) pass(d time.Duration) {
	<-time.After(d)
	w.turns.after()
}
