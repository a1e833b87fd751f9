package trusthub

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestNewNamesWhatIsWrongWithItsConfiguration(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want string
		edit func(*Config)
	}{
		{"account SID", func(c *Config) { c.AccountSID = "" }},
		{"account SID", func(c *Config) { c.AccountSID = "AC/../x" }},
		{"account SID", func(c *Config) { c.AccountSID = profileSID }},
		{"auth token", func(c *Config) { c.AuthToken = "" }},
		{"API URL", func(c *Config) { c.APIURL = "ftp://api.example.com" }},
		{"API URL", func(c *Config) { c.APIURL = "https://user:pass@api.example.com" }},
		{"API URL", func(c *Config) { c.APIURL = "://" }},
		{"Trust Hub URL", func(c *Config) { c.TrustHubURL = "https://trusthub.example.com/v1" }},
		{"Trust Hub URL", func(c *Config) { c.TrustHubURL = "https://trusthub.example.com?x=1" }},
		{"Trust Hub URL", func(c *Config) { c.TrustHubURL = "https:///" }},
	} {
		cfg := Config{AccountSID: parentSID, AuthToken: parentToken}
		c.edit(&cfg)
		_, err := New(cfg)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("New(%+v): %v, want an error that names the %s", cfg, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), parentToken) {
			t.Error("the error shows the token")
		}
	}
}

func TestTheEnvironmentOfTheLibraryChangesNoHost(t *testing.T) {
	t.Setenv("TWILIO_REGION", "ie1")
	t.Setenv("TWILIO_EDGE", "dublin")
	var hosts []string
	c := connect(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		hosts = append(hosts, r.URL.Scheme+"://"+r.Host)
		return answering(always(201, endUserAnswer)).RoundTrip(r)
	}), "")
	if _, err := c.CreateEndUser(t.Context(), subSID, anEndUser); err != nil {
		t.Fatal(err)
	}
	if want := []string{DefaultAPIURL, DefaultTrustHubURL}; !slices.Equal(hosts, want) {
		t.Errorf("requests went to %v, want %v", hosts, want)
	}
}
