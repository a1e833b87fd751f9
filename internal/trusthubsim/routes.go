package trusthubsim

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// route is one method on one path.
type route struct {
	query  []string // the parameters that a URL may have, in the order of the specification
	form   []field  // the parameters that a body may have
	handle func(*call) (answer, *apiError)
}

// field is one parameter of a body.
type field struct {
	name     string
	required bool
	check    func(string) bool // nil is any text
	code     int               // of the refusal when check fails, codeInvalidParameter by default
}

func need(name string, check func(string) bool) field {
	return field{name: name, required: true, check: check}
}

func may(name string, check func(string) bool) field { return field{name: name, check: check} }

// friendlyName may be set on nearly everything.
func friendlyName(required bool) field {
	return field{
		name: "FriendlyName", required: required, code: codeFriendlyName,
		check: func(text string) bool { return len([]rune(text)) <= 64 },
	}
}

func statusCallback() field { return field{name: "StatusCallback", check: isURL, code: codeInvalidURL} }

func sidOf(prefix string) func(string) bool {
	return func(text string) bool { return isSID(text, prefix) }
}

func oneOf(values ...string) func(string) bool {
	return func(text string) bool {
		for _, value := range values {
			if text == value {
				return true
			}
		}
		return false
	}
}

var isBoolean = oneOf("true", "false")

func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func isEmail(text string) bool {
	name, domain, ok := strings.Cut(text, "@")
	return ok && name != "" && strings.Contains(domain, ".") && !strings.ContainsAny(text, " \t,;") && !strings.Contains(domain, "@")
}

// paging appends the parameters that every list has to a list's filters.
func paging(filters ...string) []string { return append(filters, "PageSize", "Page", "PageToken") }

// routes maps a method and a path, in which each SID is cut to its two letters, to what is done
// about it.
var routes = map[string]*route{}

func init() {
	const accounts = "/2010-04-01/Accounts"
	listAnd(accounts+".json", paging("FriendlyName", "Status"), listAccounts,
		[]field{friendlyName(false)}, createAccount)
	instance(accounts+"/AC.json", fetchAccount,
		[]field{friendlyName(false), may("Status", oneOf("active", "suspended", "closed"))}, updateAccount, nil)

	addresses := accounts + "/AC/Addresses"
	listAnd(addresses+".json", paging("CustomerName", "FriendlyName", "EmergencyEnabled", "IsoCountry"), listAddresses,
		append(addressFields(true), need("IsoCountry", isCountry)), createAddress)
	instance(addresses+"/AD.json", fetchAddress, addressFields(false), updateAddress, deleteAddress)

	numbers := accounts + "/AC/IncomingPhoneNumbers"
	listAnd(numbers+".json", paging("Beta", "FriendlyName", "PhoneNumber", "Origin"), listPhoneNumbers,
		append(phoneNumberFields(), may("PhoneNumber", nil), may("AreaCode", nil)), buyPhoneNumber)
	instance(numbers+"/PN.json", fetchPhoneNumber,
		append(phoneNumberFields(), may("AccountSid", sidOf("AC"))), updatePhoneNumber, releasePhoneNumber)

	for _, kind := range []*bundleKind{customerProfiles, trustProducts} {
		bundleRoutes(kind)
	}

	attributes := may("Attributes", nil)
	listAnd("/v1/EndUsers", paging(), listEndUsers,
		[]field{friendlyName(true), need("Type", nil), attributes}, createEndUser)
	instance("/v1/EndUsers/IT", fetchEndUser, []field{friendlyName(false), attributes}, updateEndUser, deleteEndUser)
	listAnd("/v1/SupportingDocuments", paging(), listDocuments,
		[]field{friendlyName(true), need("Type", nil), attributes}, createDocument)
	instance("/v1/SupportingDocuments/RD", fetchDocument,
		[]field{friendlyName(false), attributes}, updateDocument, deleteDocument)

	listAnd("/v1/EndUserTypes", paging(), listEndUserTypes, nil, nil)
	instance("/v1/EndUserTypes/OY", fetchEndUserType, nil, nil, nil)
	listAnd("/v1/SupportingDocumentTypes", paging(), listDocumentTypes, nil, nil)
	instance("/v1/SupportingDocumentTypes/OY", fetchDocumentType, nil, nil, nil)
	listAnd("/v1/Policies", paging(), listPolicies, nil, nil)
	instance("/v1/Policies/RN", fetchPolicy, nil, nil, nil)
}

