package trusthubsim

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// TestExactNames: with the switch a filter matches whole names with their case.
func TestExactNames(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{Doubts: Doubts{ExactNameFilter: true}})
	b.sub.draftProfile("FriendlyName", "onb_1 profile")
	for query, want := range map[string]int{
		"": 1, "?FriendlyName=onb_1%20profile": 1, "?FriendlyName=onb_1": 0, "?FriendlyName=ONB_1%20profile": 0,
	} {
		if got := b.sub.get("/v1/CustomerProfiles" + query).sids(); len(got) != want {
			t.Errorf("%q: %d profiles, want %d", query, len(got), want)
		}
	}
}

// TestTheCaseOfADocumentsStatus.
func TestTheCaseOfADocumentsStatus(t *testing.T) {
	t.Parallel()
	for lower, want := range map[bool][]string{false: {"DRAFT", "PENDING_REVIEW"}, true: {"draft", "pending_review"}} {
		b := setup(t, Config{Review: ReviewManual})
		p := b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
		if err := b.sim.Set("lower_document_status", strconv.FormatBool(lower)); err != nil {
			t.Fatal(err)
		}
		path := "/v1/SupportingDocuments/" + p.document
		before := b.sub.loose(http.MethodGet, path)["status"]
		b.sub.submit(p.path)
		if after := b.sub.loose(http.MethodGet, path)["status"]; before != want[0] || after != want[1] {
			t.Errorf("lower %t: %v, then %v", lower, before, after)
		}
	}
}

// TestRetryAfter comes with a 429 for too many open requests, in whole seconds, or not at all.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]string{0: "", 500 * time.Millisecond: "", 2500 * time.Millisecond: "2"} {
		synctest.Test(t, func(t *testing.T) {
			b := setup(t, Config{MaxConcurrent: 1, RetryAfter: after})
			if err := b.sim.Set("latency", "1m"); err != nil {
				t.Fatal(err)
			}
			first := make(chan int, 1)
			go func() {
				response, err := b.sub.send(http.MethodGet, "/v1/EndUsers", nil)
				if err != nil {
					first <- 0
					return
				}
				_ = response.Body.Close()
				first <- response.StatusCode
			}()
			synctest.Wait()
			response, err := b.sub.send(http.MethodGet, "/v1/EndUsers", nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if got := response.Header.Get("Retry-After"); response.StatusCode != http.StatusTooManyRequests || got != want {
				t.Errorf("answered %d with Retry-After %q, want %q", response.StatusCode, got, want)
			}
			if got := <-first; got != 200 {
				t.Errorf("the first request is answered %d", got)
			}
		})
	}
}
