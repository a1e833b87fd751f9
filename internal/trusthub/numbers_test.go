package trusthub

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/attestd/attestd/internal/onboarding"
)

const numbersPath = "/2010-04-01/Accounts/" + subSID + "/IncomingPhoneNumbers"

func number(n int) onboarding.PhoneNumber {
	return onboarding.PhoneNumber{SID: sid("PN", n), Number: fmt.Sprintf("+1500555%04d", 100+n)}
}

// numberJSON is an incoming phone number with those capabilities.
func numberJSON(n int, capabilities string) string {
	return fmt.Sprintf(`{"sid": %q, "phone_number": %q, "capabilities": %s}`,
		number(n).SID, number(n).Number, capabilities)
}

func numbersJSON(next string, numbers ...string) string {
	return fmt.Sprintf(`{"incoming_phone_numbers": [%s], "next_page_uri": %s}`,
		strings.Join(numbers, ","), next)
}

// numbersOf is a Twilio with an account that has those numbers. It filters by PhoneNumber no better
// than Twilio may: a longer number passes as well.
func numbersOf(has []int, perPage int) *twilio {
	return answering(func(w http.ResponseWriter, r *http.Request) {
		wanted := r.URL.Query().Get("PhoneNumber")
		one, isOne := strings.CutPrefix(r.URL.Path, numbersPath+"/")
		if isOne || wanted != "" {
			var items []string
			for _, n := range has {
				if one == number(n).SID+".json" || wanted == number(n).Number {
					items = append(items, numberJSON(n, "{}"))
				}
			}
			switch {
			case !isOne:
				longer := `{"sid": "` + numberSID + `", "phone_number": "` + wanted + `9"}`
				answer(w, 200, numbersJSON("null", append(items, longer)...))
			case len(items) > 0:
				answer(w, 200, items[0])
			default:
				answer(w, 404, `{"code": 20404, "message": "not found", "status": 404}`)
			}
			return
		}
		page := 0
		fmt.Sscanf(r.URL.Query().Get("Page"), "%d", &page)
		var items []string
		for _, n := range has[min(page*perPage, len(has)):min((page+1)*perPage, len(has))] {
			items = append(items, numberJSON(n, "{}"))
		}
		next := "null"
		if (page+1)*perPage < len(has) {
			next = fmt.Sprintf(`"%s.json?PageSize=1000&Page=%d"`, numbersPath, page+1)
		}
		answer(w, 200, numbersJSON(next, items...))
	})
}

func TestFewNumbersAreLookedUpOneByOne(t *testing.T) {
	t.Parallel()
	tw := numbersOf([]int{1, 2, 3}, 1000)
	wanted := []string{
		number(3).Number, number(1).SID, number(9).SID, number(9).Number,
		number(1).Number, number(3).Number, "PN/../x",
	}
	found, err := connect(t, tw, "").FindPhoneNumbers(t.Context(), subSID, wanted)
	if err != nil {
		t.Fatal(err)
	}
	if want := []onboarding.PhoneNumber{number(3), number(1)}; !reflect.DeepEqual(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
	if seen := tw.seen(); len(seen) != 6 || tw.fetches != 0 {
		t.Errorf("requests: %q; want one for each number, and none for the token", seen)
	}
	if !anyContains(tw.seen(), "PhoneNumber=%2B1500555") || anyContains(tw.seen(), "x.json") {
		t.Errorf("not all are filters in E.164 or fetches by SID: %q", tw.seen())
	}
}

func TestManyNumbersAreReadInPagesUntilAllAreFound(t *testing.T) {
	t.Parallel()
	var has []int
	for n := range 50 {
		has = append(has, n)
	}
	tw := numbersOf(has, 10)
	wanted := []string{number(27).Number, number(27).SID, sid("PN", 999)}
	want := []onboarding.PhoneNumber{number(27)}
	for n := 12; n >= 0; n-- {
		wanted = append(wanted, number(n).SID)
		want = append(want, number(n))
	}
	c := connect(t, tw, "")
	found, err := c.FindPhoneNumbers(t.Context(), subSID, wanted)
	if err != nil || !reflect.DeepEqual(found, want) {
		t.Errorf("found %v, %v; want %v", found, err, want)
	}
	if n := len(tw.seen()); n != 5 {
		t.Errorf("%d requests for 5 pages without one of the numbers", n)
	}

	before := len(tw.seen())
	found, err = c.FindPhoneNumbers(t.Context(), subSID, append(wanted[3:], wanted[0]))
	if err != nil || len(found) != 14 {
		t.Errorf("found %v, %v", found, err)
	}
	if n := len(tw.seen()) - before; n != 3 {
		t.Errorf("%d requests, want 3: the last number is on the third page", n)
	}
}

func TestNoNumbersNeedNoCall(t *testing.T) {
	t.Parallel()
	tw := numbersOf(nil, 10)
	found, err := connect(t, tw, "").FindPhoneNumbers(t.Context(), subSID, nil)
	if err != nil || found == nil || len(found) != 0 || len(tw.seen()) != 0 {
		t.Errorf("found %v, %v with %q", found, err, tw.seen())
	}
}

func TestOneFailedLookupFailsThemAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.RawQuery, "0100") {
				return answering(always(429, `{"code": 20429}`)).RoundTrip(r)
			}
			<-r.Context().Done() // The others are given up.
			return nil, r.Context().Err()
		}), "")
		wanted := []string{number(1).Number, number(0).Number, number(2).SID}
		_, err := c.FindPhoneNumbers(t.Context(), subSID, wanted)
		if r := wantClass(t, err, onboarding.ClassRepeatable); r.Code != 20429 {
			t.Errorf("the failure is %v, not the one that happened", err)
		}
	})
}

