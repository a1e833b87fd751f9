package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// twilio is the simulated Twilio over real HTTP, behind a gate.
type twilio struct {
	t         *testing.T
	sim       *trusthubsim.Simulator
	gate      *gate
	twilioURL string
}

// newTwilio starts a simulated Twilio. Its reviews take 100 ms by default.
func newTwilio(t *testing.T, config trusthubsim.Config) *twilio {
	t.Helper()
	if config.ReviewDelay == 0 {
		config.ReviewDelay = 100 * time.Millisecond
	}
	tw := &twilio{t: t, sim: trusthubsim.New(config), gate: &gate{}}
	t.Cleanup(tw.sim.Close)
	tw.twilioURL = tw.gate.serve(t, tw.sim).URL
	return tw
}

// callTwilio makes a call to the simulated Twilio with these credentials. It uses a connection of
// its own, because the gate counts those of the service. It decodes the answer, unless into is nil.
// It may be called from any goroutine.
func (tw *twilio) callTwilio(method, path, user, password string, form url.Values, into any) error {
	request, err := http.NewRequestWithContext(tw.t.Context(), method, tw.twilioURL+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Close = true
	request.SetBasicAuth(user, password)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s %s answered %d: %s", method, path, response.StatusCode, body)
	}
	if into == nil || len(body) == 0 {
		return nil
	}
	return json.Unmarshal(body, into)
}

// postToTwilio makes a POST with the credentials of the parent. It may be called from any
// goroutine.
func (tw *twilio) postToTwilio(path string, form url.Values, into any) error {
	return tw.callTwilio(http.MethodPost, path, trusthubsim.DefaultAccountSID, trusthubsim.DefaultAuthToken, form, into)
}

func (tw *twilio) twilioPost(path string, form url.Values, into any) {
	tw.t.Helper()
	if err := tw.postToTwilio(path, form, into); err != nil {
		tw.t.Fatal(err)
	}
}

// as makes a call with the credentials of the subaccount, as somebody with its Console might, and
// returns the SID in the answer.
func (tw *twilio) as(s subaccount, method, path string, form url.Values) (sid string) {
	tw.t.Helper()
	var made struct{ SID string }
	if err := tw.callTwilio(method, path, s.sid, tw.held(s).AuthToken, form, &made); err != nil {
		tw.t.Fatal(err)
	}
	return made.SID
}

// held is what the simulated Twilio has in the account.
func (tw *twilio) held(s subaccount) trusthubsim.AccountState { return tw.sim.State().Accounts[s.sid] }

func (tw *twilio) fault(f trusthubsim.Fault) {
	tw.t.Helper()
	if _, err := tw.sim.AddFault(f); err != nil {
		tw.t.Fatal(err)
	}
}
