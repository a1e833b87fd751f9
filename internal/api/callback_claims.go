package api

import (
	"encoding/json"
	"mime"
	"net/url"
	"regexp"
	"strings"
)

// callbackStatusForm is what a bundle's status looks like, in whatever case; anything else is no status.
var callbackStatusForm = regexp.MustCompile(`^[A-Za-z_-]{1,64}$`)

// bundleNames are the members under which a bundle's SID was seen, in lower case and in the order in which they are believed. Twilio does
// not document the callbacks of Trust Hub.
var bundleNames = []string{"bundlesid", "customerprofilesid", "trustproductsid", "sid"}

// callbackClaims returns what a callback claims about which bundle; "" for what it does not say, or not in a way that can be read. Nothing
// is acted on: the status decides at most whether the bundle is looked at now or at its next poll.
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

// decodeClaims returns the text members of a form or a JSON object, by their names in lower case.
func decodeClaims(contentType string, body []byte) map[string]string {
	claims := make(map[string]string)
	mediaType, _, _ := mime.ParseMediaType(contentType) // One that cannot be read is neither of the two.
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
		form, _ := url.ParseQuery(string(body)) // It returns what could be read beside the error.
		for name, values := range form {
			claim(claims, name, values[0])
		}
	}
	return claims
}

// claim notes a member under its name in lower case. Of several whose names differ in case alone, the last in order counts, so that the
// same body always says the same.
func claim(claims map[string]string, name, value string) {
	if value = strings.TrimSpace(value); value > claims[strings.ToLower(name)] {
		claims[strings.ToLower(name)] = value
	}
}
