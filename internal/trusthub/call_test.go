package trusthub

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestAFilterReachesTwilioUndamaged(t *testing.T) {
	t.Parallel()
	const name = "Example v1.2 & Sons, 50% + more: onb_1.2"
	tw := answering(always(200, `{"results": [], "meta": {}}`))
	c := connect(t, tw, "")
	_, err := c.FindBundles(t.Context(), parentSID, onboarding.TrustProduct, name, policySID)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(strings.TrimPrefix(tw.seen()[0], "GET "))
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{"FriendlyName": {name}, "PolicySid": {policySID}, "PageSize": {"1000"}}
	if got := u.Query(); !reflect.DeepEqual(got, want) {
		t.Errorf("query is %v, want %v", got, want)
	}
}

func TestAMalformedSIDReachesNoOtherResource(t *testing.T) {
	t.Parallel()
	const bad = profileSID + "/../x?"
	ctx := t.Context()
	for name, call := range map[string]func(*Client) error{
		"a bundle": func(c *Client) error {
			_, err := c.FetchBundle(ctx, subSID, onboarding.CustomerProfile, bad)
			return err
		},
		"the account that signs": func(c *Client) error {
			_, err := c.FetchBundle(ctx, bad, onboarding.CustomerProfile, profileSID)
			return err
		},
		"a kind of bundle": func(c *Client) error {
			_, err := c.FetchBundle(ctx, subSID, 0, profileSID)
			return err
		},
		"no account":  func(c *Client) error { _, err := c.FetchAccount(ctx, ""); return err },
		"an account":  func(c *Client) error { _, err := c.RenameSubaccount(ctx, bad, "tag"); return err },
		"an address":  func(c *Client) error { _, err := c.FetchAddress(ctx, subSID, bad); return err },
		"an end user": func(c *Client) error { _, err := c.FetchEndUser(ctx, subSID, bad); return err },
		"a document":  func(c *Client) error { _, err := c.FetchSupportingDocument(ctx, subSID, bad); return err },
		"all numbers": func(c *Client) error { _, err := c.ListPhoneNumbers(ctx, bad); return err },
		"some numbers": func(c *Client) error {
			_, err := c.FindPhoneNumbers(ctx, bad, []string{numberSID})
			return err
		},
		"a deletion": func(c *Client) error { return c.DeleteBundle(ctx, subSID, onboarding.TrustProduct, bad) },
		"an assignment": func(c *Client) error {
			return c.DeleteNumberAssignment(ctx, subSID, onboarding.TrustProduct, profileSID, bad)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tw := answering(always(200, `{"sid": "`+endUserSID+`", "results": []}`))
			wantClass(t, call(connect(t, tw, "")), onboarding.ClassPermanent)
			if seen := tw.seen(); len(seen) != 0 {
				t.Errorf("Twilio got %q", seen)
			}
		})
	}
}

// silent is a transport that gives no answer, like a server that is stuck. It counts the requests.
type silent struct{ asked chan struct{} }

func (s silent) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked <- struct{}{}
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}

func TestTheTimeoutIsForOneRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		transport := silent{make(chan struct{}, 1)}
		c := connect(t, transport, "", func(cfg *Config) { cfg.Timeout = 3 * time.Second })
		begun := time.Now()
		_, err := c.CreateEndUser(t.Context(), parentSID, anEndUser)
		wantClass(t, err, onboarding.ClassUnknown)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error is %v", err)
		}
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestAContextThatIsOverSendsNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tw := answering(always(201, endUserAnswer))
	c := connect(t, tw, "")
	for _, account := range []string{parentSID, subSID} {
		_, err := c.CreateEndUser(ctx, account, anEndUser)
		wantClass(t, err, onboarding.ClassRepeatable)
	}
	if seen := tw.seen(); len(seen) != 0 {
		t.Errorf("Twilio got %q", seen)
	}
}

func TestTheLogHasALineForEachRequestAndNothingPersonal(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	tw := answering(func(w http.ResponseWriter, r *http.Request) {
		now = now.Add(1500 * time.Millisecond)
		if r.Method == http.MethodPost {
			answer(w, 400, `{"code": 21628, "message": "Secretname"}`)
			return
		}
		answer(w, 200, `{"incoming_phone_numbers": []}`)
	})
	c := connect(t, tw, "", func(cfg *Config) {
		cfg.Logger = slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
		cfg.Now = func() time.Time { return now }
	})
	c.CreateEndUser(t.Context(), subSID, anEndUser)
	c.FindPhoneNumbers(t.Context(), subSID, []string{"+15005550100"})

	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines for 3 requests:\n%s", len(lines), &text)
	}
	for _, part := range []string{
		"method=POST", "path=/v1/EndUsers", "status=400", "code=21628", "account=" + subSID,
		"class=permanent", "duration=1.5s",
	} {
		if !strings.Contains(lines[1], part) {
			t.Errorf("the line has no %q: %s", part, lines[1])
		}
	}
	for _, secret := range []string{"Secretname", "5550100", subToken, parentToken, "PageSize"} {
		if strings.Contains(text.String(), secret) {
			t.Errorf("the log shows %q:\n%s", secret, &text)
		}
	}
}

func TestCallsAreSignedWithTheCredentialsOfTheirAccount(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for _, c := range []struct {
		name, path, signer string
		call               func(*Client) error
	}{
		{"the parent's bundle", "/v1/CustomerProfiles/" + profileSID, parentSID, func(c *Client) error {
			_, err := c.FetchBundle(ctx, parentSID, onboarding.CustomerProfile, profileSID)
			return err
		}},
		{"a subaccount's bundle", "/v1/TrustProducts/" + profileSID, subSID, func(c *Client) error {
			_, err := c.FetchBundle(ctx, subSID, onboarding.TrustProduct, profileSID)
			return err
		}},
		{"a subaccount's addresses", "/2010-04-01/Accounts/" + subSID + "/Addresses.json", subSID,
			func(c *Client) error { _, err := c.FindAddresses(ctx, subSID, "tag"); return err }},
		// The parent's credentials reach these, so that no token is needed.
		{"a subaccount's numbers", "/2010-04-01/Accounts/" + subSID + "/IncomingPhoneNumbers.json", parentSID,
			func(c *Client) error { _, err := c.ListPhoneNumbers(ctx, subSID); return err }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var path, signer string
			tw := answering(func(w http.ResponseWriter, r *http.Request) {
				path = r.URL.Path
				signer, _, _ = r.BasicAuth()
				answer(w, 200, `{"sid": "`+profileSID+`", "incoming_phone_numbers": [], "addresses": []}`)
			})
			if err := c.call(connect(t, tw, "")); err != nil {
				t.Fatal(err)
			}
			if path != c.path || signer != c.signer {
				t.Errorf("%s was signed by %s, want %s by %s", path, signer, c.path, c.signer)
			}
		})
	}
}
