package api

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attestd/attestd/internal/onboarding"
)

// A reader sees each member that was sent, so that the request can be corrected and sent again.
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

// No member of a body is lost on the way into a request and back: the code knows every member of
// the contract.
func TestEveryMemberOfTheContractIsTakenOver(t *testing.T) {
	t.Parallel()
	var body NewOnboarding
	fill(t, reflect.ValueOf(&body).Elem(), "")
	if diff := cmp.Diff(body, requestJSON(requestOf(body))); diff != "" {
		t.Errorf("a body in which every member is set (-want +got):\n%s", diff)
	}
}

// fill gives every member of a generated type a value of its own.
func fill(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString(path)
	case reflect.Bool:
		// "all" is the one flag, and excludes the numbers that are set beside it.
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), path)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0), path+"/0")
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), path+"/"+v.Type().Field(i).Name)
		}
	default:
		t.Fatalf("%s is of a kind that this test does not know: %s", path, v.Kind())
	}
}
