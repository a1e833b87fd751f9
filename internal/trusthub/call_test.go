package trusthub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

const endUserAnswer = `{"sid": "` + endUserSID + `", "date_created": "2026-02-03T04:05:06Z"}`

var anEndUser = onboarding.EndUser{FriendlyName: "tag", Type: "authorized_representative_1", Attributes: map[string]string{"first_name": "Secretname"}}

func createEndUser(c *Client) (onboarding.Object, error) {
	return c.CreateEndUser(context.Background(), subSID, anEndUser)
}

func TestNewNamesWhatIsWrongWithItsConfiguration(t *testing.T) {
	t.Parallel()
	for want, edit := range map[string]func(*Config){
		"account SID":   func(c *Config) { c.AccountSID = "AC/../x" },
		"auth token":    func(c *Config) { c.AuthToken = "" },
		"API URL":       func(c *Config) { c.APIURL = "ftp://api.example.com" },
		"Trust Hub URL": func(c *Config) { c.TrustHubURL = "https://trusthub.example.com/v1" },
	} {
		cfg := Config{AccountSID: parentSID, AuthToken: parentToken}
		edit(&cfg)
		_, err := New(cfg)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New: %v, want an error that names the %s", err, want)
		}
		if err != nil && strings.Contains(err.Error(), parentToken) {
			t.Errorf("New: the error holds the token")
		}
	}
}

func TestTwiliosErrorIsKeptWhateverTheBody(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, c := range []struct {
		name   string
		status int
		header string // Retry-After
		body   string
		want   onboarding.RemoteError
	}{
		{
			name: "JSON", status: 400,
			body: `{"code": 21628, "message": "Address Validation Error", "more_info": "https://www.twilio.com/docs/errors/21628", "status": 400}`,
			want: onboarding.RemoteError{Class: onboarding.ClassPermanent, Code: 21628, HTTPStatus: 400, Message: "Address Validation Error", MoreInfo: "https://www.twilio.com/docs/errors/21628"},
		},
		{
			name: "the code a string", status: 400, body: `{"code": "21628", "message": "m"}`,
			want: onboarding.RemoteError{Class: onboarding.ClassPermanent, Code: 21628, HTTPStatus: 400, Message: "m"},
		},
		{
			name: "fields of other types", status: 400, body: `{"code": 21628, "message": {"a": 1}, "more_info": null}`,
			want: onboarding.RemoteError{Class: onboarding.ClassPermanent, Code: 21628, HTTPStatus: 400},
		},
		{
			name: "HTML", status: 502, body: "<html><body>Bad Gateway</body></html>",
			want: onboarding.RemoteError{Class: onboarding.ClassUnknown, HTTPStatus: 502},
		},
		{
			name: "empty", status: 404, body: "",
			want: onboarding.RemoteError{Class: onboarding.ClassPermanent, HTTPStatus: 404},
		},
		{
			name: "cut JSON", status: 429, header: "7", body: `{"code": 20429, "mess`,
			want: onboarding.RemoteError{Class: onboarding.ClassRepeatable, HTTPStatus: 429, RetryAfter: 7 * time.Second},
		},
		{
			name: "a list", status: 403, body: `[]`,
			want: onboarding.RemoteError{Class: onboarding.ClassPermanent, HTTPStatus: 403},
		},
		{
			name: "come again at a date", status: 503, header: now.Add(90 * time.Second).Format(http.TimeFormat),
			want: onboarding.RemoteError{Class: onboarding.ClassRepeatable, HTTPStatus: 503, RetryAfter: 90 * time.Second},
		},
		{
			name: "come again in the past", status: 503, header: now.Add(-time.Hour).Format(http.TimeFormat),
			want: onboarding.RemoteError{Class: onboarding.ClassRepeatable, HTTPStatus: 503},
		},
		{
			name: "come again in a million years", status: 503, header: "31557600000000",
			want: onboarding.RemoteError{Class: onboarding.ClassRepeatable, HTTPStatus: 503, RetryAfter: 24 * time.Hour},
		},
		{
			name: "come again nonsense", status: 503, header: "soon",
			want: onboarding.RemoteError{Class: onboarding.ClassUnknown, HTTPStatus: 503},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tw := answering(func(w http.ResponseWriter, _ *http.Request) {
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				answer(w, c.status, c.body)
			})
			client := connect(t, tw, "", func(cfg *Config) {
				cfg.Now = func() time.Time { return now }
				cfg.Random = func() float64 { return 0 }
			})
			_, err := createEndUser(client)
			if got := remote(t, err); *got != c.want {
				t.Errorf("got  %+v\nwant %+v", *got, c.want)
			}
		})
	}
}

