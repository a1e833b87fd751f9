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

// page is a page of a list: Trust Hub's {"results", "meta"}, or one of the API of 2010-04-01, which names the key after the resource and
// the next page without its host.
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

// eachPage calls visit with every page of a list until it returns false. The first page is what k was just answered; err is what the
// generated method returned for it.
//
// It is strict where reading a resource is lenient: a page without a list in it must not pass for an empty one, since what is not found
// is made again.
func (k *call) eachPage(err error, visit func([]resource) bool) error {
	seen := make(map[string]bool)
	for {
		if err != nil {
			return failed(err)
		}
		var p page
		if json.Unmarshal(k.body, &p) != nil || p.items() == nil {
			return k.fail(outcome{unreadable: true}, errUnreadable)
		}
		if !visit(*p.items()) || p.next() == "" {
			return nil
		}
		next, ok := sameOrigin(k.url, p.next())
		switch {
		case !ok:
			return &onboarding.RemoteError{Class: onboarding.ClassPermanent, HTTPStatus: k.status, Err: errForeignPage}
		case seen[next.RequestURI()]:
			return &onboarding.RemoteError{Class: onboarding.ClassPermanent, HTTPStatus: k.status, Err: errPageLoop}
		}
		seen[next.RequestURI()] = true
		err = k.send(http.MethodGet, next, "")
	}
}

// all collects the resources of a whole list that keep says to.
func (k *call) all(err error, keep func(*resource) bool) ([]resource, error) {
	var kept []resource
	err = k.eachPage(err, func(items []resource) bool {
		for i := range items {
			if keep(&items[i]) {
				kept = append(kept, items[i])
			}
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	for i := range kept {
		if kept[i].SID == "" {
			return nil, k.fail(outcome{unreadable: true}, errUnreadable) // To adopt it would be to record nothing.
		}
	}
	return kept, nil
}

// find collects those resources as objects, oldest first.
func (k *call) find(err error, keep func(*resource) bool) ([]onboarding.Object, error) {
	kept, err := k.all(err, keep)
	if err != nil {
		return nil, err
	}
	return objects(kept), nil
}

// sameOrigin resolves a link and says whether it stays where it was found: a page elsewhere would be sent the account's credentials.
func sameOrigin(from *url.URL, link string) (*url.URL, bool) {
	to, err := from.Parse(link)
	if err != nil || to.User != nil || to.Opaque != "" || to.Scheme != from.Scheme || hostPort(to) != hostPort(from) {
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