func TestAnUnreadableNumberDoesNotCountAsAbsent(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `{}`, `{"sid": null}`} {
		c := connect(t, answering(always(200, body)), "")
		for _, wanted := range []string{number(1).SID, number(1).Number} {
			if found, err := c.FindPhoneNumbers(t.Context(), subSID, []string{wanted}); err == nil {
				t.Errorf("%q for %s: found %v and no error", body, wanted, found)
			}
		}
	}
}

func TestNumbersThatCanMakeCallsAreListedFromAllPages(t *testing.T) {
	t.Parallel()
	const path = numbersPath + ".json"
	tw := answering(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != path:
			answer(w, 404, `{"code": 20404}`)
		case r.URL.Query().Get("Page") == "":
			answer(w, 200, numbersJSON(`"`+path+`?Page=1"`,
				numberJSON(4, `{"voice": true, "SMS": false}`),
				numberJSON(2, `{"voice": false, "sms": true}`)))
		default: // Number 4 is on both pages.
			answer(w, 200, numbersJSON("null",
				numberJSON(3, `{"voice": true}`),
				numberJSON(1, `{"voice": true, "fax": null}`),
				numberJSON(4, `{"voice": true, "SMS": false}`)))
		}
	})
	found, err := connect(t, tw, "").ListPhoneNumbers(t.Context(), subSID)
	want := []onboarding.PhoneNumber{number(1), number(3), number(4)}
	if err != nil || !reflect.DeepEqual(found, want) {
		t.Errorf("listed %v, %v; want %v, sorted", found, err, want)
	}
	if len(tw.seen()) != 2 || tw.fetches != 0 {
		t.Errorf("requests: %q; want one for each page, and none for the token", tw.seen())
	}
}

func TestANumberWithoutItsCapabilitiesDoesNotCountAsReleased(t *testing.T) {
	t.Parallel()
	for _, entry := range []string{
		numberJSON(1, `null`), numberJSON(1, `{}`), numberJSON(1, `[]`),
		numberJSON(1, `{"voice": null}`), numberJSON(1, `{"voice": "yes"}`),
		`{"sid": "` + numberSID + `", "capabilities": {"voice": true}}`,
		`{"phone_number": "+15005550101", "capabilities": {"voice": true}}`,
	} {
		body := numbersJSON("null", numberJSON(2, `{"voice": true}`), entry)
		found, err := connect(t, answering(always(200, body)), "").ListPhoneNumbers(t.Context(), subSID)
		if err == nil {
			t.Errorf("%s: listed %v", entry, found)
		}
	}
}