// bundleRoutes adds the paths of customer profiles or of trust products, which are alike.
func bundleRoutes(kind *bundleKind) {
	bundles := "/v1/" + kind.resource
	listAnd(bundles, paging("Status", "FriendlyName", "PolicySid"), kind.list,
		[]field{friendlyName(true), need("Email", isEmail), need("PolicySid", sidOf("RN")), statusCallback()}, kind.create)
	instance(bundles+"/BU", kind.fetch,
		[]field{
			{name: "Status", check: oneOf(statuses...), code: codeBundleStatus},
			statusCallback(), friendlyName(false), may("Email", isEmail),
		}, kind.update, kind.delete)

	entities := bundles + "/BU/EntityAssignments"
	listAnd(entities, paging("ObjectType"), kind.listEntities, []field{need("ObjectSid", sidOf(""))}, kind.assignEntity)
	instance(entities+"/BV", kind.fetchEntity, nil, nil, kind.unassignEntity)

	channels := bundles + "/BU/ChannelEndpointAssignments"
	listAnd(channels, paging("ChannelEndpointSid", "ChannelEndpointSids"), kind.listChannels,
		[]field{need("ChannelEndpointType", oneOf("phone-number")), need("ChannelEndpointSid", sidOf("PN"))}, kind.assignChannel)
	instance(channels+"/RA", kind.fetchChannel, nil, nil, kind.unassignChannel)

	evaluations := bundles + "/BU/Evaluations"
	listAnd(evaluations, paging(), kind.listEvaluations, []field{need("PolicySid", sidOf("RN"))}, kind.evaluate)
	instance(evaluations+"/EL", kind.fetchEvaluation, nil, nil, nil)
}

type handler = func(*call) (answer, *apiError)

// listAnd adds the routes of a collection: its list and, unless create is nil, its creation.
func listAnd(path string, query []string, list handler, fields []field, create handler) {
	routes[http.MethodGet+" "+path] = &route{query: query, handle: list}
	if create != nil {
		routes[http.MethodPost+" "+path] = &route{form: fields, handle: create}
	}
}

// instance adds the routes of one object; update and remove may be nil.
func instance(path string, fetch handler, fields []field, update, remove handler) {
	routes[http.MethodGet+" "+path] = &route{handle: fetch}
	if update != nil {
		routes[http.MethodPost+" "+path] = &route{form: fields, handle: update}
	}
	if remove != nil {
		routes[http.MethodDelete+" "+path] = &route{handle: remove}
	}
}

// find sets the call's route and the SIDs in its path. What is no SID, or one of another kind, is
// not found.
func (c *call) find(method string) *apiError {
	segments := strings.Split(c.path, "/")
	for i, segment := range segments {
		sid, json := strings.CutSuffix(segment, ".json")
		if !isSID(sid, "") {
			continue
		}
		c.sids = append(c.sids, sid)
		segments[i] = sid[:2]
		if json {
			segments[i] += ".json"
		}
	}
	shape := strings.Join(segments, "/")
	if c.route = routes[method+" "+shape]; c.route != nil {
		return nil
	}
	for _, other := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		if routes[other+" "+shape] != nil {
			return refuse(http.StatusMethodNotAllowed, codeMethodNotAllowed, "Method not allowed")
		}
	}
	return notFound(c.path)
}

// checkParameters refuses what the specification does not have, what lacks, and what is malformed.
func (c *call) checkParameters() *apiError {
	for name := range c.query {
		if !oneOf(c.route.query...)(name) {
			return badRequest(codeUnknownParameters, "Unknown query parameter %s", name)
		}
	}
	known := 0
	for _, f := range c.route.form {
		value := c.form.Get(f.name)
		if c.form.Has(f.name) {
			known++
		}
		switch {
		case value == "" && f.required:
			return badRequest(codeUnknownParameters, "Missing required parameter %s in the post body", f.name)
		case value != "" && f.check != nil && !f.check(value):
			code := f.code
			setDefault(&code, codeInvalidParameter)
			return badRequest(code, "Invalid parameter %s", f.name)
		}
	}
	if known < len(c.form) {
		return badRequest(codeUnknownParameters, "Unknown parameters in the post body")
	}
	return nil
}

// queryInt reads a whole number from the URL.
func (c *call) queryInt(name string, otherwise int) (int, *apiError) {
	text := c.query.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, badRequest(codeInvalidParameter, "Invalid parameter %s", name)
	}
	return n, nil
}

// lastSID is the SID of the object that the path ends in.
func (c *call) lastSID() string { return c.sids[len(c.sids)-1] }

// set copies a parameter of the body to an object's property, if the body has it.
func (c *call) set(to *string, name string) {
	if c.form.Has(name) {
		*to = c.form.Get(name)
	}
}