func TestAnAnswerThatCannotBeReadLeavesTheOutcomeUnknown(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"empty":       "",
		"HTML":        "<html>hello</html>",
		"cut":         `{"sid": "IT00`,
		"no SID":      `{"friendly_name": "x"}`,
		"null SID":    `{"sid": null}`,
		"a list":      `[1]`,
		"null":        `null`,
		"over limits": `{"sid": "` + strings.Repeat("x", maxBody) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := createEndUser(connect(t, answering(always(201, body)), ""))
			if r := wantClass(t, err, onboarding.ClassUnknown); r.HTTPStatus != 201 {
				t.Errorf("status is %d", r.HTTPStatus)
			}
			if large := len(body) > maxBody; errors.Is(err, errBodyTooLarge) != large {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestADateInAnyFormCostsNoSID(t *testing.T) {
	t.Parallel()
	at := time.Date(2015, 7, 30, 20, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Time{
		`"2015-07-30T20:00:00Z"`:            at,
		`"2015-07-30T22:00:00+02:00"`:       at,
		`"Thu, 30 Jul 2015 20:00:00 +0000"`: at,
		`"Thu, 30 Jul 2015 20:00:00 GMT"`:   at,
		`null`:                              {},
		`"yesterday"`:                       {},
		`1438286400`:                        {},
	} {
		o, err := createEndUser(connect(t, answering(always(201, `{"date_created": `+value+`, "sid": "`+endUserSID+`"}`)), ""))
		if err != nil || o.SID != endUserSID || !o.CreatedAt.Equal(want) {
			t.Errorf("date_created %s: %+v, %v; want %v", value, o, err, want)
		}
	}
}

func TestARedirectIsAnErrorAndIsNotFollowed(t *testing.T) {
	t.Parallel()
	var strayed atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	defer elsewhere.Close()
	tw := answering(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	server := httptest.NewServer(tw)
	defer server.Close()
	c := connect(t, nil, server.URL)

	_, err := createEndUser(c)
	wantClass(t, err, onboarding.ClassUnknown)
	_, err = c.FetchBundle(context.Background(), subSID, onboarding.CustomerProfile, profileSID)
	if r := wantClass(t, err, onboarding.ClassPermanent); r.HTTPStatus != 307 {
		t.Errorf("status is %d", r.HTTPStatus)
	}
	if strayed.Load() != 0 {
		t.Error("the redirect was followed")
	}
}

func TestAFilterReachesTwilioAsItIs(t *testing.T) {
	t.Parallel()
	const name = "Example v1.2 & Sons, 50% + more: onb_1.2"
	tw := answering(always(200, `{"results": [], "meta": {}}`))
	_, err := connect(t, tw, "").FindBundles(context.Background(), subSID, onboarding.TrustProduct, name, policySID)
	if err != nil {
		t.Fatal(err)
	}
	requests := tw.seen()
	u, err := url.Parse(strings.TrimPrefix(requests[len(requests)-1], "GET "))
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{"FriendlyName": {name}, "PolicySid": {policySID}, "PageSize": {"1000"}}
	if got := u.Query(); !reflect.DeepEqual(got, want) {
		t.Errorf("query is %v, want %v", got, want)
	}
}

func TestTheEnvironmentOfTheLibraryChangesNoHost(t *testing.T) {
	t.Setenv("TWILIO_REGION", "ie1")
	t.Setenv("TWILIO_EDGE", "dublin")
	var hosts []string
	tw := answering(func(w http.ResponseWriter, r *http.Request) {
		hosts = append(hosts, r.URL.Scheme+"://"+r.Host)
		answer(w, 201, endUserAnswer)
	})
	if _, err := createEndUser(connect(t, tw, "")); err != nil {
		t.Fatal(err)
	}
	if want := []string{DefaultTrustHubURL}; !reflect.DeepEqual(hosts, want) {
		t.Errorf("requests went to %v, want %v", hosts, want)
	}
}

func TestASIDCannotReachAnotherResource(t *testing.T) {
	t.Parallel()
	tw := answering(always(200, `{"sid": "x"}`))
	c := connect(t, tw, "")
	ctx := context.Background()
	const bad = profileSID + "/../x?"
	_, first := c.FetchBundle(ctx, subSID, onboarding.CustomerProfile, bad)
	_, second := c.FetchBundle(ctx, bad, onboarding.CustomerProfile, profileSID)
	_, third := c.FetchAccount(ctx, "")
	_, fourth := c.FetchBundle(ctx, subSID, 0, profileSID)
	_, fifth := c.FindPhoneNumbers(ctx, bad, []string{numberSID})
	for i, err := range []error{first, second, third, fourth, fifth, c.DeleteBundle(ctx, subSID, onboarding.TrustProduct, bad)} {
		if err == nil {
			t.Fatalf("call %d was made", i)
		}
		wantClass(t, err, onboarding.ClassPermanent)
	}
	if seen := tw.seen(); len(seen) != 0 {
		t.Errorf("Twilio saw %q", seen)
	}
}

// broken fails like a network, in the middle of things.
type broken struct{ err error }

func (b broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, b.err }

func TestALostConnectionLeavesTheOutcomeUnknown(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{io.EOF, io.ErrUnexpectedEOF, errors.New("malformed HTTP response \"Secretname\"")} {
		c := connect(t, broken{&url.Error{Op: "Post", URL: "https://trusthub.example.com/?PhoneNumber=15550100", Err: cause}}, "")
		_, err := c.CreateEndUser(context.Background(), parentSID, anEndUser)
		wantClass(t, err, onboarding.ClassUnknown)
		if !errors.Is(err, cause) {
			t.Errorf("errors.Is(%v, %v) is false", err, cause)
		}
		if text := err.Error(); strings.Contains(text, "15550100") || strings.Contains(text, "Secretname") {
			t.Errorf("the error tells personal data: %s", text)
		}
	}
}

func TestNothingIsLeftBehindByARefusedConnection(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, err := connect(t, nil, server.URL).CreateEndUser(context.Background(), parentSID, anEndUser)
	wantClass(t, err, onboarding.ClassRepeatable)
}

func TestAResetAfterTheRequestLeavesTheOutcomeUnknown(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	_, err := connect(t, nil, server.URL).CreateEndUser(context.Background(), parentSID, anEndUser)
	wantClass(t, err, onboarding.ClassUnknown)
}

func TestAPostIsSentOnce(t *testing.T) {
	t.Parallel()
	var posts atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts.Add(1)
			panic(http.ErrAbortHandler)
		}
		answer(w, 200, endUserAnswer)
	}))
	defer server.Close()
	c := connect(t, nil, server.URL)
	// The connection is in use already: on such a one net/http would repeat what it takes for repeatable.
	if _, err := c.FetchBundle(context.Background(), parentSID, onboarding.CustomerProfile, profileSID); err != nil {
		t.Fatal(err)
	}
	_, err := c.CreateEndUser(context.Background(), parentSID, anEndUser)
	wantClass(t, err, onboarding.ClassUnknown)
	if n := posts.Load(); n != 1 {
		t.Errorf("the POST came %d times", n)
	}
}

