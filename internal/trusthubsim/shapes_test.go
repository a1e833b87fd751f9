package trusthubsim

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// shapes are the properties of each resource as Twilio's OpenAPI documents of Trust Hub v1 and of
// the 2010-04-01 API have them, by the path that a resource's collection has. A property is its
// name and its type; a ? after it says that it may be null. Types: two capital letters are a SID of
// that kind and ** one of any; s is text, b a boolean, o an object, a a list, u an absolute URL, p
// a path, iso and rfc the two ways of writing times; words with | between them are an enumeration.
var shapes = map[string]string{
	"Accounts": `auth_token:s date_created:rfc date_updated:rfc friendly_name:s owner_account_sid:AC sid:AC
		status:active|suspended|closed subresource_uris:o type:Trial|Full uri:p`,
	"Addresses": `account_sid:AC city:s customer_name:s date_created:rfc date_updated:rfc emergency_enabled:b
		friendly_name:s? iso_country:s postal_code:s region:s sid:AD street:s street_secondary:s? uri:p validated:b verified:b
		subresource_uris:o`,
	"IncomingPhoneNumbers": `account_sid:AC address_requirements:none|any|local|foreign address_sid:AD? api_version:s beta:b?
		bundle_sid:BU? capabilities:o date_created:rfc date_updated:rfc emergency_address_sid:AD?
		emergency_address_status:registered|unregistered|pending-registration|registration-failure|pending-unregistration|unregistration-failure
		emergency_status:Active|Inactive friendly_name:s identity_sid:RI? origin:s phone_number:s sid:PN
		sms_application_sid:AP? sms_fallback_method:GET|POST sms_fallback_url:s sms_method:GET|POST sms_url:s
		status:s status_callback:s status_callback_method:GET|POST trunk_sid:TK? type:s uri:p voice_application_sid:AP?
		voice_caller_id_lookup:b voice_fallback_method:GET|POST voice_fallback_url:s? voice_method:GET|POST
		voice_receive_mode:voice|fax voice_url:s? subresource_uris:o`,
	"CustomerProfiles": bundleShape,
	"TrustProducts":    bundleShape,
	"EndUsers":         `sid:IT account_sid:AC friendly_name:s type:s attributes:o date_created:iso date_updated:iso url:u`,
	"SupportingDocuments": `sid:RD account_sid:AC friendly_name:s mime_type:s? type:s attributes:o date_created:iso date_updated:iso url:u
		status:DRAFT|PENDING_REVIEW|REJECTED|APPROVED|EXPIRED|PROVISIONALLY_APPROVED`,
	"EndUserTypes":            `sid:OY friendly_name:s machine_name:s fields:a url:u`,
	"SupportingDocumentTypes": `sid:OY friendly_name:s machine_name:s fields:a url:u`,
	"Policies":                `sid:RN friendly_name:s requirements:o url:u`,

	"CustomerProfiles/EntityAssignments":          `sid:BV customer_profile_sid:BU account_sid:AC object_sid:** date_created:iso url:u`,
	"TrustProducts/EntityAssignments":             `sid:BV trust_product_sid:BU account_sid:AC object_sid:** date_created:iso url:u`,
	"CustomerProfiles/ChannelEndpointAssignments": `sid:RA customer_profile_sid:BU ` + channelShape,
	"TrustProducts/ChannelEndpointAssignments":    `sid:RA trust_product_sid:BU ` + channelShape,
	"CustomerProfiles/Evaluations":                `sid:EL customer_profile_sid:BU ` + evaluationShape,
	"TrustProducts/Evaluations":                   `sid:EL trust_product_sid:BU ` + evaluationShape,
}

const (
	bundleShape = `sid:BU account_sid:AC policy_sid:RN friendly_name:s valid_until:iso? email:s status_callback:u?
		status:draft|pending-review|in-review|twilio-rejected|twilio-approved date_created:iso date_updated:iso url:u links:o errors:a?`
	channelShape    = `account_sid:AC channel_endpoint_type:s channel_endpoint_sid:PN date_created:iso url:u`
	evaluationShape = `account_sid:AC policy_sid:RN status:compliant|noncompliant results:a date_created:iso url:u`

	resultShape = `friendly_name:s object_type:s passed:b failure_reason:s? error_code:n? valid:a invalid:a
		requirement_friendly_name:s requirement_name:s`
	validShape   = `friendly_name:s object_field:s passed:b failure_reason:s? error_code:n?`
	invalidShape = `friendly_name:s object_field:s failure_reason:s error_code:n`

	metaShape  = `page:n page_size:n first_page_url:u previous_page_url:u? url:u next_page_url:u? key:s`
	v2010Shape = `page:n page_size:n first_page_uri:p previous_page_uri:p? uri:p next_page_uri:p? start:n end:n`
	errorShape = `code:n message:s more_info:u status:n`
)

// listKeys are the keys of lists that are not "results".
var listKeys = map[string]string{
	"Accounts": "accounts", "Addresses": "addresses", "IncomingPhoneNumbers": "incoming_phone_numbers",
	"EndUserTypes": "end_user_types", "SupportingDocumentTypes": "supporting_document_types",
}

