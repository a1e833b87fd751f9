package api

import (
	"strconv"
	"strings"
)

// ifMatchHeader carries the ETag of the onboarding that is corrected.
const ifMatchHeader = "If-Match"

// etagOf is the ETag of an onboarding: the version of its request in quotes.
func etagOf(version int) string { return strconv.Quote(strconv.Itoa(version)) }

// matchesETag tells whether If-Match (RFC 9110, section 13.1.1) names the version: by its ETag,
// alone or in a list, or by "*". The RFC excludes weak ETags here. They match all the same, because
// a proxy that compresses an answer makes its ETag weak, and the version is the same one. The list
// is split at each comma: our ETags have none, so no part of a foreign ETag can become one of ours.
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
