package trusthub

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/attestd/attestd/internal/onboarding"
)

// createEndUser makes a call that needs the subaccount's token.
func createEndUser(t *testing.T, c *Client) error {
	t.Helper()
	_, err := c.CreateEndUser(t.Context(), subSID, anEndUser)
	return err
}

// fetching runs f before each fetch of a token. A fetch whose context ended meanwhile has no
// answer.
func fetching(tw *twilio, f func() error) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodGet {
			if err := f(); err != nil {
				return nil, err
			}
		}
		return tw.RoundTrip(r)
	}
}

func TestAFetchedAccountBringsItsToken(t *testing.T) {
	t.Parallel()
	tw := answering(always(201, endUserAnswer))
	c := connect(t, tw, "")
	account, err := c.FetchAccount(t.Context(), subSID)
	want := onboarding.Account{SID: subSID, OwnerSID: parentSID, Status: "active"}
	if err != nil || account != want {
		t.Fatalf("FetchAccount: %+v, %v; want %+v", account, err, want)
	}
	for range 3 {
		if err := createEndUser(t, c); err != nil {
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
		c := connect(t, fetching(tw, func() error { <-gate; return nil }), "")
		var calls sync.WaitGroup
		for range 8 {
			calls.Go(func() {
				if err := createEndUser(t, c); err != nil {
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

func TestAFetchThatItsCallerGivesUpIsMadeByAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate, fetches := make(chan struct{}), 0
		tw := answering(always(201, endUserAnswer))
		c := connect(t, fetching(tw, func() error {
			if fetches++; fetches == 1 {
				<-gate
			}
			return nil
		}), "")
		ctx, cancel := context.WithCancel(t.Context())
		var calls sync.WaitGroup
		calls.Go(func() {
			_, err := c.CreateEndUser(ctx, subSID, anEndUser)
			wantClass(t, err, onboarding.ClassRepeatable)
		})
		synctest.Wait()
		calls.Go(func() {
			if err := createEndUser(t, c); err != nil {
				t.Errorf("the other caller: %v", err)
			}
		})
		synctest.Wait()
		cancel()
		close(gate)
		calls.Wait()
	})
}

func TestAFailedFetchIsSharedUnlessTheFailureIsItsCallersOwn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		failure error
		shared  bool
	}{
		"server error":                 {&onboarding.RemoteError{HTTPStatus: 500}, true},
		"too late for its caller":      {&onboarding.RemoteError{Err: errTooLate}, false},
		"its caller's time in a queue": {&onboarding.RemoteError{Err: errQueueTimeout}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				gate, fetches := make(chan struct{}), 0
				known := tokens{fetch: func(context.Context, string) (string, error) {
					if fetches++; fetches == 1 {
						<-gate
						return "", c.failure
					}
					return subToken, nil
				}}
				var callers sync.WaitGroup
				for i := range 2 {
					callers.Go(func() {
						_, err := known.get(t.Context(), subSID, "")
						if failed := i == 0 || c.shared; (err != nil) != failed {
							t.Errorf("caller %d: %v", i, err)
						}
					})
					synctest.Wait()
				}
				close(gate)
				callers.Wait()
			})
		})
	}
}

func TestACallerThatSharesAFetchCanGiveUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		known := tokens{fetch: func(context.Context, string) (string, error) { <-gate; return subToken, nil }}
		ctx, cancel := context.WithCancel(t.Context())
		go known.get(t.Context(), subSID, "")
		synctest.Wait()
		gaveUp := make(chan error, 1)
		go func() {
			_, err := known.get(ctx, subSID, "")
			gaveUp <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-gaveUp; !errors.Is(err, context.Canceled) { // It does not wait for the gate.
			t.Errorf("the caller got %v", err)
		}
		close(gate)
	})
}

