package api

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/onboarding"
)

// What a reader sees is what was asked for, to the last member, so that it can be corrected and sent again.
func TestARequestIsShownAsItWouldBeSent(t *testing.T) {
	t.Parallel()
	existing := validRequest()
	existing.Address = onboarding.Address{SID: "AD0123456789abcdef0123456789abcdef"}
	bare := validRequest()
	bare.ExternalID, bare.Business.SocialMediaProfileURLs, bare.Address.StreetSecondary = "", "", ""
	for name, r := range map[string]onboarding.Request{"whole": validRequest(), "with an existing address": existing, "without what is optional": bare} {
		if diff := cmp.Diff(r, requestOf(requestJSON(r))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
