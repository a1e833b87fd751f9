package trusthub

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestCallsAreSignedWithTheCredentialsOfTheirAccount(t *testing.T) {
	t.Parallel()
	var signers []string
	tw := answering(func(w http.ResponseWriter, r *http.Request) {
		account, _, _ := r.BasicAuth()
		signers = append(signers, r.URL.Path[:strings.LastIndex(r.URL.Path, "/")+1]+" "+account)
		answer(w, 200, `{"sid": "x1x", "incoming_phone_numbers": [], "addresses": []}`)
	})
	c := connect(t, tw, "")
	ctx := context.Background()
	if got := c.ParentAccount(); got != parentSID {
		t.Errorf("ParentAccount is %s", got)
	}
	for _, call := range []func() error{
		func() error {
			_, err := c.FetchBundle(ctx, parentSID, onboarding.CustomerProfile, profileSID)
			return err
		},
		func() error { _, err := c.FetchBundle(ctx, subSID, onboarding.TrustProduct, profileSID); return err },
		func() error { _, err := c.FindAddresses(ctx, subSID, "tag"); return err },
		func() error { _, err := c.FindPhoneNumbers(ctx, subSID, []string{"+15005550100"}); return err },
	} {
		if err := call(); err != nil {
			t.Fatal(err)
		}
	}
	want := strings.Join([]string{
		"/v1/CustomerProfiles/ " + parentSID,
		"/v1/TrustProducts/ " + subSID,
		"/2010-04-01/Accounts/" + subSID + "/ " + subSID,
		"/2010-04-01/Accounts/" + subSID + "/ " + parentSID,
	}, "\n")
	if got := strings.Join(signers, "\n"); got != want {
		t.Errorf("signed:\n%s\nwant:\n%s", got, want)
	}
}

func TestAFetchedAccountBringsItsToken(t *testing.T) {
	t.Parallel()
	tw := answering(always(201, endUserAnswer))
	c := connect(t, tw, "")
	account, err := c.FetchAccount(context.Background(), subSID)
	if want := (onboarding.Account{SID: subSID, OwnerSID: parentSID, Status: "active"}); err != nil || account != want {
		t.Fatalf("FetchAccount: %+v, %v; want %+v", account, err, want)
	}
	for range 3 {
		if _, err := createEndUser(c); err != nil {
			t.Fatal(err)
		}
	}
	if tw.fetches != 1 {
		t.Errorf("the account was fetched %d times, want once", tw.fetches)
	}
}

func TestConcurrentCallsFetchATokenOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		tw := answering(always(201, endUserAnswer))
		inner := tw.Handler
		tw.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				<-gate
			}
			inner.ServeHTTP(w, r)
		})
		c := connect(t, tw, "")
		var calls sync.WaitGroup
		for range 8 {
			calls.Go(func() {
				if _, err := createEndUser(c); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(gate)
		calls.Wait()
		if tw.fetches != 1 {
			t.Errorf("the account was fetched %d times, want once", tw.fetches)
		}
	})
}

func TestAFetchGivenUpByOneIsMadeByAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first := make(chan struct{})
		tw := answering(always(201, endUserAnswer))
		inner := tw.Handler
		fetches := 0
		tw.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				if fetches++; fetches == 1 {
					<-first
				}
			}
			inner.ServeHTTP(w, r)
		})
		// What was given up is lost, whatever the handler still answers.
		c := connect(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			response, _ := tw.RoundTrip(r)
			if err := r.Context().Err(); err != nil {
				return nil, err
			}
			return response, nil
		}), "")

		ctx, cancel := context.WithCancel(context.Background())
		var calls sync.WaitGroup
		calls.Go(func() {
			_, err := c.CreateEndUser(ctx, subSID, anEndUser)
			wantClass(t, err, onboarding.ClassRepeatable)
		})
		synctest.Wait()
		calls.Go(func() {
			if _, err := createEndUser(c); err != nil {
				t.Errorf("the one that waited: %v", err)
			}
		})
		synctest.Wait()
		cancel()
		close(first)
		calls.Wait()
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAChangedTokenIsFetchedAnewAndTheCallMadeOnceMore(t *testing.T) {
	t.Parallel()
	tw := answering(always(201, endUserAnswer))
	c := connect(t, tw, "")
	if _, err := createEndUser(c); err != nil {
		t.Fatal(err)
	}
	tw.token = "rotated"
	if _, err := createEndUser(c); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"GET /2010-04-01/Accounts/" + subSID + ".json", "POST /v1/EndUsers", // at first
		"POST /v1/EndUsers", "GET /2010-04-01/Accounts/" + subSID + ".json", "POST /v1/EndUsers", // 401, fetch, repeat
	}
	if got := tw.seen(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("requests:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestCredentialsThatAreRefusedTwiceAreRefused(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]struct {
		status int
		body   string
	}{
		"401":                {401, `{"code": 20003, "message": "Authenticate"}`},
		"401 without a body": {401, ``},
		"403 with the code":  {403, `{"code": 20003}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tw := answering(always(refusal.status, refusal.body))
			_, err := createEndUser(connect(t, tw, ""))
			wantClass(t, err, onboarding.ClassCredentials)
			if seen := tw.seen(); len(seen) != 4 || tw.fetches != 2 {
				t.Errorf("requests: %q; want a fetch, the call, a fetch, the call", seen)
			}
			if text := err.Error(); strings.Contains(text, subToken) {
				t.Error("the error holds the token")
			}
		})
	}
}

func TestTheParentsRefusedCredentialsAreNotTriedAgain(t *testing.T) {
	t.Parallel()
	tw := answering(always(500, ""))
	c := connect(t, tw, "", func(cfg *Config) { cfg.AuthToken = "wrong" })
	_, err := c.FetchAccount(context.Background(), subSID)
	wantClass(t, err, onboarding.ClassCredentials)
	_, err = createEndUser(c)
	wantClass(t, err, onboarding.ClassCredentials)
	if seen := tw.seen(); len(seen) != 2 {
		t.Errorf("requests: %q; want one for each call", seen)
	}
}

func TestAnAccountWithoutATokenIsAMatterOfCredentials(t *testing.T) {
	t.Parallel()
	c := connect(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		return (&twilio{Handler: always(200, `{"sid": "`+subSID+`", "status": "active"}`)}).RoundTrip(r)
	}), "")
	_, err := createEndUser(c)
	wantClass(t, err, onboarding.ClassCredentials)
}

func TestAnotherAccountsTokenIsNotTaken(t *testing.T) {
	t.Parallel()
	c := connect(t, &twilio{Handler: always(200, `{"sid": "`+parentSID+`", "auth_token": "another"}`)}, "")
	_, err := c.FetchAccount(context.Background(), subSID)
	wantClass(t, err, onboarding.ClassUnknown)
	if token := c.tokens.peek(subSID); token != "" {
		t.Error("the token was kept")
	}
}

func TestACallWhoseTokenCannotBeHadWasNotMade(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fetch http.HandlerFunc
		want  onboarding.Class
	}{
		"server error": {always(500, ""), onboarding.ClassRepeatable},
		"unreadable":   {always(200, "<html>"), onboarding.ClassRepeatable},
		"not there":    {always(404, `{"code": 20404}`), onboarding.ClassPermanent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			posts := 0
			client := connect(t, &twilio{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet {
					posts++
				}
				c.fetch(w, r)
			})}, "")
			_, err := createEndUser(client)
			wantClass(t, err, c.want)
			// An account that is not there is no proof that the resource is not.
			wantClass(t, client.DeleteEndUser(context.Background(), subSID, endUserSID), c.want)
			if posts != 0 {
				t.Errorf("%d calls were made without a token", posts)
			}
		})
	}
}

func TestATokenThatCannotBeFetchedAnewLeavesNothingUnknown(t *testing.T) {
	t.Parallel()
	tw := answering(always(201, endUserAnswer))
	inner, down := tw.Handler, false
	tw.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down && r.Method == http.MethodGet {
			panic(http.ErrAbortHandler)
		}
		inner.ServeHTTP(w, r)
	})
	c := connect(t, roundTripper(func(r *http.Request) (response *http.Response, err error) {
		defer func() {
			if recover() != nil {
				err = errors.New("connection lost")
			}
		}()
		return tw.RoundTrip(r)
	}), "")
	if _, err := createEndUser(c); err != nil {
		t.Fatal(err)
	}
	tw.token, down = "rotated", true
	_, err := createEndUser(c)
	wantClass(t, err, onboarding.ClassRepeatable)
}
