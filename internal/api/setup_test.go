package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

const (
	testSubaccount = "AC0123456789abcdef0123456789abcdef"
	testPrimary    = "BU00000000000000000000000000000001"
	testToken      = "4wLkx2bXc9Qv7hYt1dZr"
	testPublicURL  = "https://attestd.example.com"
	testID         = onboarding.ID("onb_01890a5d-ac96-774b-bcce-b302099a8057")
)

var testNow = time.Date(2026, 1, 5, 9, 0, 0, 123456000, time.UTC)

// testBundle is an API with fakes around it. Every answer that goes through it is checked against
// the contract.
type testBundle struct {
	t        *testing.T
	handler  http.Handler
	service  *fakeService
	verifier *fakeVerifier
	keys     *fakeKeys
	log      *syncBuffer
	operator string
	viewer   string
}

func setup(t *testing.T, change ...func(*Config)) *testBundle {
	t.Helper()
	b := &testBundle{
		t:        t,
		service:  &fakeService{byID: map[onboarding.ID]*onboarding.Onboarding{}},
		verifier: &fakeVerifier{},
		keys:     &fakeKeys{known: map[[32]byte]Key{}},
		log:      &syncBuffer{},
	}
	b.operator = b.keys.add("backend", RoleOperator)
	b.viewer = b.keys.add("support", RoleViewer)
	config := Config{
		Service:                  b.service,
		Callbacks:                b.service,
		Keys:                     b.keys,
		Verifier:                 b.verifier,
		Reviews:                  fakeReviews{},
		PublicURL:                testPublicURL,
		DefaultPrimaryProfileSID: testPrimary,
		Now:                      func() time.Time { return testNow },
		Ready:                    func(context.Context) error { return nil },
		Logger:                   slog.New(slog.NewJSONHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&config)
	}
	handler, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	b.handler = handler
	return b
}

// do serves the request and checks the answer against the contract.
func (b *testBundle) do(r *http.Request) answer {
	b.t.Helper()
	recorder := httptest.NewRecorder()
	b.handler.ServeHTTP(recorder, r)
	response := recorder.Result()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	checkAnswer(b.t, r, response, body)
	return answer{status: response.StatusCode, header: response.Header, body: body}
}

// call makes a request as the operator, with v as its JSON body unless v is nil.
func (b *testBundle) call(method, path string, v any) answer {
	b.t.Helper()
	return b.do(b.request(method, path, v))
}

func (b *testBundle) request(method, path string, v any) *http.Request {
	b.t.Helper()
	var body io.Reader
	if v != nil {
		encoded, err := json.Marshal(v)
		if err != nil {
			b.t.Fatal(err)
		}
		body = bytes.NewReader(encoded)
	}
	r := httptest.NewRequest(method, path, body)
	if v != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+b.operator)
	return r
}

// syncBuffer is a log that may be read while it is written.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
