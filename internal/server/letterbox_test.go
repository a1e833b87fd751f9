package server_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// letterbox receives the status callbacks of the simulated Twilio. A test delivers them as often,
// as late and in the order that it likes.
type letterbox struct {
	mu      sync.Mutex
	letters []letter
}

// letter is a status callback as Twilio sent it.
type letter struct {
	url, bundle string
	status      trusthubsim.Status
	header      http.Header
	body        string
}

// Do receives a callback in the place of the service.
func (l *letterbox) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.letters = append(l.letters, letter{
		url: r.URL.String(), bundle: form.Get("BundleSid"), status: trusthubsim.Status(form.Get("Status")), header: r.Header, body: string(body),
	})
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}, nil
}

// of returns the callbacks about a bundle in the order of their arrival.
func (l *letterbox) of(bundle string) []letter {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []letter
	for _, one := range l.letters {
		if one.bundle == bundle {
			all = append(all, one)
		}
	}
	return all
}

// about returns the newest callback with that status of the bundle.
func (l *letterbox) about(bundle string, status trusthubsim.Status) (letter, bool) {
	all := l.of(bundle)
	slices.Reverse(all)
	at := slices.IndexFunc(all, func(one letter) bool { return one.status == status })
	if at < 0 {
		return letter{}, false
	}
	return all[at], true
}

// claiming returns the callback with another status, signed with the token; "" leaves it unsigned.
func (one letter) claiming(status trusthubsim.Status, token string) letter {
	form, err := url.ParseQuery(one.body)
	if err != nil {
		panic(err) // It was read before.
	}
	form.Set("Status", string(status))
	one.status, one.body, one.header = status, form.Encode(), one.header.Clone()
	one.header.Del("X-Twilio-Signature")
	if token != "" {
		one.header.Set("X-Twilio-Signature", trusthubsim.Sign(token, one.url, form))
	}
	return one
}

// deliver sends a callback to the service and returns the status of the answer.
func (c *client) deliver(one letter) (status int) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, one.url, bytes.NewReader([]byte(one.body)))
	if err != nil {
		c.t.Error(err)
		return 0
	}
	request.Header = one.header.Clone()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Error(err)
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body) // The status says all.
	return response.StatusCode
}
