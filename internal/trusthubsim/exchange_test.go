package trusthubsim

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestPathsAndMethods(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	user := b.sub.endUser(representative1, representative())
	b.sub.get("/v1/Nothing").refused(404, codeNotFound)
	b.sub.get("/v1/EndUsers/IT1").refused(404, codeNotFound)
	b.sub.get("/v1/EndUsers/"+strings.Replace(user, "IT", "RD", 1)).refused(404, codeNotFound)
	b.sub.get("/v1/TrustProducts/"+b.sub.draftProfile()).refused(404, codeNotFound)
	b.sub.delete("/v1/EndUsers").refused(405, codeMethodNotAllowed)
	b.sub.post("/v1/Policies", "FriendlyName", "n").refused(405, codeMethodNotAllowed)
	b.sub.do(http.MethodPut, "/v1/EndUsers/"+user, values("FriendlyName", "n")).refused(405, codeMethodNotAllowed)
	b.sub.get("/v1/Policies/" + PolicyShakenStir).want(200)
	b.sub.get("/v1/Policies/RN00000000000000000000000000000000").refused(404, codeNotFound)
	b.sub.get("/v1/EndUserTypes/" + endUserTypes[0].sid).want(200)
	b.sub.get("/v1/SupportingDocumentTypes/" + documentTypes[0].sid).want(200)
}

func TestBodies(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	for _, test := range []struct {
		name, contentType, body string
		status                  int
	}{
		{"a form", "application/x-www-form-urlencoded; charset=utf-8", "FriendlyName=n&Type=" + representative1, 201},
		{"JSON", "application/json", `{"FriendlyName":"n"}`, 400},
		{"no form", "application/x-www-form-urlencoded", "%zz", 400},
		{"too large", "application/x-www-form-urlencoded", "FriendlyName=" + strings.Repeat("n", maxBody), 413},
	} {
		request := mustRequest(t, http.MethodPost, "/v1/EndUsers")
		request.Body = io.NopCloser(strings.NewReader(test.body))
		request.Header.Set("Content-Type", test.contentType)
		request.SetBasicAuth(b.sub.sid, b.sub.token)
		response, err := b.sub.transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != test.status {
			t.Errorf("%s: %d, want %d", test.name, response.StatusCode, test.status)
		}
	}
}

// TestTheSameCallsGiveTheSameSIDs, for a seed; what another account does in between changes
// nothing.
func TestTheSameCallsGiveTheSameSIDs(t *testing.T) {
	t.Parallel()
	run := func(seed uint64, sibling bool) parts {
		b := setup(t, Config{Seed: seed})
		if sibling {
			b.subaccount("Sibling").draftProfile()
		}
		return b.sub.completeProfile(b.sim.cfg.PrimaryProfileSID)
	}
	first, again, amongOthers, other := run(1, false), run(1, false), run(1, true), run(2, false)
	if first != again || first != amongOthers {
		t.Errorf("one seed gives %v, %v and %v", first, again, amongOthers)
	}
	if first.profile == other.profile {
		t.Error("two seeds give the same SIDs")
	}
}

// TestLatencyAndTheRequestLog: each request takes the latency, and the log shows which overlapped.
func TestLatencyAndTheRequestLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, Config{Latency: 100 * time.Millisecond})
		b.sim.ResetRequests()
		started := time.Now()
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() { b.sub.get("/v1/EndUsers") })
		}
		all.Wait()
		user := b.sub.endUser(representative1, representative())
		b.sub.post("/v1/EndUsers", "FriendlyName", "n").refused(400, codeUnknownParameters)
		if took := time.Since(started); took != 300*time.Millisecond {
			t.Errorf("three at once and two in turn took %v, want 300ms", took)
		}
		log := b.sim.Requests()
		if len(log) != 5 || !log[2].StartedAt.Before(log[0].FinishedAt) || log[3].StartedAt.Before(log[0].FinishedAt) {
			t.Fatalf("log %+v", log)
		}
		made := log[3]
		if made.SID != user || made.Status != 201 || made.AccountSID != b.sub.sid || made.AuthSID != b.sub.sid ||
			made.Form["Type"][0] != representative1 || made.FinishedAt.Sub(made.StartedAt) != 100*time.Millisecond {
			t.Errorf("logged as %+v", made)
		}
		if log[4].Status != 400 || log[4].ErrorCode != codeUnknownParameters || log[4].Number != log[3].Number+1 {
			t.Errorf("the refused one is logged as %+v", log[4])
		}
	})
}

// TestConcurrencyLimit: one more than the limit is not processed; other accounts are not concerned.
func TestConcurrencyLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, Config{Latency: time.Second, MaxConcurrent: 2})
		statuses := make(chan int, 4)
		for range 3 {
			go func() {
				statuses <- b.sub.post("/v1/EndUsers", "FriendlyName", "n", "Type", representative1).status
			}()
		}
		go func() { statuses <- b.parent.get("/v1/EndUsers").status }()
		got := map[int]int{}
		for range 4 {
			got[<-statuses]++
		}
		if got[201] != 2 || got[429] != 1 || got[200] != 1 {
			t.Errorf("statuses %v", got)
		}
		if made := len(b.sim.State().Accounts[b.sub.sid].EndUsers); made != 2 {
			t.Errorf("%d end users were made, want 2", made)
		}
		b.sub.get("/v1/EndUsers").want(200)
	})
}

// TestTheLogIsBounded and keeps the last requests.
func TestTheLogIsBounded(t *testing.T) {
	t.Parallel()
	var log requestLog
	for range 2*keptRequests + 1 {
		log.add(&Request{})
	}
	if got := len(log.records); got != keptRequests+1 {
		t.Errorf("%d records, want %d", got, keptRequests+1)
	}
	if last := log.records[len(log.records)-1].Number; last != 2*keptRequests+1 {
		t.Errorf("the last is number %d", last)
	}
}

// BenchmarkRequest is a typical write: an end user with its attributes.
func BenchmarkRequest(b *testing.B) {
	sim := New(Config{})
	defer sim.Close()
	body := values("FriendlyName", "n", "Type", businessInformation, "Attributes", business()).Encode()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "https://trusthub.twilio.com/v1/EndUsers", strings.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.SetBasicAuth(DefaultAccountSID, DefaultAuthToken)
			sim.ServeHTTP(&memoryWriter{header: http.Header{}}, request)
		}
	})
}
