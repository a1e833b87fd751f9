package trusthub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

func TestAnAccountsRequestsTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := silent{make(chan struct{}, 10)}
		c := connect(t, s, "", func(cfg *Config) { cfg.MaxConcurrentPerAccount = 2; cfg.Timeout = time.Second })
		failures := make(chan error, 5)
		for range 5 {
			go func() {
				_, err := c.CreateEndUser(t.Context(), parentSID, anEndUser)
				failures <- err
			}()
		}
		for round, want := range []int{2, 4, 5} {
			synctest.Wait()
			if n := len(s.asked); n != want {
				t.Errorf("after %d s, %d requests were made, want %d", round, n, want)
			}
			if round == 0 { // one who cannot wait for his turn sends nothing
				ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
				if _, err := c.FetchAccount(ctx, subSID); remote(t, err).Class != onboarding.ClassRepeatable {
					t.Errorf("waiting for a turn in vain: %v", err)
				}
				cancel()
			}
			elapse(t, time.Second)
		}
		for range 5 {
			wantClass(t, <-failures, onboarding.ClassUnknown)
		}
		if len(c.lanes.open) != 0 {
			t.Errorf("%d lanes are left open", len(c.lanes.open))
		}
	})
}

func TestACallThatWaitsForItsTurnBeyondItsTimeIsNeverSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := silent{make(chan struct{}, 10)}
		c := connect(t, s, "", func(cfg *Config) { cfg.MaxConcurrentPerAccount = 1 })
		go c.CreateEndUser(t.Context(), parentSID, anEndUser)
		synctest.Wait()
		begun := time.Now()
		_, err := c.CreateEndUser(onboarding.WithSendBy(t.Context(), begun.Add(time.Second)), parentSID, anEndUser)
		if r := wantClass(t, err, onboarding.ClassRepeatable); r.Held || !errors.Is(err, errNoTurn) {
			t.Errorf("error is %+v", r)
		}
		if took := time.Since(begun); took != time.Second {
			t.Errorf("it waited %v, want no longer than it could have been sent", took)
		}
		if n := len(s.asked); n != 1 {
			t.Errorf("%d requests were made, want the first only", n)
		}
		synctest.Wait()
		elapse(t, DefaultTimeout)
	})
}

func TestTurnsAreGivenInTheOrderOfAsking(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &lanes{width: 1}
		first, err := l.enter(t.Context(), parentSID, time.Now(), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		var order []int
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range 5 {
			all.Go(func() {
				patience := time.Hour
				if i == 2 {
					patience = time.Second // gives up, and lets the others move up
				}
				p, err := l.enter(t.Context(), parentSID, time.Now(), patience)
				if i == 2 {
					if !errors.Is(err, errNoTurn) {
						t.Errorf("one without patience: %v", err)
					}
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				l.leave(parentSID, p, true, time.Now())
			})
			synctest.Wait()
		}
		elapse(t, 2*time.Second)
		l.leave(parentSID, first, true, time.Now())
		all.Wait()
		if got := fmt.Sprint(order); got != "[0 1 3 4]" {
			t.Errorf("turns were given to %v", got)
		}
		if len(l.open) != 0 {
			t.Errorf("%d lanes are left open", len(l.open))
		}
	})
}

func TestARefusedAccountsLaneIsNarrowedAndWidensAgain(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	l := &lanes{width: 20}
	fill := func(n int) (places []place) {
		t.Helper()
		for range n {
			p, err := l.enter(t.Context(), subSID, now, 0)
			if err != nil {
				t.Fatal(err)
			}
			places = append(places, p)
		}
		return places
	}
	places := fill(16)
	for _, p := range places[:8] {
		l.leaveRefused(subSID, p, 0, now, 0)
	}
	for _, p := range places[8:] {
		l.leave(subSID, p, true, now)
	}
	if free := l.free(subSID); free != 8 {
		t.Fatalf("with 16 under way some were refused; now %d may be, want half", free)
	}
	now = now.Add(time.Minute)
	for range 3 * widenAfter {
		l.leave(subSID, fill(1)[0], true, now)
	}
	if free := l.free(subSID); free < 10 || free > 11 {
		t.Errorf("after %d answers without a refusal %d may be under way", 3*widenAfter, free)
	}
	// The least is one: an account with one place only is refused for what others do.
	for range 10 {
		now = now.Add(time.Hour)
		l.leaveRefused(subSID, fill(1)[0], 0, now, 0)
	}
	if free := l.free(subSID); free != 1 {
		t.Errorf("after many refusals %d may be under way", free)
	}
	now = now.Add(quiet + holdMax)
	l.leave(parentSID, place{lane: l.laneOf(parentSID, now)}, false, now)
	if _, remembered := l.open[subSID]; remembered {
		t.Error("the account is still remembered for it after a quiet time")
	}
}

func TestAnAccountWithNoLimitOfItsOwnIsLimitedOnceRefused(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	l := &lanes{width: -1}
	var places []place
	for range 100 {
		p, err := l.enter(t.Context(), subSID, now, 0)
		if err != nil {
			t.Fatal(err)
		}
		places = append(places, p)
	}
	l.leaveRefused(subSID, places[0], 0, now, 0)
	if _, err := l.enter(t.Context(), subSID, now, 0); !errors.Is(err, errNoTurn) {
		t.Errorf("one more is let in beside 99, where 100 were too many: %v", err)
	}
}

// An onboarding with 500 numbers has them looked up by the parent. While its pages are slow, others' preflights go on as if it were not
// there.
func TestAnOnboardingWithManyNumbersDoesNotCrowdTheParentsLane(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var wanted []string
		for i := range 500 {
			wanted = append(wanted, fmt.Sprintf("+1500555%04d", i))
		}
		gate := make(chan struct{})
		slow := roundTripper(func(r *http.Request) (*http.Response, error) {
			body := `{"sid": "` + subSID + `", "incoming_phone_numbers": []}`
			if strings.Contains(r.URL.Path, "IncomingPhoneNumbers") {
				<-gate
			}
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})
		c := connect(t, slow, "", func(cfg *Config) { cfg.MaxConcurrentPerAccount = 2 })
		var many sync.WaitGroup
		many.Go(func() { c.FindPhoneNumbers(t.Context(), subSID, wanted) })
		synctest.Wait()
		begun := time.Now()
		if _, err := c.FetchAccount(t.Context(), subSID); err != nil {
			t.Error(err)
		}
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("another call of the parent waited %v", waited)
		}
		close(gate)
		many.Wait()
	})
}

func TestThoseWhoWaitForATurnAreHeldBackWithTheRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		tw := answering(func(w http.ResponseWriter, _ *http.Request) {
			<-gate
			answer(w, 429, `{"code": 20429, "message": "Too Many Requests", "status": 429}`)
		})
		c := connect(t, tw, "", func(cfg *Config) { cfg.MaxConcurrentPerAccount = 1 })
		var callers sync.WaitGroup
		for i := range 5 {
			callers.Go(func() {
				_, err := c.CreateEndUser(t.Context(), parentSID, anEndUser)
				if r := wantClass(t, err, onboarding.ClassRepeatable); r.Held != (i > 0) {
					t.Errorf("caller %d: held %v", i, r.Held)
				}
			})
			synctest.Wait()
		}
		close(gate)
		callers.Wait()
		if seen := tw.seen(); len(seen) != 1 {
			t.Errorf("Twilio saw %d requests, want the one that was under way", len(seen))
		}
	})
}