func TestACutBodyLeavesTheOutcomeUnknownOnlyIfTheStatusIsGood(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]onboarding.Class{
		201: onboarding.ClassUnknown,
		403: onboarding.ClassPermanent,
		429: onboarding.ClassRepeatable,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(status)
			fmt.Fprint(w, endUserAnswer)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}))
		_, err := connect(t, nil, server.URL).CreateEndUser(context.Background(), parentSID, anEndUser)
		wantClass(t, err, want)
		server.Close()
	}
}

func TestBodiesAreClosedAndConnectionsUsedAgain(t *testing.T) {
	t.Parallel()
	var dialled atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			answer(w, 400, `{"code": 20001, "message": "`+strings.Repeat("m", 1<<16)+`"}`)
			return
		}
		answer(w, 201, endUserAnswer)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			dialled.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c := connect(t, nil, server.URL)
	for range 10 {
		if _, err := c.CreateEndUser(context.Background(), parentSID, anEndUser); err != nil {
			t.Fatal(err)
		}
		_, err := c.FetchBundle(context.Background(), parentSID, onboarding.CustomerProfile, profileSID)
		if r := wantClass(t, err, onboarding.ClassPermanent); len(r.Message) > 2100 {
			t.Errorf("the message has %d bytes", len(r.Message))
		}
	}
	if n := dialled.Load(); n != 1 {
		t.Errorf("%d connections for calls one after the other, want 1", n)
	}
}

