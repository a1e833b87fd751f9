package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestWhatIsNotThereIsAProblem(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		method, path string
		want         int
		problem      string
		allow        string
	}{
		{http.MethodGet, "/", 404, "not-found", ""},
		{http.MethodGet, "/onboarding", 404, "not-found", ""},
		{http.MethodGet, "/onboardings/", 404, "not-found", ""},
		{http.MethodPost, "/webhooks/twilio/", 404, "not-found", ""},
		{http.MethodDelete, "/onboardings", 405, "method-not-allowed", "GET, POST"},
		{http.MethodPut, "/onboardings/" + string(testID), 405, "method-not-allowed", "GET, PATCH"},
		{http.MethodGet, "/onboardings/" + string(testID) + "/resume", 405, "method-not-allowed", "POST"},
		{http.MethodGet, "/webhooks/twilio/" + testToken, 405, "method-not-allowed", "POST"},
		{http.MethodPost, "/livez", 405, "method-not-allowed", "GET"},
	} {
		a := setup(t).call(test.method, test.path, nil)
		if p := a.problem(t); a.status != test.want || p.Type != "urn:attestd:problem:"+test.problem || p.Status != test.want {
			t.Errorf("%s %s: status %d, type %s", test.method, test.path, a.status, p.Type)
		}
		if got := a.header.Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("%s %s: Content-Type %s", test.method, test.path, got)
		}
		if got := a.header.Get("Allow"); got != test.allow {
			t.Errorf("%s %s: Allow %q, want %q", test.method, test.path, got, test.allow)
		}
	}
}

func TestBodiesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	large := `{"subaccount_sid": "` + strings.Repeat("x", maxBody) + `"}`
	for name, test := range map[string]struct {
		contentType, body string
		want              int
		problem           string
		detail            string
	}{
		"no JSON":             {"application/json", `{"subaccount_sid": }`, 400, "malformed-body", "The body is not valid JSON at byte 20."},
		"half a document":     {"application/json", `{"subaccount_sid": "AC`, 400, "malformed-body", "The body is not valid JSON at byte 22."},
		"two documents":       {"application/json", `{} {}`, 400, "malformed-body", ""},
		"a document and more": {"application/json", `{} x`, 400, "malformed-body", ""},
		"no UTF-8":            {"application/json", "{\"external_id\": \"\xff\"}", 400, "malformed-body", "The body is not in UTF-8."},
		"nested too deep":     {"application/json", strings.Repeat("[", 20000), 400, "malformed-body", ""},
		"a member twice":      {"application/json", `{"a": [{"b": 1, "c": {"b": 1}}, {"b": 1, "\u0062": 2}]}`, 400, "malformed-body", "The member at /a/1/b is there twice."},
		"the same apart":      {"application/json", `{"a": {"b": ["b", "b", {"b": {}}], "c": "c"}, "b": {"b": []}}`, 422, "validation-failed", ""},
		"a form":              {"application/x-www-form-urlencoded", "a=b", 415, "unsupported-media-type", ""},
		"no media type":       {"", "{}", 415, "unsupported-media-type", ""},
		"a broken media type": {"application/json; charset", "{}", 415, "unsupported-media-type", ""},
		"another charset":     {"application/json; charset=latin1", "{}", 415, "unsupported-media-type", ""},
		"too large":           {"application/json", large, 413, "body-too-large", "The body may have 1048576 bytes at most."},
		"no body":             {"application/json", "", 422, "validation-failed", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			r := b.request(http.MethodPost, "/onboardings", nil)
			r.Body = io.NopCloser(strings.NewReader(test.body))
			r.Header.Set("Content-Type", test.contentType)
			a := b.do(r)
			p := a.problem(t)
			if a.status != test.want || p.Type != "urn:attestd:problem:"+test.problem {
				t.Errorf("status %d, type %s, want %d %s", a.status, p.Type, test.want, test.problem)
			}
			if test.detail != "" && p.Detail != test.detail {
				t.Errorf("detail %q, want %q", p.Detail, test.detail)
			}
		})
	}
}

func TestABodyOfExactlyTheLimitIsRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.request(http.MethodPost, "/onboardings", nil)
	r.Header.Set("Content-Type", "application/json; charset=UTF-8")
	r.Body = io.NopCloser(strings.NewReader("{}" + strings.Repeat(" ", maxBody-2)))
	if a := b.do(r); a.status != http.StatusUnprocessableEntity {
		t.Errorf("status %d: %s", a.status, a.body)
	}
}

