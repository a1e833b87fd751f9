package trusthub

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/attestd/attestd/internal/onboarding"
)

func number(n int) onboarding.PhoneNumber {
	return onboarding.PhoneNumber{SID: sid("PN", n), Number: fmt.Sprintf("+1500555%04d", 100+n)}
}

func numberJSON(n int) string {
	return fmt.Sprintf(`{"sid": %q, "phone_number": %q}`, number(n).SID, number(n).Number)
}

// numbersOf serves an account's incoming phone numbers, perPage to a page. The PhoneNumber filter also lets longer numbers through.
func numbersOf(held []int, perPage int) *twilio {
	return answering(func(w http.ResponseWriter, r *http.Request) {
		const base = "/2010-04-01/Accounts/" + subSID + "/IncomingPhoneNumbers"
		if one, ok := strings.CutPrefix(r.URL.Path, base+"/"); ok {
			for _, n := range held {
				if one == number(n).SID+".json" {
					answer(w, 200, numberJSON(n))
					return
				}
			}
			answer(w, 404, `{"code": 20404, "message": "not found", "status": 404}`)
			return
		}
		if wanted := r.URL.Query().Get("PhoneNumber"); wanted != "" {
			items := []string{`{"sid": "PNlonger", "phone_number": "` + wanted + `9"}`}
			for _, n := range held {
				if wanted == number(n).Number {
					items = append(items, numberJSON(n))
				}
			}
			answer(w, 200, `{"incoming_phone_numbers": [`+strings.Join(items, ",")+`], "next_page_uri": null}`)
			return
		}
		page := 0
		fmt.Sscanf(r.URL.Query().Get("Page"), "%d", &page)
		var items []string
		for _, n := range held[min(page*perPage, len(held)):min((page+1)*perPage, len(held))] {
			items = append(items, numberJSON(n))
		}
		next := "null"
		if (page+1)*perPage < len(held) {
			next = fmt.Sprintf(`"%s.json?PageSize=1000&Page=%d"`, base, page+1)
		}
		answer(w, 200, `{"incoming_phone_numbers": [`+strings.Join(items, ",")+`], "next_page_uri": `+next+`}`)
	})
}

func TestFewNumbersAreLookedUpOneByOne(t *testing.T) {
	t.Parallel()
	tw := numbersOf([]int{1, 2, 3}, 1000)
	wanted := []string{number(3).Number, number(1).SID, number(9).SID, number(9).Number, number(1).Number, number(3).Number, "PN/../x"}
	found, err := connect(t, tw, "").FindPhoneNumbers(context.Background(), subSID, wanted)
	if err != nil {
		t.Fatal(err)
	}
	if want := []onboarding.PhoneNumber{number(3), number(1)}; !reflect.DeepEqual(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
	if seen := tw.seen(); len(seen) != 6 || tw.fetches != 0 {
		t.Errorf("requests: %q; want one for each number, and none for the token", seen)
	}
	if !contains(tw.seen(), "PhoneNumber=%2B1500555") {
		t.Errorf("the filter does not hold the plus sign: %q", tw.seen())
	}
}

func TestManyNumbersAreReadInPagesUntilAllAreFound(t *testing.T) {
	t.Parallel()
	var held []int
	for n := range 50 {
		held = append(held, n)
	}
	tw := numbersOf(held, 10)
	wanted := []string{number(27).Number, number(27).SID, sid("PN", 999)}
	var want []onboarding.PhoneNumber
	want = append(want, number(27))
	for n := 12; n >= 0; n-- {
		wanted = append(wanted, number(n).SID)
		want = append(want, number(n))
	}
	c := connect(t, tw, "")
	found, err := c.FindPhoneNumbers(context.Background(), subSID, wanted)
	if err != nil || !reflect.DeepEqual(found, want) {
		t.Errorf("found %v, %v; want %v", found, err, want)
	}
	if n := len(tw.seen()); n != 5 {
		t.Errorf("%d requests for 5 pages with a number that is not there", n)
	}

	before := len(tw.seen())
	found, err = c.FindPhoneNumbers(context.Background(), subSID, append(wanted[3:], wanted[0]))
	if err != nil || len(found) != 14 {
		t.Errorf("found %v, %v", found, err)
	}
	if n := len(tw.seen()) - before; n != 3 {
		t.Errorf("%d requests, want 3: all are found on the third page", n)
	}
}

func TestNoNumbersNeedNoCall(t *testing.T) {
	t.Parallel()
	tw := numbersOf(nil, 10)
	found, err := connect(t, tw, "").FindPhoneNumbers(context.Background(), subSID, nil)
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
			<-r.Context().Done() // the others are given up
			return nil, r.Context().Err()
		}), "")
		_, err := c.FindPhoneNumbers(context.Background(), subSID, []string{number(1).Number, number(0).Number, number(2).SID})
		if r := wantClass(t, err, onboarding.ClassRepeatable); r.Code != 20429 {
			t.Errorf("the failure is %v, not the one that happened", err)
		}
	})
}

func TestANumberThatCannotBeReadIsNotTakenForAbsent(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `{}`, `{"sid": null}`} {
		c := connect(t, answering(always(200, body)), "")
		for _, wanted := range []string{number(1).SID, number(1).Number} {
			if found, err := c.FindPhoneNumbers(context.Background(), subSID, []string{wanted}); err == nil {
				t.Errorf("%q for %s: found %v and no error", body, wanted, found)
			}
		}
	}
}
