package api

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// twilioProblem is the answer if a call to Twilio failed that the answer needs: 503 if a later
// request may succeed, otherwise 502 with what Twilio said. It is never a fault of the request.
func twilioProblem(e *onboarding.RemoteError) *problemError {
	if e.Class == onboarding.ClassRepeatable || e.Class == onboarding.ClassUnknown && e.HTTPStatus == 0 {
		return &problemError{
			kind: problemUnavailable, detail: "Twilio does not answer at the moment. Try again.", retryAfter: e.RetryAfter, twilio: twilioSaid(e), cause: e,
		}
	}
	return &problemError{kind: problemTwilioFailed, detail: twilioDetail(e), twilio: twilioSaid(e), cause: e}
}

func twilioDetail(e *onboarding.RemoteError) string {
	switch {
	case e.HTTPStatus >= http.StatusMultipleChoices && e.Code != 0:
		return fmt.Sprintf("Twilio answered %d with code %d, see twilio.", e.HTTPStatus, e.Code)
	case e.HTTPStatus >= http.StatusMultipleChoices:
		return fmt.Sprintf("Twilio answered %d and gave no code.", e.HTTPStatus)
	default:
		return "Twilio's answer cannot be understood."
	}
}

// twilioSaid is nil if Twilio said nothing.
func twilioSaid(e *onboarding.RemoteError) *TwilioFailure {
	if e.HTTPStatus == 0 {
		return nil
	}
	return &TwilioFailure{Code: orNull(e.Code), Message: orNull(e.Message), MoreInfo: orNull(e.MoreInfo), HTTPStatus: orNull(e.HTTPStatus)}
}

// retryAfterDefault is the Retry-After, in seconds, of a failure whose end nobody knows.
const retryAfterDefault = 5

// retryAfterSeconds writes the header in whole seconds, rounded up.
func retryAfterSeconds(d time.Duration) string {
	if d <= 0 {
		return strconv.Itoa(retryAfterDefault)
	}
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
