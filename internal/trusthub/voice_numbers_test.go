package trusthub

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
)

func listed(n int, capabilities string) string {
	return fmt.Sprintf(`{"sid": %q, "phone_number": %q, "capabilities": %s}`, number(n).SID, number(n).Number, capabilities)
}

func TestNumbersThatCanMakeCallsAreListedFromAllPagesByTheirNumber(t *testing.T) {
	t.Parallel()
	const path = "/2010-04-01/Accounts/" + subSID + "/IncomingPhoneNumbers.json"
	tw := answering(func(w http.ResponseWriter, r *http.Request) {
		switch account, _, _ := r.BasicAuth(); {
		case r.URL.Path != path || account != parentSID:
			answer(w, 404, `{"code": 20404}`)
		case r.URL.Query().Get("Page") == "":
			answer(w, 200, `{"incoming_phone_numbers": [`+listed(4, `{"voice": true, "SMS": false}`)+`,`+listed(2, `{"voice": false, "sms": true}`)+
				`], "next_page_uri": "`+path+`?Page=1"}`)
		default:
			answer(w, 200, `{"incoming_phone_numbers": [`+listed(3, `{"voice": true}`)+`,`+listed(1, `{"voice": true, "fax": null}`)+`,`+listed(4, `{"voice": true, "SMS": false}`)+`]}`)
		}
	})
	found, err := connect(t, tw, "").ListPhoneNumbers(context.Background(), subSID)
	if want := []onboarding.PhoneNumber{number(1), number(3), number(4)}; err != nil || !reflect.DeepEqual(found, want) {
		t.Errorf("listed %v, %v; want %v", found, err, want)
	}
	if len(tw.seen()) != 2 || tw.fetches != 0 {
		t.Errorf("requests: %q; want one for each page, and none for the token", tw.seen())
	}
}

func TestANumberThatDoesNotSayWhatItCanDoIsNotTakenForReleased(t *testing.T) {
	t.Parallel()
	for _, entry := range []string{
		listed(1, `null`), listed(1, `{}`), listed(1, `{"voice": null}`), listed(1, `{"voice": "yes"}`), listed(1, `[]`),
		`{"sid": "PN01", "capabilities": {"voice": true}}`, `{"phone_number": "+15005550101", "capabilities": {"voice": true}}`,
	} {
		body := `{"incoming_phone_numbers": [` + listed(2, `{"voice": true}`) + `,` + entry + `]}`
		found, err := connect(t, answering(always(200, body)), "").ListPhoneNumbers(context.Background(), subSID)
		if err == nil {
			t.Errorf("%s: listed %v", entry, found)
		}
	}
}

func TestNoListIsAskedForOfAMalformedAccount(t *testing.T) {
	t.Parallel()
	tw := answering(always(200, `{"incoming_phone_numbers": []}`))
	_, err := connect(t, tw, "").ListPhoneNumbers(context.Background(), "AC/../"+strings.Repeat("0", 32))
	wantClass(t, err, onboarding.ClassPermanent)
	if len(tw.seen()) != 0 {
		t.Errorf("requests: %q", tw.seen())
	}
}
