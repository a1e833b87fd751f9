package api

import (
	"net/http"
	"strings"
	"testing"
)

func TestEveryAnswerWithAnOnboardingHasTheETagOfItsVersion(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.call(http.MethodPost, "/onboardings", validBody())
	if got := a.header.Get("ETag"); got != `"1"` {
		t.Errorf("POST: ETag %s", got)
	}
	b.service.byID[testID].Version = 7
	a = b.call(http.MethodGet, "/onboardings/"+string(testID), nil)
	if got := a.header.Get("ETag"); got != `"7"` {
		t.Errorf("GET: ETag %s", got)
	}
	a = b.call(http.MethodPost, "/onboardings/"+string(testID)+"/resume", nil)
	if got := a.header.Get("ETag"); got != `"7"` {
		t.Errorf("resume: ETag %s", got)
	}
	a = b.patch(`"7"`, map[string]any{})
	if got := a.header.Get("ETag"); got != `"8"` {
		t.Errorf("PATCH: ETag %s", got)
	}
}

func TestACorrectionNamesTheVersionThatItIsMadeTo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ifMatch []string // the header's lines
		want    int
		problem string
	}{
		"the ETag":               {[]string{`"3"`}, 202, ""},
		"one of several":         {[]string{`"2", "3"`}, 202, ""},
		"whatever is there":      {[]string{"*"}, 202, ""},
		"weakened by a proxy":    {[]string{`W/"3"`}, 202, ""},
		"missing":                {nil, 428, "precondition-required"},
		"without a value":        {[]string{""}, 428, "precondition-required"},
		"an older version":       {[]string{`"2"`}, 412, "precondition-failed"},
		"a version yet to come":  {[]string{`"4"`}, 412, "precondition-failed"},
		"several, not this":      {[]string{`"1","2"`}, 412, "precondition-failed"},
		"without quotes":         {[]string{`3`}, 412, "precondition-failed"},
		"begins like it":         {[]string{`"33"`}, 412, "precondition-failed"},
		"of another kind":        {[]string{`"%zz"`}, 412, "precondition-failed"},
		"no characters at all":   {[]string{"\xff"}, 412, "precondition-failed"},
		"longer than any can be": {[]string{`"` + strings.Repeat("3", 2000) + `"`}, 422, "validation-failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.service.byID[testID] = approvedOnboarding()
			b.service.byID[testID].Version = 3
			r := b.patchRequest("", map[string]any{})
			r.Header["If-Match"] = test.ifMatch
			a := b.do(r)
			if a.status != test.want {
				t.Fatalf("status %d, want %d: %s", a.status, test.want, a.body)
			}
			if done := len(b.service.requests) != 0; done != (test.want == http.StatusAccepted) {
				t.Errorf("the service was asked: %v", done)
			}
			if test.problem == "" {
				return
			}
			if p := a.problem(t); p.Type != "urn:attestd:problem:"+test.problem {
				t.Errorf("type %s, want %s", p.Type, test.problem)
			}
		})
	}
}

func TestIfMatchIsSentOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.service.byID[testID] = approvedOnboarding()
	r := b.patchRequest(`"1"`, map[string]any{})
	r.Header.Add("If-Match", `"2"`)
	a := b.do(r)
	p := a.problem(t)
	if a.status != http.StatusUnprocessableEntity || p.Errors == nil || len(*p.Errors) != 1 {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	if f := (*p.Errors)[0]; value(f.Parameter) != "If-Match" || f.Code != "duplicate" {
		t.Errorf("fault %s %s", value(f.Parameter), f.Code)
	}
}
