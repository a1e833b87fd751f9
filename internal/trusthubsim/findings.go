package trusthubsim

import (
	"fmt"
	"strings"
	"time"
)

// finding is one thing that a check or a review finds wrong.
type finding struct {
	code   int    // Twilio's, 0 for one that has words only
	object string // machine name of the type of the object to blame, "" for the bundle itself
	field  string
	words  string
}

// wordsByCode is what Twilio's dictionary of errors, or the reports of rejections, call each code.
var wordsByCode = map[int]string{
	11001: "Website URL doesn't match the required format.",
	11002: "Authorized Representative must have a valid US phone number (+1).",
	11003: "Business address must be a US address.",
	11004: "Business Registration Validation Failed.",
	11005: "Voice Integrity rejected as linked Business profile is not in approved status",
	11006: "CNAM registration rejected: linked Business Profile is not approved",
	11007: "CNAM registration rejected: display name does not match the registered business",
	11008: "CNAM registration rejected: display name contains prohibited content",
	11009: "CNAM registration rejected: display name does not meet requirements",
	11010: "The letter of authorization is missing or cannot be accepted",
	11011: "The business was registered less than a year ago",
	11014: "Display name does not adhere to formatting guidelines",
	11018: "Display name must not be a phone number",
	11022: "There was no response to the questions about the business",
	18601: "Unable to verify that the business name and the website belong together",
	18602: "Unable to verify the business registration number",
	18603: "Unable to verify the business address",
	18604: "Unable to verify Authorized representative #1",
	18605: "Unable to verify Authorized representative #2",
	18606: "The email domain does not match the website's domain",
	18609: "The business registration authority is not eligible",
}

// coded is the finding of a code, with the object and the field that a rule of the bundle's names.
func (b *bundle) coded(code int) finding {
	f := finding{code: code, words: wordsByCode[code]}
	setDefault(&f.words, fmt.Sprint(code))
	for _, r := range b.policy.reviewRules() {
		if r.code == code {
			f.object, f.field = r.object, r.field
			break
		}
	}
	return f
}

// findingsOf are the findings that a decision's errors stand for.
func (b *bundle) findingsOf(errors []ReviewError) []finding {
	var found []finding
	for _, e := range errors {
		var code int
		switch v := e["code"].(type) {
		case int:
			code = v
		case float64:
			code = int(v)
		}
		f := b.coded(code)
		if words, ok := e["message"].(string); ok && words != "" {
			f.words = words
		}
		found = append(found, f)
	}
	return found
}

// wordsOf is what a callback says about findings.
func wordsOf(found []finding) string {
	var text strings.Builder
	for i, f := range found {
		switch {
		case i == 0:
		case strings.HasSuffix(found[i-1].words, ".") || strings.HasSuffix(found[i-1].words, ";"):
			text.WriteString(" ")
		default:
			text.WriteString("; ")
		}
		text.WriteString(f.words)
	}
	return text.String()
}

// evaluationOf is the evaluation that Twilio adds to a rejected bundle to say why.
func (s *Simulator) evaluationOf(b *bundle, found []finding, words string, now time.Time) *evaluation {
	e := &evaluation{
		identity: s.newIdentity(b.account.sid, "EL", now), bundle: b, shape: s.cfg.EvaluationShape, results: []resultJSON{},
	}
	if len(found) == 0 {
		found = []finding{{words: words}}
	}
	for _, f := range found {
		r := newResult(f.object, f.object, f.object, f.object)
		if t := typeNamed(endUserTypes, f.object); t != nil {
			r.FriendlyName, r.RequirementFriendlyName = t.friendlyName, t.friendlyName
		}
		if f.field == "" {
			r.fail(f.code, "%s", f.words)
		} else {
			r.wrong(attribute{name: f.field, friendlyName: f.field}, f.code, "%s", f.words)
		}
		e.results = append(e.results, r)
	}
	return e
}