func TestANewTokenIsFetchedAndTheCallSentASecondTime(t *testing.T) {
	t.Parallel()
	tw := answering(always(201, endUserAnswer))
	c := connect(t, tw, "")
	if err := createEndUser(t, c); err != nil {
		t.Fatal(err)
	}
	tw.token = "rotated"
	if err := createEndUser(t, c); err != nil {
		t.Fatal(err)
	}
	const fetch, post = "GET /2010-04-01/Accounts/" + subSID + ".json", "POST /v1/EndUsers"
	want := []string{
		fetch, post, // the first call
		post, fetch, post, // the second: a 401, a fetch, and the call once more
	}
	if got := tw.seen(); !slices.Equal(got, want) {
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
			err := createEndUser(t, connect(t, tw, ""))
			wantClass(t, err, onboarding.ClassCredentials)
			if seen := tw.seen(); len(seen) != 4 || tw.fetches != 2 {
				t.Errorf("requests: %q; want a fetch, the call, a fetch, the call", seen)
			}
			if strings.Contains(err.Error(), subToken) {
				t.Error("the error shows the token")
			}
		})
	}
}

func TestTheParentsRefusedCredentialsAreNotTriedTwice(t *testing.T) {
	t.Parallel()
	tw := answering(always(500, ""))
	c := connect(t, tw, "", func(cfg *Config) { cfg.AuthToken = "wrong" })
	_, err := c.FetchAccount(t.Context(), subSID)
	wantClass(t, err, onboarding.ClassCredentials)
	wantClass(t, createEndUser(t, c), onboarding.ClassCredentials)
	if seen := tw.seen(); len(seen) != 2 {
		t.Errorf("requests: %q; want one for each call", seen)
	}
}

func TestAnAccountWithoutATokenIsAMatterOfCredentials(t *testing.T) {
	t.Parallel()
	body := `{"sid": "` + subSID + `", "status": "active"}`
	err := createEndUser(t, connect(t, &twilio{Handler: always(200, body)}, ""))
	wantClass(t, err, onboarding.ClassCredentials)
}

func TestTheTokenOfAnotherAccountIsNotUsed(t *testing.T) {
	t.Parallel()
	body := `{"sid": "` + parentSID + `", "auth_token": "another"}`
	c := connect(t, &twilio{Handler: always(200, body)}, "")
	_, err := c.FetchAccount(t.Context(), subSID)
	wantClass(t, err, onboarding.ClassUnknown)
	for _, account := range []string{subSID, parentSID} {
		if token := c.tokens.peek(account); token != "" {
			t.Errorf("the token counts as that of %s", account)
		}
	}
}

func TestTheParentsTokenIsTheConfiguredOne(t *testing.T) {
	t.Parallel()
	body := `{"sid": "` + parentSID + `", "auth_token": "another"}`
	c := connect(t, &twilio{Handler: always(200, body)}, "")
	if _, err := c.FetchAccount(t.Context(), parentSID); err != nil {
		t.Fatal(err)
	}
	if token := c.tokens.peek(parentSID); token != "" {
		t.Error("the token of the answer is remembered")
	}
}

func TestACallWithoutATokenIsNotSent(t *testing.T) {
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
			others := 0
			client := connect(t, &twilio{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet {
					others++
				}
				c.fetch(w, r)
			})}, "")
			wantClass(t, createEndUser(t, client), c.want)
			// A missing account does not prove that the end user is missing.
			wantClass(t, client.DeleteEndUser(t.Context(), subSID, endUserSID), c.want)
			if others != 0 {
				t.Errorf("%d calls were sent without a token", others)
			}
		})
	}
}

func TestALostAnswerAfterA401LeavesTheOutcomeUnknown(t *testing.T) {
	t.Parallel()
	tw, posts := answering(always(201, endUserAnswer)), 0
	c := connect(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPost {
			if posts++; posts == 3 {
				return nil, io.EOF
			}
		}
		return tw.RoundTrip(r)
	}), "")
	if err := createEndUser(t, c); err != nil {
		t.Fatal(err)
	}
	tw.token = "rotated"
	if r := wantClass(t, createEndUser(t, c), onboarding.ClassUnknown); r.HTTPStatus != 0 {
		t.Errorf("the failure has the status of another request: %+v", r)
	}
}

func TestAFailedFetchOfANewTokenLeavesNothingUnknown(t *testing.T) {
	t.Parallel()
	var lost error
	tw := answering(always(201, endUserAnswer))
	c := connect(t, fetching(tw, func() error { return lost }), "")
	if err := createEndUser(t, c); err != nil {
		t.Fatal(err)
	}
	tw.token, lost = "rotated", errors.New("connection lost")
	wantClass(t, createEndUser(t, c), onboarding.ClassRepeatable)
}