func TestAFaultOfOursSaysNothingOfItself(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*fakeService){
		"an error": func(s *fakeService) { s.err = errors.New("relation onboardings does not exist") },
		"a panic":  func(s *fakeService) { s.panics = "relation onboardings does not exist" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			fail(b.service)
			a := b.call(http.MethodGet, "/onboardings/"+string(testID), nil)
			p := a.problem(t)
			if a.status != http.StatusInternalServerError || p.Type != "urn:attestd:problem:internal" {
				t.Errorf("status %d, type %s", a.status, p.Type)
			}
			if strings.Contains(string(a.body), "relation") {
				t.Errorf("the answer says what went wrong: %s", a.body)
			}
			id := a.header.Get("X-Request-Id")
			if value(p.Instance) != "urn:attestd:request:"+id || !strings.Contains(b.log.String(), id) {
				t.Errorf("instance %v cannot be found in the log", p.Instance)
			}
		})
	}
}

func TestAPanicIsLoggedWithoutItsValueUnlessTheRuntimeMadeIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.service.panics = "Example Plumbing LLC"
	b.call(http.MethodGet, "/onboardings", nil)
	if log := b.log.String(); strings.Contains(log, "Plumbing") || !strings.Contains(log, "fakeService") {
		t.Errorf("the log should have the stack and not the value: %s", log)
	}
	b = setup(t)
	b.service.panics = func() (value any) {
		defer func() { value = recover() }()
		return make([]int, 1)[len(b.keys.known)]
	}()
	b.call(http.MethodGet, "/onboardings", nil)
	if log := b.log.String(); !strings.Contains(log, "index out of range") {
		t.Errorf("the log should have what the runtime says: %s", log)
	}
}

func TestAnAnswerThatTookTooLongMayBeAskedForAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.service.err = fmt.Errorf("get onboarding: %w", context.DeadlineExceeded)
	a := b.call(http.MethodGet, "/onboardings/"+string(testID), nil)
	if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("status %d, Retry-After %q", a.status, a.header.Get("Retry-After"))
	}
}

func TestNotReady(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) {
		c.Ready = func(context.Context) error { return errors.New("database at 10.0.0.1 is away") }
	})
	a := b.call(http.MethodGet, "/readyz", nil)
	if a.status != http.StatusServiceUnavailable || strings.Contains(string(a.body), "10.0.0.1") {
		t.Errorf("status %d: %s", a.status, a.body)
	}
	if !strings.Contains(b.log.String(), "10.0.0.1") {
		t.Error("the log does not say why")
	}
	if a := b.call(http.MethodGet, "/livez", nil); a.status != http.StatusOK {
		t.Errorf("livez: status %d", a.status)
	}
}

func TestARequestKeepsTheNameItCameWith(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sent string
		kept bool
	}{
		"a name":          {"order-42.a_B", true},
		"none":            {"", false},
		"too long":        {strings.Repeat("x", 129), false},
		"with line break": {"a\nb", false},
		"with spaces":     {"a b", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			r := b.request(http.MethodGet, "/livez", nil)
			r.Header["X-Request-Id"] = []string{test.sent}
			got := b.do(r).header.Get("X-Request-Id")
			if test.kept && got != test.sent {
				t.Errorf("got %q, want %q", got, test.sent)
			}
			if _, err := uuid.Parse(got); !test.kept && err != nil {
				t.Errorf("got %q, want a new UUID", got)
			}
			if !strings.Contains(b.log.String(), `"request_id":"`+got+`"`) {
				t.Error("the log does not name the request")
			}
		})
	}
}

func TestAnAnswerThatHasBegunIsCutOffByAPanic(t *testing.T) {
	t.Parallel()
	b := setup(t)
	handler := requestID(slog.New(slog.DiscardHandler))(wrapped(recoverPanics(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half an")
		panic("answer")
	}))))
	defer func() {
		if value := recover(); value != http.ErrAbortHandler { //nolint:errorlint // A panic's value.
			t.Errorf("panic value %v, want http.ErrAbortHandler", value)
		}
	}()
	handler.ServeHTTP(httptest.NewRecorder(), b.request(http.MethodGet, "/livez", nil))
}
