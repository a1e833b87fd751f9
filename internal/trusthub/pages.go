package trusthub

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
)

// pageSize is the largest page that Twilio serves.
const pageSize = 1000

// page is a page of a list: {"results", "meta"} in Trust Hub; in the 2010-04-01 API the key is
// named after the resource, and the link to the next page has no host.
type page struct {
	Results      *[]resource `json:"results"`
	Addresses    *[]resource `json:"addresses"`
	PhoneNumbers *[]resource `json:"incoming_phone_numbers"`
	Accounts     *[]resource `json:"accounts"`
	Meta         struct {
		NextPageURL string `json:"next_page_url"`
	} `json:"meta"`
	NextPageURI string `json:"next_page_uri"`
}

func (p *page) items() *[]resource {
	for _, items := range []*[]resource{p.Results, p.Addresses, p.PhoneNumbers, p.Accounts} {
		if items != nil {
			return items
		}
	}
	return nil
}

func (p *page) next() string {
	if p.Meta.NextPageURL != "" {
		return p.Meta.NextPageURL
	}
	return p.NextPageURI
}

// eachPage calls visit with every page of a list until it returns false. The first page is the last
// answer to k; err is the error of its generated method.
//
// It is strict where the reading of a resource is lenient. A page without a list must not pass for
// an empty one: an object that is not found is created a second time.
func (k *call) eachPage(err error, visit func([]resource) bool) error {
	seen := make(map[string]bool)
	for {
		if err != nil {
			return asRemote(err)
		}
		var p page
		if json.Unmarshal(k.body, &p) != nil || p.items() == nil {
			return k.unreadable()
		}
		if !visit(*p.items()) || p.next() == "" {
			return nil
		}
		next, ok := sameOrigin(k.url, p.next())
		switch {
		case !ok:
			return k.badPages(errForeignPage)
		case seen[next.RequestURI()]:
			return k.badPages(errPageLoop)
		}
		seen[next.RequestURI()] = true
		err = k.send(http.MethodGet, next, "")
	}
}

// all returns the resources of a whole list that match.
func (k *call) all(err error, match func(*resource) bool) ([]resource, error) {
	var found []resource
	err = k.eachPage(err, func(items []resource) bool {
		for i := range items {
			if match(&items[i]) {
				found = append(found, items[i])
			}
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	for i := range found {
		if found[i].SID == "" {
			return nil, k.unreadable() // An object without a SID is as good as lost.
		}
	}
	return found, nil
}

// find returns the resources that match as objects, oldest first.
func (k *call) find(err error, match func(*resource) bool) ([]onboarding.Object, error) {
	found, err := k.all(err, match)
	if err != nil {
		return nil, err
	}
	return objects(found), nil
}

// sameOrigin resolves a link and says whether it leads to the host that it came from. Another host
// would get the account's credentials.
func sameOrigin(from *url.URL, link string) (*url.URL, bool) {
	to, err := from.Parse(link)
	if err != nil || to.User != nil || to.Opaque != "" || to.Scheme != from.Scheme ||
		hostPort(to) != hostPort(from) {
		return nil, false
	}
	to.Host, to.Fragment = from.Host, ""
	return to, true
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
