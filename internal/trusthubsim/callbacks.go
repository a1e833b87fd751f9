package trusthubsim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" // the signature's algorithm is Twilio's choice
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Callbacks says how status callbacks are delivered. The zero value delivers each once, at once, as
// a signed form.
type Callbacks struct {
	// Lost, Duplicated and Unsigned are the shares, from 0 to 1, of callbacks that are never sent,
	// sent twice (with one idempotency token), and sent without a signature.
	Lost       float64 `json:"lost"`
	Duplicated float64 `json:"duplicated"`
	Unsigned   float64 `json:"unsigned"`
	// Delay comes before each delivery; up to Spread more is drawn for each, so that they overtake
	// one another.
	Delay  Duration `json:"delay"`
	Spread Duration `json:"spread"`
	// Repeats is how many more times each callback comes: the same body under another token.
	Repeats int `json:"repeats"`
	// InReview calls back about the change to in-review too.
	InReview bool `json:"in_review"`
	// BundleField is the name of the field with the bundle's SID, BundleSid by default. With
	// BundleSID the account's is AccountSID.
	BundleField string `json:"bundle_field"`
	// JSON sends a JSON body, with its SHA-256 in the URL, instead of a form.
	JSON bool `json:"json"`
	// ParentSigns signs with the parent's token instead of the account's own.
	ParentSigns bool `json:"parent_signs"`
}

// bundleFields are the names under which a bundle's SID was seen. The one that depends on the kind
// of bundle is CustomerProfileSid or TrustProductSid.
var bundleFields = []string{"BundleSid", "BundleSID", "Sid", fieldByKind}

const fieldByKind = "CustomerProfileSid"

func (c Callbacks) withDefaults() Callbacks {
	setDefault(&c.BundleField, bundleFields[0])
	return c
}

// CallbackRecord is one delivery of a status callback.
type CallbackRecord struct {
	Number     int       `json:"number"`
	AccountSID string    `json:"account_sid"`
	BundleSID  string    `json:"bundle_sid"`
	Status     Status    `json:"status"`
	URL        string    `json:"url"`
	Token      string    `json:"idempotency_token"`
	Lost       bool      `json:"lost"`     // never sent
	Attempts   int       `json:"attempts"` // 2 after a connection that failed
	Answered   int       `json:"answered"` // the HTTP status that came back, 0 for none
	StartedAt  time.Time `json:"started_at"`
}

// storedCallbacks is how many records of callbacks are kept.
const storedCallbacks = 10_000

// SetCallbacks changes how callbacks are delivered from now on.
func (s *Simulator) SetCallbacks(callbacks Callbacks) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.Callbacks = callbacks.withDefaults()
}

// CallbackRecords are the deliveries of the last callbacks, the lost ones included, in the order in
// which they ended.
func (s *Simulator) CallbackRecords() []CallbackRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.callbackLog)
}

// delivery is a callback on its way.
type delivery struct {
	record   CallbackRecord
	form     url.Values
	json     bool
	unsigned bool
	key      string // of the signature
}

// RepeatCallback calls back about a bundle's present status once more, as if it had just changed.
// It returns ErrNoSuchBundle, wrapped.
func (s *Simulator) RepeatCallback(bundleSID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.findBundle(bundleSID)
	if b == nil {
		return fmt.Errorf("calling back about %s: %w", bundleSID, ErrNoSuchBundle)
	}
	s.callBack(b)
	return nil
}

