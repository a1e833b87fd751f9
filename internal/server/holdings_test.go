package server_test

import (
	"net/http"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/trusthubsim"
)

// wantEachOnce checks that the account has one of everything that an onboarding makes.
func wantEachOnce(t *testing.T, held trusthubsim.AccountState, representatives, numbers int) {
	t.Helper()
	if diff := eachOnce(held, representatives, numbers); diff != "" {
		t.Errorf("what Twilio holds (-want +got):\n%s", diff)
	}
}

// eachOnce returns how the content of the account differs from one of everything that an onboarding
// makes; "" if it does not.
func eachOnce(held trusthubsim.AccountState, representatives, numbers int) string {
	got := map[string]int{
		"customer profiles":    len(held.CustomerProfiles),
		"trust products":       len(held.TrustProducts),
		"end users":            len(held.EndUsers),
		"supporting documents": len(held.SupportingDocuments),
		"addresses":            len(held.Addresses),
	}
	want := map[string]int{
		"customer profiles": 1, "trust products": 1, "end users": 1 + representatives, "supporting documents": 1, "addresses": 1,
		"objects on the profile": 3 + representatives, "numbers on the profile": numbers,
		"objects on the product": 1, "numbers on the product": numbers,
		"submissions of the profile": 1, "submissions of the product": 1,
	}
	for _, b := range held.CustomerProfiles {
		got["objects on the profile"] += len(b.EntityAssignments)
		got["numbers on the profile"] += len(b.ChannelEndpointAssignments)
		got["submissions of the profile"] += b.Submissions
	}
	for _, b := range held.TrustProducts {
		got["objects on the product"] += len(b.EntityAssignments)
		got["numbers on the product"] += len(b.ChannelEndpointAssignments)
		got["submissions of the product"] += b.Submissions
	}
	return cmp.Diff(want, got)
}

// wantNothingDeleted checks that nothing was made twice and then deleted.
func wantNothingDeleted(t *testing.T, held trusthubsim.AccountState) {
	t.Helper()
	if n := deletions(held); n > 0 {
		t.Errorf("%d objects were made twice and deleted:\n%+v", n, held.Deleted)
	}
}

// deletions is how many objects and assignments were deleted.
func deletions(held trusthubsim.AccountState) int {
	d := held.Deleted
	return len(d.CustomerProfiles) + len(d.TrustProducts) + len(d.EndUsers) + len(d.SupportingDocuments) + len(d.Addresses) +
		len(d.EntityAssignments) + len(d.ChannelEndpointAssignments)
}

// onBundles are the numbers on the profile and on the product, sorted.
func onBundles(held trusthubsim.AccountState) (profile, product []string) {
	on := func(bundles []trusthubsim.BundleState) []string {
		sids := []string{}
		for _, b := range bundles {
			for _, a := range b.ChannelEndpointAssignments {
				sids = append(sids, a.ChannelEndpointSID)
			}
		}
		return sorted(sids)
	}
	return on(held.CustomerProfiles), on(held.TrustProducts)
}

func (c *console) wantNumbers(s subaccount, want ...string) {
	c.t.Helper()
	profile, product := onBundles(c.held(s))
	if diff := cmp.Diff(sorted(slices.Clone(want)), profile); diff != "" {
		c.t.Errorf("numbers on the profile (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(sorted(slices.Clone(want)), product); diff != "" {
		c.t.Errorf("numbers on the product (-want +got):\n%s", diff)
	}
}

// wantNothing checks that Twilio has nothing of the onboarding any more.
func (c *console) wantNothing(s subaccount) {
	c.t.Helper()
	held := c.held(s)
	if n := len(held.CustomerProfiles) + len(held.TrustProducts) + len(held.EndUsers) + len(held.SupportingDocuments) + len(held.Addresses); n != 0 {
		c.t.Errorf("%d objects are left: %+v", n, held.Holdings)
	}
}

var sidInPath = regexp.MustCompile(`/[A-Z]{2}[0-9a-f]{32}`)

// calls counts requests by method and path, with every SID as {sid}.
func calls(requests []trusthubsim.Request) map[string]int {
	count := make(map[string]int)
	for _, r := range requests {
		count[r.Method+" "+sidInPath.ReplaceAllString(r.Path, "/{sid}")]++
	}
	return count
}

// writtenTo are the SIDs of the objects that the POSTs among the requests wrote to. A POST that
// made an object stands by its path. They are sorted.
func writtenTo(requests []trusthubsim.Request) []string {
	var written []string
	for _, r := range requests {
		if r.Method != http.MethodPost {
			continue
		}
		object := r.Path
		for _, part := range strings.Split(strings.TrimSuffix(r.Path, ".json"), "/") {
			if len(part) == 34 {
				object = part
			}
		}
		written = append(written, object)
	}
	return sorted(written)
}

func sorted(s []string) []string {
	sort.Strings(s)
	return s
}