// checkShape holds an answer against the shape of what its path names.
func checkShape(t *testing.T, path string, r result) {
	t.Helper()
	if r.status >= 400 {
		checkProperties(t, r.request, r.body, errorShape)
		return
	}
	collection, old, one := collectionOf(path)
	one = one || strings.HasPrefix(r.request, "POST")
	if one {
		checkResource(t, r.request, collection, r.body)
		return
	}
	key := "results"
	if listKeys[collection] != "" {
		key = listKeys[collection]
	}
	items, ok := r.body[key].([]any)
	if !ok {
		t.Fatalf("%s: no list %q in %v", r.request, key, r.body)
	}
	if old {
		checkProperties(t, r.request, r.body, v2010Shape+" "+key+":a")
	} else {
		checkProperties(t, r.request, r.body, "meta:o "+key+":a")
		meta := r.body["meta"].(map[string]any)
		checkProperties(t, r.request+" meta", meta, metaShape)
		if meta["key"] != key {
			t.Fatalf("%s: meta.key is %v, want %s", r.request, meta["key"], key)
		}
	}
	for _, item := range items {
		checkResource(t, r.request, collection, item.(map[string]any))
	}
}

// collectionOf names the collection that a path is of, and says whether it is of the older API and
// names one object.
func collectionOf(path string) (collection string, old, one bool) {
	path, _, _ = strings.Cut(path, "?")
	var names []string
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		segment = strings.TrimSuffix(segment, ".json")
		if one = isSID(segment, ""); !one {
			names = append(names, segment)
		}
	}
	old = names[0] == "2010-04-01"
	if old {
		return names[len(names)-1], old, one
	}
	return strings.Join(names[1:], "/"), old, one
}

func checkResource(t *testing.T, request, collection string, body map[string]any) {
	t.Helper()
	shape, ok := shapes[collection]
	if !ok {
		t.Fatalf("%s: no shape for %s", request, collection)
	}
	checkProperties(t, request, body, shape)
	if !strings.HasSuffix(collection, "Evaluations") {
		return
	}
	for _, item := range body["results"].([]any) {
		outcome := item.(map[string]any)
		checkProperties(t, request+" results", outcome, resultShape)
		for _, field := range outcome["valid"].([]any) {
			checkProperties(t, request+" valid", field.(map[string]any), validShape)
		}
		for _, field := range outcome["invalid"].([]any) {
			checkProperties(t, request+" invalid", field.(map[string]any), invalidShape)
		}
	}
}

func checkProperties(t *testing.T, request string, body map[string]any, shape string) {
	t.Helper()
	wanted := map[string]bool{}
	for property := range strings.FieldsSeq(shape) {
		name, kind, _ := strings.Cut(property, ":")
		wanted[name] = true
		value, ok := body[name]
		if !ok {
			t.Errorf("%s: %s is missing", request, name)
			continue
		}
		kind, nullable := strings.CutSuffix(kind, "?")
		if value == nil && nullable {
			continue
		}
		if !isOf(value, kind) {
			t.Errorf("%s: %s is %v, want %s", request, name, value, kind)
		}
	}
	for name := range body {
		if !wanted[name] {
			t.Errorf("%s: %s is not in the specification", request, name)
		}
	}
}

var sidKind = regexp.MustCompile(`^[A-Z]{2}$`)

func isOf(value any, kind string) bool {
	text, isText := value.(string)
	switch kind {
	case "b":
		_, ok := value.(bool)
		return ok
	case "n":
		_, ok := value.(float64)
		return ok
	case "o":
		_, ok := value.(map[string]any)
		return ok
	case "a":
		_, ok := value.([]any)
		return ok
	case "s":
		return isText
	case "u":
		return isText && isURL(text)
	case "p":
		return isText && strings.HasPrefix(text, "/")
	case "iso":
		_, err := time.Parse("2006-01-02T15:04:05Z", text)
		return err == nil
	case "rfc":
		_, err := time.Parse(time.RFC1123Z, text)
		return err == nil
	case "**":
		return isSID(text, "")
	}
	if sidKind.MatchString(kind) {
		return isSID(text, kind)
	}
	return isText && slices.Contains(strings.Split(kind, "|"), text)
}

// TestShapesAreChecked shows that the check can fail: each fault in an otherwise right answer is
// found.
func TestShapesAreChecked(t *testing.T) {
	t.Parallel()
	right := func() map[string]any {
		return map[string]any{"code": 20404.0, "message": "gone", "more_info": "https://example.com", "status": 404.0}
	}
	for name, spoil := range map[string]func(map[string]any){
		"missing": func(b map[string]any) { delete(b, "code") },
		"type":    func(b map[string]any) { b["code"] = "20404" },
		"null":    func(b map[string]any) { b["message"] = nil },
		"extra":   func(b map[string]any) { b["detail"] = "" },
		"URL":     func(b map[string]any) { b["more_info"] = "/docs" },
	} {
		body := right()
		spoil(body)
		probe := &testing.T{}
		checkProperties(probe, name, body, errorShape)
		if !probe.Failed() {
			t.Errorf("a body with the fault %q passes", name)
		}
	}
}