// callBack schedules the callback of a bundle's present status. The caller holds the lock.
func (s *Simulator) callBack(b *bundle) {
	if b.statusCallback == "" || s.closed {
		return
	}
	how := s.cfg.Callbacks
	target, _, _ := strings.Cut(b.statusCallback, "#") // the fragment is for Twilio itself
	d := delivery{
		record: CallbackRecord{
			AccountSID: b.account.sid, BundleSID: b.sid, Status: b.status, URL: target,
			Token: s.draw(b.account.sid, "callback"),
		},
		form: b.callbackForm(how.BundleField),
		json: how.JSON, unsigned: s.drawChance(b.account.sid, "unsigned") < how.Unsigned,
		key: b.account.authToken,
	}
	if how.ParentSigns {
		d.key = s.parent.authToken
	}
	if s.drawChance(b.account.sid, "lost") < how.Lost {
		d.record.Lost, d.record.StartedAt = true, time.Now()
		s.logCallback(d.record)
		return
	}
	times := 1
	if s.drawChance(b.account.sid, "duplicated") < how.Duplicated {
		times = 2
	}
	for repeat := range 1 + how.Repeats {
		one := d
		if repeat > 0 {
			one.record.Token = s.draw(b.account.sid, "repeat")
		}
		for range times {
			spread := Duration(s.drawChance(b.account.sid, "spread") * float64(how.Spread))
			s.after(time.Duration(how.Delay+spread), func() { s.deliver(one) })
		}
	}
}

// callbackForm is what a callback about the bundle's present status says.
func (b *bundle) callbackForm(bundleField string) url.Values {
	account := "AccountSid"
	switch {
	case bundleField == "BundleSID":
		account = "AccountSID"
	case bundleField == fieldByKind && b.kind == trustProducts:
		bundleField = "TrustProductSid"
	}
	form := url.Values{account: {b.account.sid}, bundleField: {b.sid}, "Status": {string(b.status)}}
	if b.calledReason != "" {
		form.Set("FailureReason", b.calledReason)
	}
	return form
}

// logCallback keeps a record. The caller holds the lock.
func (s *Simulator) logCallback(record CallbackRecord) {
	s.callbackNumber++
	record.Number = s.callbackNumber
	if len(s.callbackLog) == storedCallbacks {
		s.callbackLog = slices.Delete(s.callbackLog, 0, storedCallbacks/10)
	}
	s.callbackLog = append(s.callbackLog, record)
}

// deliver sends one callback, once more if the connection failed.
func (s *Simulator) deliver(d delivery) {
	d.record.StartedAt = time.Now()
	for d.record.Attempts = 1; ; d.record.Attempts++ {
		status, err := s.post(d)
		d.record.Answered = status
		if err == nil || d.record.Attempts == 2 {
			break
		}
	}
	s.cfg.Logger.Debug("callback", slog.String("bundle_sid", d.record.BundleSID), slog.String("status", string(d.record.Status)),
		slog.Int("answered", d.record.Answered))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logCallback(d.record)
}

func (s *Simulator) post(d delivery) (status int, err error) {
	target, contentType, body, signed := d.record.URL, "application/x-www-form-urlencoded", d.form.Encode(), d.form
	if d.json {
		fields := map[string]string{}
		for name := range d.form {
			fields[name] = d.form.Get(name)
		}
		text, _ := json.Marshal(fields)
		sum := sha256.Sum256(text)
		separator := "?"
		if strings.Contains(target, "?") {
			separator = "&"
		}
		target += separator + "bodySHA256=" + hex.EncodeToString(sum[:])
		contentType, body, signed = "application/json", string(text), nil
	}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, target, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("User-Agent", "TwilioProxy/1.1")
	request.Header.Set("I-Twilio-Idempotency-Token", d.record.Token)
	if !d.unsigned {
		request.Header.Set("X-Twilio-Signature", Sign(d.key, target, signed))
	}
	response, err := s.cfg.CallbackClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxBody))
	return response.StatusCode, nil
}

// Sign computes X-Twilio-Signature as Twilio documents it: base64 of the HMAC-SHA1, keyed with an
// auth token, of the URL followed by each parameter's name and value, sorted by name.
func Sign(authToken, target string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(authToken))
	_, _ = io.WriteString(mac, target)
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range form[name] {
			_, _ = io.WriteString(mac, name+value)
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
