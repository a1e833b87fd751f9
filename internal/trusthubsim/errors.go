package trusthubsim

import (
	"fmt"
	"net/http"
)

// Twilio's error codes that the simulator answers with, under the names of Twilio's dictionary of
// errors.
const (
	codeUnknownParameters  = 20001
	codeFriendlyName       = 20002
	codePermissionDenied   = 20003
	codeMethodNotAllowed   = 20004
	codeAccountNotActive   = 20005
	codeAccessDenied       = 20006
	codePageSize           = 20007
	codeNotFound           = 20404
	codeConflict           = 20409
	codeInvalidParameter   = 20422
	codeTooManyRequests    = 20429
	codeServerError        = 20500
	codeServiceUnavailable = 20503
	codeInvalidURL         = 21402
	codeInvalidNumber      = 21421
	codeNumberNotAvailable = 21422
	codeInvalidAreaCode    = 21451
	codeAddressInvalid     = 21628
	codeAddressSuggestion  = 21629
	codeAddressLinked      = 21630
	codeEndUserAssigned    = 21644
	codeDocumentAssigned   = 21645
	codeBundleInReview     = 21647
	codeBundleHasNumbers   = 21648
	codeBundleStatus       = 22203
	codeStatusAndProps     = 22204
	codeInvalidObject      = 22205
	codeInvalidObjectType  = 22206
	codeAttributesJSON     = 22207
	codeDocumentType       = 22210
	codeEndUserType        = 22212
	codeBadRequest         = 70002
)

// apiError is Twilio's answer to a request that it does not carry out.
type apiError struct {
	Code     int    `json:"code"`
	Message  string `json:"message"`
	MoreInfo string `json:"more_info"`
	Status   int    `json:"status"`
}

func (e *apiError) Error() string { return fmt.Sprintf("%d: %s", e.Code, e.Message) }

// refuse builds an error answer with an HTTP status, a code and a message.
func refuse(status, code int, format string, args ...any) *apiError {
	return &apiError{
		Code:     code,
		Message:  fmt.Sprintf(format, args...),
		MoreInfo: fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code),
		Status:   status,
	}
}

func badRequest(code int, format string, args ...any) *apiError {
	return refuse(http.StatusBadRequest, code, format, args...)
}

func conflict(format string, args ...any) *apiError {
	return refuse(http.StatusConflict, codeConflict, format, args...)
}

func notFound(path string) *apiError {
	return refuse(http.StatusNotFound, codeNotFound, "The requested resource %s was not found", path)
}

// alreadyAssigned is the answer to an assignment that exists: on this bundle or, for a number, on
// another one.
func (c *call) alreadyAssigned(object, bundle string) *apiError {
	return refuse(http.StatusConflict, c.sim.cfg.DuplicateCode, "%s is already assigned to %s", object, bundle)
}
