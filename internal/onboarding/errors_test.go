package onboarding

import (
	"strings"
	"testing"
)

func TestErrorsNeverCarryTwiliosText(t *testing.T) {
	e := &RemoteError{Class: ClassPermanent, Code: 21628, HTTPStatus: 400, Message: "1 Secret Street is not valid"}
	if strings.Contains(e.Error(), "Secret") {
		t.Errorf("the error text %q repeats what was sent", e.Error())
	}
	if e.StepError().Message != e.Message {
		t.Error("the ledger must keep Twilio's text")
	}
}
