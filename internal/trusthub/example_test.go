package trusthub_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthub"
)

// The class of a failure tells what may be done about it.
func Example() {
	twilio := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(w, `{"code": 20429, "message": "Too Many Requests", "status": 429}`)
			return
		}
		w.WriteHeader(http.StatusBadGateway) // Whether the POST was processed, nobody knows.
	}))
	defer twilio.Close()

	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	client, err := trusthub.New(trusthub.Config{
		AccountSID: "AC00000000000000000000000000000001", AuthToken: "secret",
		APIURL: twilio.URL, TrustHubURL: twilio.URL,
		Now: func() time.Time { return now }, Random: func() float64 { return 0 },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	report := func(err error) {
		var failure *onboarding.RemoteError
		if !errors.As(err, &failure) {
			fmt.Println("no failure of Twilio's:", err)
			return
		}
		switch failure.Class {
		case onboarding.ClassRepeatable:
			fmt.Println("call once more after", failure.RetryAfter)
		case onboarding.ClassUnknown:
			fmt.Println("look up whether it was done")
		case onboarding.ClassExists:
			fmt.Println("it was done before: look it up")
		default:
			fmt.Println("ask a person:", failure)
		}
	}
	ctx := context.Background()
	_, err = client.CreateSubaccount(ctx, "Example Plumbing LLC")
	report(err)
	_, err = client.FetchAccount(ctx, "AC00000000000000000000000000000002")
	report(err)
	_, err = client.FetchAccount(ctx, "not an account")
	report(err)
	// Output:
	// look up whether it was done
	// call once more after 7s
	// ask a person: twilio: permanent: malformed SID
}
