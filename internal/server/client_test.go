package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
)

// client calls the API of the service.
type client struct {
	t        *testing.T
	url, key string
}

// post posts an onboarding that must be accepted.
func (c *client) post(body map[string]any) answer {
	c.t.Helper()
	var a answer
	status, raw := c.call(http.MethodPost, "/onboardings", body, &a)
	if status != http.StatusAccepted {
		c.t.Fatalf("POST /onboardings answered %d: %s", status, raw)
	}
	return a
}

func (c *client) get(id string) answer {
	c.t.Helper()
	var a answer
	status, raw := c.call(http.MethodGet, "/onboardings/"+id, nil, &a)
	if status != http.StatusOK {
		c.t.Fatalf("GET /onboardings/%s answered %d: %s", id, status, raw)
	}
	return a
}

// patch amends the onboarding, and returns the status and the text of the answer.
func (c *client) patch(id string, version int, change map[string]any) (status int, raw string) {
	c.t.Helper()
	return c.send(http.DefaultClient, c.url, http.MethodPatch, "/onboardings/"+id, change, http.Header{
		"Content-Type": {"application/merge-patch+json"}, "If-Match": {fmt.Sprintf("%q", fmt.Sprint(version))},
	})
}

// mustPatch is patch for an amendment that must be accepted.
func (c *client) mustPatch(id string, version int, change map[string]any) {
	c.t.Helper()
	if status, raw := c.patch(id, version, change); status != http.StatusAccepted {
		c.t.Fatalf("the correction answered %d: %s", status, raw)
	}
}

// add asks for numbers to be added, and returns the status and the text of the answer.
func (c *client) add(id string, move bool, numbers ...string) (status int, raw string) {
	c.t.Helper()
	return c.call(http.MethodPost, "/onboardings/"+id+"/phone-numbers", map[string]any{"phone_numbers": numbers, "move": move}, nil)
}

func (c *client) remove(id, number string) (status int, raw string) {
	c.t.Helper()
	return c.call(http.MethodDelete, "/onboardings/"+id+"/phone-numbers/"+url.PathEscape(number), nil, nil)
}

func (c *client) resume(id string) {
	c.t.Helper()
	if status, raw := c.call(http.MethodPost, "/onboardings/"+id+"/resume", nil, nil); status != http.StatusAccepted {
		c.t.Fatalf("resume answered %d: %s", status, raw)
	}
}

func (c *client) cancel(id string, body any) answer {
	c.t.Helper()
	var a answer
	if status, raw := c.call(http.MethodPost, "/onboardings/"+id+"/cancel", body, &a); status != http.StatusAccepted {
		c.t.Fatalf("cancel answered %d: %s", status, raw)
	}
	return a
}

var cleanup = map[string]any{"cleanup": true}

// call makes a request to the service. Status 0 means that the service could not be reached.
func (c *client) call(method, path string, body, into any) (status int, raw string) {
	c.t.Helper()
	status, raw = c.callAt(http.DefaultClient, c.url, method, path, body)
	if into != nil && status != 0 && status < 300 {
		if err := json.Unmarshal([]byte(raw), into); err != nil {
			c.t.Fatalf("%s %s answered what is no JSON: %s", method, path, raw)
		}
	}
	return status, raw
}

// callAt makes a request to the service at that URL. It may be called from any goroutine.
func (c *client) callAt(client *http.Client, base, method, path string, body any) (status int, raw string) {
	return c.send(client, base, method, path, body, http.Header{"Content-Type": {"application/json"}})
}

// send is callAt with other headers. Every answer must be as in the contract.
func (c *client) send(client *http.Client, base, method, path string, body any, header http.Header) (status int, raw string) {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return 0, err.Error()
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(c.t.Context(), method, base+path, content)
	if err != nil {
		return 0, err.Error()
	}
	request.Header = header
	request.Header.Set("Authorization", "Bearer "+c.key)
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
		c.t.Error(err)
	}
	return response.StatusCode, string(text)
}