// silent never answers; it waits for the request's context.
type silent struct{ asked chan struct{} }

func (s silent) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked <- struct{}{}
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}

func TestTheTimeoutIsForOneRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, silent{make(chan struct{}, 1)}, "", func(cfg *Config) { cfg.Timeout = 3 * time.Second })
		begun := time.Now()
		_, err := c.CreateEndUser(context.Background(), parentSID, anEndUser)
		wantClass(t, err, onboarding.ClassUnknown)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error is %v", err)
		}
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestACanceledContextEndsTheCall(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		close(arrived)
		<-r.Context().Done()
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-arrived
		cancel()
	}()
	_, err := connect(t, nil, server.URL).CreateEndUser(ctx, parentSID, anEndUser)
	wantClass(t, err, onboarding.ClassUnknown)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

func TestAContextThatIsOverSendsNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	tw := answering(always(201, endUserAnswer))
	c := connect(t, tw, "")
	for _, account := range []string{parentSID, subSID} {
		_, err := c.CreateEndUser(ctx, account, anEndUser)
		wantClass(t, err, onboarding.ClassRepeatable)
	}
	if seen := tw.seen(); len(seen) != 0 {
		t.Errorf("Twilio saw %q", seen)
	}
}

func TestTheLogHasALineForEachRequestAndNothingPersonal(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	tw := answering(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			answer(w, 400, `{"code": 21628, "message": "Secretname"}`)
			return
		}
		answer(w, 200, `{"incoming_phone_numbers": []}`)
	})
	c := connect(t, tw, "", func(cfg *Config) {
		cfg.Logger = slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	createEndUser(c)
	c.FindPhoneNumbers(context.Background(), subSID, []string{"+15005550100"})

	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines for 3 requests:\n%s", len(lines), &text)
	}
	for _, part := range []string{"method=POST", "path=/v1/EndUsers", "status=400", "code=21628", "account=" + subSID, "class=permanent", "duration="} {
		if !strings.Contains(lines[1], part) {
			t.Errorf("the line has no %q: %s", part, lines[1])
		}
	}
	for _, secret := range []string{"Secretname", "5550100", subToken, parentToken, "PageSize"} {
		if strings.Contains(text.String(), secret) {
			t.Errorf("the log holds %q:\n%s", secret, &text)
		}
	}
}
