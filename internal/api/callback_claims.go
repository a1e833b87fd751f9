package api

import (
	"encoding/json"
	"mime"
	"net/url"
	"regexp"
	"strings"
)

// callbackStatusForm is the form of a status of a bundle, in any case.
var callbackStatusForm = regexp.MustCompile(`^[A-Za-z_-]{1,64}$`)

// bundleNames are the members, in lower case, that were seen to carry the SID of a bundle. The
// first one present counts. Twilio does not document the callbacks of Trust Hub.
var bundleNames = []string{"bundlesid", "customerprofilesid", "trustproductsid", "sid"}

// callbackClaims returns the bundle and the status that a callback claims; "" for a claim that is
// missing or cannot be read. Nobody acts on a claim: it decides at most whether the bundle is read
// now or at its next poll.
func callbackClaims(contentType string, body []byte) (bundleSID, status string) {
	claims := decodeClaims(contentType, body)
	for _, name := range bundleNames {
		if isSID("BU", claims[name]) {
			bundleSID = lowerSID(claims[name])
			break
		}
	}
	if callbackStatusForm.MatchString(claims["status"]) {
		status = strings.ToLower(claims["status"])
	}
	return bundleSID, status
}

// decodeClaims returns the text members of a form or a JSON object by their names in lower case.
func decodeClaims(contentType string, body []byte) map[string]string {
	claims := make(map[string]string)
	mediaType, _, _ := mime.ParseMediaType(contentType) // A malformed one matches neither case.
	switch mediaType {
	case "application/json":
		var members map[string]any
		if json.Unmarshal(body, &members) != nil {
			return claims
		}
		for name, member := range members {
			if s, ok := member.(string); ok {
				claim(claims, name, s)
			}
		}
	case "application/x-www-form-urlencoded":
		form, _ := url.ParseQuery(string(body)) // It returns the readable part with the error.
		for name, values := range form {
			claim(claims, name, values[0])
		}
	}
	return claims
}

// claim notes a member under its name in lower case. If names differ only in case, the greatest
// value counts, so that the same body always gives the same claims.
func claim(claims map[string]string, name, value string) {
	if value = strings.TrimSpace(value); value > claims[strings.ToLower(name)] {
		claims[strings.ToLower(name)] = value
	}
}
