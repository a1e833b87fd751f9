package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attestd/attestd/internal/pgdev/pgtest"
	"github.com/attestd/attestd/internal/server"
	"github.com/attestd/attestd/internal/store"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// world is one test's own: a database, a simulated Twilio over real HTTP, and the program with its environment.
type world struct {
	t      *testing.T
	sim    *trusthubsim.Simulator
	twilio *httptest.Server
	gate   *gate
	// database is the URL of the world's database.
	database string
	environ  map[string]string
	url      string
	key      string
}

// newWorld makes a world in which reviews take 100 ms and nothing runs yet.
func newWorld(t *testing.T, sim trusthubsim.Config) *world {
	t.Helper()
	return newWorldOn(t, sim, pgtest.New(t, store.Migrate))
}

// newWorldOn makes a world on that database, which is migrated.
func newWorldOn(t *testing.T, sim trusthubsim.Config, databaseURL string) *world {
	t.Helper()
	if sim.ReviewDelay == 0 {
		sim.ReviewDelay = 100 * time.Millisecond
	}
	w := &world{t: t, sim: trusthubsim.New(sim), gate: &gate{}, database: databaseURL}
	t.Cleanup(w.sim.Close)
	w.twilio = w.gate.serve(t, w.sim)
	addr := freeAddr(t)
	w.url = "http://" + addr
	w.environ = map[string]string{
		"DATABASE_URL":               withFewConns(t, databaseURL),
		"LISTEN_ADDR":                addr,
		"PUBLIC_URL":                 w.url,
		"TWILIO_ACCOUNT_SID":         trusthubsim.DefaultAccountSID,
		"TWILIO_AUTH_TOKEN":          trusthubsim.DefaultAuthToken,
		"TWILIO_PRIMARY_PROFILE_SID": trusthubsim.DefaultPrimaryProfileSID,
		"TWILIO_API_URL":             w.twilio.URL,
		"TWILIO_TRUSTHUB_URL":        w.twilio.URL,
		"LOOKUP_SETTLE":              "300ms",
	}
	status, out := w.command("keys", "create", "-name", "test", "-role", "operator")
	if status != 0 {
		t.Fatalf("keys create ended with %d: %s", status, out)
	}
	w.key = strings.TrimSpace(out)
	return w
}

// withFewConns makes a program keep no more than four connections to that database: many share the server, and to open one costs as much as a
// good part of an onboarding.
func withFewConns(t *testing.T, databaseURL string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	parameters := u.Query()
	parameters.Set("pool_max_conns", "4")
	u.RawQuery = parameters.Encode()
	return u.String()
}

// env returns the environment of the program in this world.
func (w *world) env() []string {
	var environ []string
	for name, value := range w.environ {
		environ = append(environ, name+"="+value)
	}
	return environ
}

// command runs a command of the program to its end and returns its exit status and all that it printed.
func (w *world) command(args ...string) (status int, out string) {
	w.t.Helper()
	var output bytes.Buffer
	status = server.Program{Args: args, Environ: w.env(), Stdout: &output, Stderr: &output}.Main(w.t.Context())
	return status, output.String()
}

// serve runs the program's serve in this process and returns when it is ready. The function it returns stops it as SIGTERM does and
// returns the exit status and the log; it is called at the test's end at the latest.
func (w *world) serve() (stop func() (status int, log string)) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	log := &syncBuffer{}
	done := make(chan int, 1)
	program := server.Program{Args: []string{"serve"}, Environ: w.env(), Stdout: log, Stderr: log}
	go func() { done <- program.Main(ctx) }()
	stop = sync.OnceValues(func() (int, string) {
		cancel()
		status := <-done
		return status, log.String()
	})
	w.t.Cleanup(func() { stop() })
	w.ready(log)
	return stop
}

// ready waits until the service answers that it is.
func (w *world) ready(log fmt.Stringer) {
	w.t.Helper()
	w.eventually("the service to be ready", func() bool {
		status, _ := w.call(http.MethodGet, "/readyz", nil, nil)
		return status == http.StatusOK
	}, func() string { return log.String() })
}

// eventually asks until it holds, less and less often.
func (w *world) eventually(what string, holds func() bool, explain func() string) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for pause := 5 * time.Millisecond; !holds(); pause = min(2*pause, 100*time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain for %s\n%s", what, explain())
		}
		wait(w.t.Context(), pause)
	}
}

// subaccount is a customer's account at the simulated Twilio.
type subaccount struct {
	sid     string
	numbers []string // PN…
	e164    []string
}

var nextNumber = struct {
	sync.Mutex
	n int
}{}

