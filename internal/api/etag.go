package api

import (
	"strconv"
	"strings"
)

// ifMatchHeader carries the ETag of the onboarding that a correction is made to.
const ifMatchHeader = "If-Match"

// etagOf is the ETag of an onboarding whose request has that version: the version in quotes.
func etagOf(version int) string { return strconv.Quote(strconv.Itoa(version)) }

// matchesETag tells whether If-Match (RFC 9110, section 13.1.1) names that version: as its ETag, alone or in a list, or by "*". The weak form
// is taken as well, against the letter: a proxy that compresses an answer makes its ETag weak, and it names the same version still. As our
// ETags have no commas in them, whatever has one may be cut in two without becoming one of ours.
func matchesETag(ifMatch string, version int) bool {
	if strings.TrimSpace(ifMatch) == "*" {
		return true
	}
	want := etagOf(version)
	for tag := range strings.SplitSeq(ifMatch, ",") {
		if strings.TrimPrefix(strings.TrimSpace(tag), "W/") == want {
			return true
		}
	}
	return false
}
