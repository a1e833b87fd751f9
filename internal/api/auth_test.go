package api

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestEveryOperationOnOnboardingsWantsAKey(t *testing.T) {
	t.Parallel()
	strange, _ := NewKey()
	for name, test := range map[string]struct {
		authorization string
		asked         int
	}{
		"none":            {"", 0},
		"another scheme":  {"Basic dXNlcjpwYXNz", 0},
		"no key":          {"Bearer ", 0},
		"without form":    {"Bearer secret", 0},
		"wrong alphabet":  {"Bearer atd_" + strings.Repeat("-", 43), 0},
		"one that is not": {"Bearer " + strange, 1},
	} {
		for _, operation := range []struct{ method, path string }{
			{http.MethodPost, "/onboardings"},
			{http.MethodGet, "/onboardings"},
			{http.MethodGet, "/onboardings/" + string(testID)},
			{http.MethodPatch, "/onboardings/" + string(testID)},
			{http.MethodPost, "/onboardings/" + string(testID) + "/resume"},
		} {
			t.Run(name+" "+operation.method+operation.path, func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				r := b.request(operation.method, operation.path, nil)
				r.Header.Set("Authorization", test.authorization)
				a := b.do(r)
				if p := a.problem(t); a.status != http.StatusUnauthorized || p.Type != "urn:attestd:problem:unauthorized" {
					t.Errorf("status %d, type %s", a.status, p.Type)
				}
				challenge := a.header.Get("WWW-Authenticate")
				if !strings.HasPrefix(challenge, `Bearer realm="attestd"`) || strings.Contains(challenge, "invalid_token") != (test.authorization != "") {
					t.Errorf("WWW-Authenticate %q", challenge)
				}
				if b.keys.asked != test.asked {
					t.Errorf("the keys were asked %d times, want %d", b.keys.asked, test.asked)
				}
			})
		}
	}
}

func TestTheSchemeIsReadWithoutCase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.request(http.MethodGet, "/onboardings", nil)
	r.Header.Set("Authorization", "bearer "+b.operator)
	if a := b.do(r); a.status != http.StatusOK {
		t.Errorf("status %d", a.status)
	}
}

func TestAViewerMayOnlyRead(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		method, path string
		body         any
		want         int
	}{
		{http.MethodGet, "/onboardings", nil, http.StatusOK},
		{http.MethodGet, "/onboardings/" + string(testID), nil, http.StatusOK},
		{http.MethodPost, "/onboardings", validBody(), http.StatusForbidden},
		{http.MethodPatch, "/onboardings/" + string(testID), map[string]any{}, http.StatusForbidden},
		{http.MethodPost, "/onboardings/" + string(testID) + "/resume", nil, http.StatusForbidden},
	} {
		b := setup(t)
		b.service.byID[testID] = approvedOnboarding()
		r := b.request(test.method, test.path, test.body)
		r.Header.Set("Authorization", "Bearer "+b.viewer)
		a := b.do(r)
		if a.status != test.want {
			t.Errorf("%s %s: status %d, want %d", test.method, test.path, a.status, test.want)
		}
		if test.want == http.StatusForbidden && (len(b.service.requests) != 0 || len(b.service.actors) != 0) {
			t.Errorf("%s %s: something was done", test.method, test.path)
		}
	}
}

func TestAKeyOfAnUnknownRoleMayDoNoMoreThanAViewer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key := b.keys.add("from the future", "auditor")
	r := b.request(http.MethodPost, "/onboardings", validBody())
	r.Header.Set("Authorization", "Bearer "+key)
	if a := b.do(r); a.status != http.StatusForbidden {
		t.Errorf("status %d", a.status)
	}
}

func TestWhatIsPublicWantsNoKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, path := range []string{"/livez", "/readyz", "/openapi.yaml"} {
		r := b.request(http.MethodGet, path, nil)
		r.Header.Del("Authorization")
		if a := b.do(r); a.status != http.StatusOK {
			t.Errorf("%s: status %d", path, a.status)
		}
	}
	if b.keys.asked != 0 {
		t.Error("the keys were asked")
	}
}

func TestTheKeyIsCheckedBeforeTheBodyIsRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := b.request(http.MethodPost, "/onboardings", nil)
	r.Header.Del("Authorization")
	r.Body = unreadable{t}
	if a := b.do(r); a.status != http.StatusUnauthorized {
		t.Errorf("status %d", a.status)
	}
}

type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, errors.New("unreadable")
}

func (unreadable) Close() error { return nil }

func TestARevokedKeyEndsAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if a := b.call(http.MethodGet, "/onboardings", nil); a.status != http.StatusOK {
		t.Fatalf("status %d", a.status)
	}
	clear(b.keys.known)
	if a := b.call(http.MethodGet, "/onboardings", nil); a.status != http.StatusUnauthorized {
		t.Errorf("status %d after the key was revoked", a.status)
	}
}

func TestKeysThatCannotBeLookedUpAreOurFault(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.keys.err = errors.New("connection refused at 10.0.0.1")
	a := b.call(http.MethodGet, "/onboardings", nil)
	if a.status != http.StatusInternalServerError || strings.Contains(string(a.body), "10.0.0.1") {
		t.Errorf("status %d: %s", a.status, a.body)
	}
}
