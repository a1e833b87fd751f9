package api

import (
	"net/http"
	"testing"
)

// A path parameter arrives decoded, however it was written: some clients escape a plus sign.
func TestAPathParameterMayBeEscaped(t *testing.T) {
	t.Parallel()
	for _, written := range []string{"+12025550100", "%2B12025550100", "%2b12025550100", "PN00000000000000000000000000000001", "%50N00000000000000000000000000000001"} {
		b := setup(t)
		b.service.byID[testID] = approvedOnboarding()
		a := b.call(http.MethodDelete, "/onboardings/"+string(testID)+"/phone-numbers/"+written, nil)
		if a.status != http.StatusAccepted {
			t.Errorf("%s: %d %s", written, a.status, a.body)
		}
	}
	b := setup(t)
	b.service.byID[testID] = approvedOnboarding()
	if a := b.call(http.MethodGet, "/onboardings/%6Fnb_01890a5d-ac96-774b-bcce-b302099a8057", nil); a.status != http.StatusOK {
		t.Errorf("an escaped ID: %d %s", a.status, a.body)
	}
}
