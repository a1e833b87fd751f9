package trusthub

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

var errorAnswerNow = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)

var errorAnswers = []struct {
	name   string
	status int
	header string // Retry-After
	body   string
	want   onboarding.RemoteError
}{
	{
		name: "JSON", status: 400,
		body: `{"code": 21628, "message": "Address Validation Error",
			"more_info": "https://www.twilio.com/docs/errors/21628", "status": 400}`,
		want: onboarding.RemoteError{
			Class: onboarding.ClassPermanent, Code: 21628, HTTPStatus: 400,
			Message:  "Address Validation Error",
			MoreInfo: "https://www.twilio.com/docs/errors/21628",
		},
	},
	{
		name: "the code is a string", status: 400, body: `{"code": "21628", "message": "m"}`,
		want: onboarding.RemoteError{
			Class: onboarding.ClassPermanent, Code: 21628, HTTPStatus: 400, Message: "m",
		},
	},
	{
		name: "fields of other types", status: 400,
		body: `{"code": 21628, "message": {"a": 1}, "more_info": null}`,
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
		name: "half of a JSON object", status: 429, header: "7", body: `{"code": 20429, "mess`,
		want: onboarding.RemoteError{
			Class: onboarding.ClassRepeatable, HTTPStatus: 429, RetryAfter: 7 * time.Second,
		},
	},
	{
		name: "a list", status: 403, body: `[]`,
		want: onboarding.RemoteError{Class: onboarding.ClassPermanent, HTTPStatus: 403},
	},
	{
		name: "retry at a date", status: 503,
		header: errorAnswerNow.Add(90 * time.Second).Format(http.TimeFormat),
		want: onboarding.RemoteError{
			Class: onboarding.ClassRepeatable, HTTPStatus: 503, RetryAfter: 90 * time.Second,
		},
	},
	{
		name: "retry in the past", status: 503,
		header: errorAnswerNow.Add(-time.Hour).Format(http.TimeFormat),
		want:   onboarding.RemoteError{Class: onboarding.ClassRepeatable, HTTPStatus: 503},
	},
	{
		name: "retry in a million years", status: 503, header: "31557600000000",
		want: onboarding.RemoteError{
			Class: onboarding.ClassRepeatable, HTTPStatus: 503, RetryAfter: 24 * time.Hour,
		},
	},
	{
		name: "retry at no time", status: 503, header: "soon",
		want: onboarding.RemoteError{Class: onboarding.ClassUnknown, HTTPStatus: 503},
	},
}

func TestAnErrorAnswerIsReadWhateverItsBody(t *testing.T) {
	t.Parallel()
	for _, c := range errorAnswers {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tw := answering(func(w http.ResponseWriter, _ *http.Request) {
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				answer(w, c.status, c.body)
			})
			client := connect(t, tw, "", func(cfg *Config) {
				cfg.Now = func() time.Time { return errorAnswerNow }
				cfg.Random = func() float64 { return 0 }
			})
			_, err := client.CreateEndUser(t.Context(), subSID, anEndUser)
			if got := remote(t, err); *got != c.want {
				t.Errorf("got  %+v\nwant %+v", *got, c.want)
			}
		})
	}
}

func TestAnUnreadableAnswerLeavesTheOutcomeUnknown(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"empty":     "",
		"HTML":      "<html>hello</html>",
		"half":      `{"sid": "IT00`,
		"no SID":    `{"friendly_name": "x"}`,
		"null SID":  `{"sid": null}`,
		"a list":    `[1]`,
		"null":      `null`,
		"too large": `{"sid": "` + strings.Repeat("x", maxBody) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := connect(t, answering(always(201, body)), "")
			_, err := c.CreateEndUser(t.Context(), subSID, anEndUser)
			if r := wantClass(t, err, onboarding.ClassUnknown); r.HTTPStatus != 201 {
				t.Errorf("status is %d", r.HTTPStatus)
			}
			if large := len(body) > maxBody; errors.Is(err, errBodyTooLarge) != large {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestALongMessageIsShortened(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", maxText) // An odd number of bytes would cut a letter in two.
	c := connect(t, answering(always(400, `{"code": 20001, "message": "x`+long+`"}`)), "")
	_, err := c.CreateEndUser(t.Context(), subSID, anEndUser)
	message := remote(t, err).Message
	if len(message) > maxText+len("…") || !strings.HasPrefix(message, "xää") ||
		!strings.HasSuffix(message, "ä…") {
		t.Errorf("the message has %d bytes and ends with %q", len(message), message[len(message)-8:])
	}
}

func TestTheErrorOfALostConnectionShowsNothingPersonal(t *testing.T) {
	t.Parallel()
	reset := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	for _, c := range []struct {
		name  string
		cause error
		text  string
	}{
		{"the end of the stream", io.EOF, "EOF"},
		{"half an answer", io.ErrUnexpectedEOF, "unexpected EOF"},
		{"a reset", reset, "read tcp: connection reset by peer"},
		// net/http quotes what it cannot parse.
		{"another protocol", errors.New(`malformed HTTP response "Secretname"`), "the connection failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client := connect(t, failingWith(c.cause), "")
			_, err := client.CreateEndUser(t.Context(), parentSID, anEndUser)
			wantClass(t, err, onboarding.ClassUnknown)
			if want := "twilio: unknown outcome: " + c.text; err.Error() != want {
				t.Errorf("the error says %q, want %q", err, want)
			}
			if !errors.Is(err, c.cause) {
				t.Errorf("errors.Is(%v, %v) is false", err, c.cause)
			}
		})
	}
}
