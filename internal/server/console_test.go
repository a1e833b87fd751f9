package server_test

import (
	"net/http"
	"net/url"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// console is where people act at Twilio without attestd: the reviewers, the support, and whoever
// has the account of the customer.
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

// reviewByHand leaves the decision of all later reviews to the test.
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

// bundleByHand makes an empty bundle in draft in the subaccount.
func (c *console) bundleByHand(s subaccount, collection, policy string) (sid string) {
	c.t.Helper()
	return c.as(s, http.MethodPost, collection, url.Values{"FriendlyName": {"By hand"}, "Email": {"trust@isv.example"}, "PolicySid": {policy}})
}
