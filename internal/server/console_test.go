package server_test

import (
	"net/http"
	"net/url"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// console is where people act at Twilio, past the service: its reviewers, its support, and whoever has the customer's account.
type console struct{ *twilio }

func (c *console) reject(bundle string, codes ...int) {
	c.t.Helper()
	if err := c.sim.Review(bundle, trusthubsim.Decision{Status: trusthubsim.StatusRejected, Errors: trusthubsim.Codes(codes...)}); err != nil {
		c.t.Fatal(err)
	}
}

// reviewed decides about a bundle as a reviewer does.
func reviewed(w *world, sid string, status trusthubsim.Status) {
	w.t.Helper()
	if err := w.sim.Review(sid, trusthubsim.Decision{Status: status}); err != nil {
		w.t.Fatal(err)
	}
}

// reviewByHand leaves the reviews that begin from now on to the test.
func (c *console) reviewByHand() {
	c.t.Helper()
	settings := c.sim.Settings()
	settings.Review = trusthubsim.ReviewManual
	if err := c.sim.SetSettings(settings); err != nil {
		c.t.Fatal(err)
	}
}

func (c *console) deleteInConsole(sid string) {
	c.t.Helper()
	if err := c.sim.DeleteInConsole(sid); err != nil {
		c.t.Fatal(err)
	}
}

// bundleByHand makes a bundle in draft in the subaccount, with nothing on it.
func (c *console) bundleByHand(s subaccount, collection, policy string) (sid string) {
	c.t.Helper()
	return c.as(s, http.MethodPost, collection, url.Values{"FriendlyName": {"By hand"}, "Email": {"trust@isv.example"}, "PolicySid": {policy}})
}
