package onboarding

import (
	"regexp"
	"strings"
)

// sidPattern is the form of every SID of Twilio's: two letters for the kind, and 32 hex digits.
// Twilio writes the digits in lower case; people do not always.
var sidPattern = regexp.MustCompile(`\b[A-Z]{2}[0-9a-fA-F]{32}\b`)

// IsSID says whether s is a SID of the kind that prefix names ("AC" for an account); "" stands for
// any kind.
func IsSID(prefix, s string) bool {
	return s != "" && strings.HasPrefix(s, prefix) && sidPattern.FindString(s) == s
}

// LowerSID returns a SID with its digits in lower case, as Twilio writes them. Two spellings of one
// SID would otherwise compare as different. Any other text is returned as it is.
func LowerSID(s string) string {
	if !IsSID("", s) {
		return s
	}
	return s[:2] + strings.ToLower(s[2:])
}

// SIDsIn returns the SIDs of that kind that a text mentions, in their order and spelling.
func SIDsIn(prefix, text string) []string {
	var found []string
	for _, sid := range sidPattern.FindAllString(text, -1) {
		if strings.HasPrefix(sid, prefix) {
			found = append(found, sid)
		}
	}
	return found
}
