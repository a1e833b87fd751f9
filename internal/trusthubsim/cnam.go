package trusthubsim

import (
	"regexp"
	"strings"
	"unicode"
)

// callerNameForm is the form of a CNAM as Twilio's page on it describes it.
var callerNameForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9., ]{0,14}$`)

// isPhoneNumber says whether a display name is a phone number and no name.
func isPhoneNumber(name string) bool {
	digits := 0
	for _, r := range name {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsLetter(r):
			return false
		}
	}
	return digits >= 7
}

// prohibited are the terms that the documentation of the code 11008 names. The longest has to fit
// into 15 characters.
var prohibited = [][]string{{"FBI"}, {"SOCIAL", "SECURITY"}, {"GOVERNMENT"}, {"POLICE"}, {"MEDICARE"}}

// hasProhibitedWord says whether a display name holds a prohibited term as words of its own.
func hasProhibitedWord(name string) bool {
	words := nameWords(name)
	for _, term := range prohibited {
		for at := range words {
			if at+len(term) <= len(words) && strings.Join(words[at:at+len(term)], " ") == strings.Join(term, " ") {
				return true
			}
		}
	}
	return false
}

// namesBusiness says whether a display name has a word of the business's name, or the beginning of
// one with three letters or more.
func namesBusiness(name, business string) bool {
	for _, word := range nameWords(name) {
		for _, of := range nameWords(business) {
			if word == of || len(word) >= 3 && strings.HasPrefix(of, word) {
				return true
			}
		}
	}
	return false
}

func nameWords(text string) []string {
	return strings.FieldsFunc(strings.ToUpper(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