// subaccount makes an account under the parent and buys it numbers.
func (w *world) subaccount(numbers int) subaccount {
	w.t.Helper()
	s, err := w.newSubaccount(numbers)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// newSubaccount is subaccount for any goroutine.
func (w *world) newSubaccount(numbers int) (subaccount, error) {
	var account struct{ SID string }
	err := w.postToTwilio("/2010-04-01/Accounts.json", url.Values{"FriendlyName": {"Example Plumbing LLC"}}, &account)
	s := subaccount{sid: account.SID}
	for i := 0; i < numbers && err == nil; i++ {
		var sid, number string
		sid, number, err = w.newNumber(s.sid)
		s.numbers, s.e164 = append(s.numbers, sid), append(s.e164, number)
	}
	return s, err
}

func (w *world) newNumber(account string) (sid, number string, err error) {
	nextNumber.Lock()
	nextNumber.n++
	number = fmt.Sprintf("+1312555%04d", nextNumber.n)
	nextNumber.Unlock()
	var bought struct{ SID string }
	err = w.postToTwilio("/2010-04-01/Accounts/"+account+"/IncomingPhoneNumbers.json", url.Values{"PhoneNumber": {number}}, &bought)
	return bought.SID, number, err
}

// newAddress makes an address that a request may name.
func (w *world) newAddress(account string) (sid string, err error) {
	var address struct{ SID string }
	err = w.postToTwilio("/2010-04-01/Accounts/"+account+"/Addresses.json", url.Values{
		"CustomerName": {"Example Plumbing LLC"}, "Street": {"233 S Wacker Dr"}, "City": {"Chicago"}, "Region": {"IL"}, "PostalCode": {"60606"}, "IsoCountry": {"US"},
	}, &address)
	return address.SID, err
}

func (w *world) twilioPost(path string, form url.Values, into any) {
	w.t.Helper()
	if err := w.postToTwilio(path, form, into); err != nil {
		w.t.Fatal(err)
	}
}

// postToTwilio makes a call to the simulated Twilio with the parent's credentials. It may be called from any goroutine.
func (w *world) postToTwilio(path string, form url.Values, into any) error {
	return w.callTwilio(http.MethodPost, path, trusthubsim.DefaultAccountSID, trusthubsim.DefaultAuthToken, form, into)
}

// callTwilio makes a call to the simulated Twilio with those credentials, on a connection of its own: the gate counts the service's. It may be
// called from any goroutine. The answer is decoded unless into is nil.
func (w *world) callTwilio(method, path, user, password string, form url.Values, into any) error {
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.twilio.URL+path, strings.NewReader(form.Encode()))
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

// answer is an onboarding as the API answers it.
type answer struct {
	ID              string
	Status          string
	CustomerProfile bundle `json:"customer_profile"`
	TrustProduct    bundle `json:"trust_product"`
	SubaccountSID   string `json:"subaccount_sid"`
	Attestation     *string
	PhoneNumbers    []phoneNumber `json:"phone_numbers"`
	Products        []struct {
		Product string
		Bundle  bundle
	}
	Kept         []struct{ Step, SID, Reason string }
	Version      int
	UpdatedAt    time.Time `json:"updated_at"`
	Requirements []requirement
	Steps        []step
	Warnings     []struct{ Pointer, Code, Detail string }
}

type requirement struct{ Pointer, Code, Message, Source string }

type phoneNumber struct {
	SID          string
	PhoneNumber  string `json:"phone_number"`
	Status       string
	Attestation  *string
	OnProfile    string `json:"customer_profile_assignment_sid"`
	OnProduct    string `json:"trust_product_assignment_sid"`
	Requirements []requirement
}

// number returns the number of that SID as the answer shows it.
func (a answer) number(sid string) phoneNumber {
	for _, n := range a.PhoneNumbers {
		if n.SID == sid {
			return n
		}
	}
	return phoneNumber{}
}

type bundle struct{ SID, Status string }

type step struct {
	Key, Status, SID string
	Attempts         int
	NextAttemptAt    *time.Time `json:"next_attempt_at"`
}

func (a answer) step(key string) step {
	for _, s := range a.Steps {
		if s.Key == key {
			return s
		}
	}
	return step{}
}

// sids are the SIDs of all steps that have one.
func (a answer) sids() map[string]string {
	all := make(map[string]string)
	for _, s := range a.Steps {
		if s.SID != "" {
			all[s.Key] = s.SID
		}
	}
	return all
}

// request is a request that Twilio has nothing against; changes are merged into it.
func (s subaccount) request(changes map[string]any) map[string]any {
	body := map[string]any{
		"subaccount_sid":     s.sid,
		"notification_email": "trust@isv.example",
		"business": map[string]any{
			"business_name": "Example Plumbing LLC", "business_identity": "direct_customer", "business_type": "Limited Liability Corporation",
			"business_industry": "CONSTRUCTION", "business_registration_identifier": "EIN", "business_registration_number": "12-3456789",
			"business_regions_of_operation": "USA_AND_CANADA", "website_url": "https://plumbing.example.com",
		},
		"address": map[string]any{
			"customer_name": "Example Plumbing LLC", "street": "233 S Wacker Dr", "city": "Chicago", "region": "IL", "postal_code": "60606", "iso_country": "US",
		},
		"authorized_representatives": []any{representative("first")},
		"phone_numbers":              s.numbers,
	}
	for name, value := range changes {
		body[name] = value
	}
	return body
}

func representative(name string) map[string]any {
	return map[string]any{
		"first_name": name, "last_name": "Owner", "email": name + "@plumbing.example.com", "phone_number": "+13125550123",
		"business_title": "Owner", "job_position": "CEO",
	}
}

// post posts an onboarding that must be accepted.
func (w *world) post(body map[string]any) answer {
	w.t.Helper()
	var a answer
	status, raw := w.call(http.MethodPost, "/onboardings", body, &a)
	if status != http.StatusAccepted {
		w.t.Fatalf("POST /onboardings answered %d: %s", status, raw)
	}
	return a
}

func (w *world) get(id string) answer {
	w.t.Helper()
	var a answer
	status, raw := w.call(http.MethodGet, "/onboardings/"+id, nil, &a)
	if status != http.StatusOK {
		w.t.Fatalf("GET /onboardings/%s answered %d: %s", id, status, raw)
	}
	return a
}

// await waits until the onboarding has the status.
func (w *world) await(id, status string) answer {
	w.t.Helper()
	return w.awaitThat(id, "status "+status, func(a answer) bool { return a.Status == status })
}

func (w *world) awaitThat(id, what string, holds func(answer) bool) answer {
	w.t.Helper()
	var a answer
	w.eventually(what, func() bool { a = w.get(id); return holds(a) }, func() string {
		text, _ := json.MarshalIndent(a, "", " ")
		return string(text)
	})
	w.wantListed(a)
	return a
}

// wantListed checks that the list, which goes by columns, says of the onboarding what its steps say: unless it has changed since.
func (w *world) wantListed(a answer) {
	w.t.Helper()
	if a.SubaccountSID == "" {
		return
	}
	var page struct{ Onboardings []answer }
	if status, raw := w.call(http.MethodGet, "/onboardings?limit=100&subaccount_sid="+a.SubaccountSID, nil, &page); status != http.StatusOK {
		w.t.Errorf("the list answered %d: %s", status, raw)
	}
	if !reflect.DeepEqual(w.get(a.ID), a) {
		return
	}
	for _, listed := range page.Onboardings {
		if listed.ID != a.ID {
			continue
		}
		if listed.Status != a.Status || (listed.Attestation == nil) != (a.Attestation == nil) || listed.Version != a.Version {
			w.t.Errorf("the list has the onboarding as %s at version %d with attestation %v; it is %s at %d with %v",
				listed.Status, listed.Version, listed.Attestation, a.Status, a.Version, a.Attestation)
		}
		if len(listed.Requirements) != len(a.Requirements) || listed.CustomerProfile != a.CustomerProfile || listed.TrustProduct != a.TrustProduct {
			w.t.Errorf("the list has the bundles %v and %v with %d requirements; they are %v and %v with %d", listed.CustomerProfile,
				listed.TrustProduct, len(listed.Requirements), a.CustomerProfile, a.TrustProduct, len(a.Requirements))
		}
	}
}

func (w *world) resume(id string) {
	w.t.Helper()
	if status, raw := w.call(http.MethodPost, "/onboardings/"+id+"/resume", nil, nil); status != http.StatusAccepted {
		w.t.Fatalf("resume answered %d: %s", status, raw)
	}
}

// call makes a request to the service; status 0 means that it could not be reached.
func (w *world) call(method, path string, body, into any) (status int, raw string) {
	w.t.Helper()
	status, raw = w.callAt(http.DefaultClient, w.url, method, path, body)
	if into != nil && status != 0 && status < 300 {
		if err := json.Unmarshal([]byte(raw), into); err != nil {
			w.t.Fatalf("%s %s answered what is no JSON: %s", method, path, raw)
		}
	}
	return status, raw
}

// callAt makes a request to the service at that URL. It may be called from any goroutine.
func (w *world) callAt(client *http.Client, base, method, path string, body any) (status int, raw string) {
	return w.send(client, base, method, path, body, http.Header{"Content-Type": {"application/json"}})
}

// send is callAt with those headers. Every answer must be as the contract has it.
func (w *world) send(client *http.Client, base, method, path string, body any, header http.Header) (status int, raw string) {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return 0, err.Error()
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(w.t.Context(), method, base+path, content)
	if err != nil {
		return 0, err.Error()
	}
	request.Header = header
	request.Header.Set("Authorization", "Bearer "+w.key)
	response, err := client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	if err := offContract(request, response, text); err != nil {
		w.t.Error(err)
	}
	return response.StatusCode, string(text)
}

// held is what the simulated Twilio holds for the account.
func (w *world) held(s subaccount) trusthubsim.AccountState { return w.sim.State().Accounts[s.sid] }

// nextPort is what the next port that a server may have follows from.
var nextPort = func() *atomic.Int64 {
	var n atomic.Int64
	n.Store(rand.Int64N(20_000))
	return &n
}()

// freeAddr returns an address that a server can listen on, and none twice: a world must not meet another's server. Its port is below those that
// connections get.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 1000 {
		addr := fmt.Sprintf("127.0.0.1:%d", 12_000+nextPort.Add(1)%20_000)
		if listener, err := net.Listen("tcp", addr); err == nil {
			listener.Close()
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}

// syncBuffer is a buffer that a running program may write to while a test reads it.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
