package trusthubsim

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// phoneNumber is a number in service.
type phoneNumber struct {
	identity
	account      *account
	number       string // E.164
	friendlyName string
	settings     map[string]string             // that nothing depends on, by parameter
	uses         map[string]*channelAssignment // by policy.use
}

// phoneNumberSetting is a property that can be set and read and means nothing to the simulator.
type phoneNumberSetting struct {
	parameter, property string
	check               func(string) bool
	initial             any // the property's value while the parameter was never set
}

var phoneNumberSettings = []phoneNumberSetting{
	{"ApiVersion", "api_version", oneOf("2010-04-01"), "2010-04-01"},
	{"SmsApplicationSid", "sms_application_sid", sidOf("AP"), nil},
	{"SmsFallbackMethod", "sms_fallback_method", oneOf("GET", "POST"), "POST"},
	{"SmsFallbackUrl", "sms_fallback_url", isURL, ""},
	{"SmsMethod", "sms_method", oneOf("GET", "POST"), "POST"},
	{"SmsUrl", "sms_url", isURL, ""},
	{"StatusCallback", "status_callback", isURL, ""},
	{"StatusCallbackMethod", "status_callback_method", oneOf("GET", "POST"), "POST"},
	{"VoiceApplicationSid", "voice_application_sid", sidOf("AP"), nil},
	{"VoiceFallbackMethod", "voice_fallback_method", oneOf("GET", "POST"), "POST"},
	{"VoiceFallbackUrl", "voice_fallback_url", isURL, ""},
	{"VoiceMethod", "voice_method", oneOf("GET", "POST"), "POST"},
	{"VoiceUrl", "voice_url", isURL, ""},
	{"VoiceReceiveMode", "voice_receive_mode", oneOf("voice", "fax"), "voice"},
	{"EmergencyStatus", "emergency_status", oneOf("Active", "Inactive"), "Inactive"},
	{"EmergencyAddressSid", "emergency_address_sid", sidOf("AD"), nil},
	{"TrunkSid", "trunk_sid", sidOf("TK"), nil},
	{"IdentitySid", "identity_sid", sidOf("RI"), nil},
	{"AddressSid", "address_sid", sidOf("AD"), nil},
	{"BundleSid", "bundle_sid", sidOf("BU"), nil},
}

func phoneNumberFields() []field {
	fields := []field{friendlyName(false), may("VoiceCallerIdLookup", isBoolean)}
	for _, setting := range phoneNumberSettings {
		fields = append(fields, may(setting.parameter, setting.check))
	}
	return fields
}

// The area codes of numbers that are not as others are.
const (
	codeWithoutVoice = "600" // Canada's for data services: no capability "voice"
	codeOnParents    = "700" // of no place: on the parent's primary profile from the beginning
)

// canCall says whether the number has the capability "voice".
func (n *phoneNumber) canCall() bool { return areaCodeOf(n.number) != codeWithoutVoice }

// kind is the type of number, as the older API names it.
func (n *phoneNumber) kind() string {
	if kindOf(n.number) == kindTollFree {
		return "toll-free"
	}
	return "local"
}

func (n *phoneNumber) path() string { return n.account.path() + "/IncomingPhoneNumbers/" + n.sid }

func (n *phoneNumber) render() any {
	properties := map[string]any{
		"account_sid": n.account.sid, "sid": n.sid, "phone_number": n.number, "friendly_name": n.friendlyName,
		"address_requirements": "none", "beta": false, "origin": "twilio", "status": "in-use", "type": n.kind(),
		"capabilities":             map[string]bool{"voice": n.canCall(), "sms": true, "mms": true, "fax": false},
		"emergency_address_status": "unregistered",
		"voice_caller_id_lookup":   n.settings["VoiceCallerIdLookup"] == "true",
		"date_created":             rfc2822(n.created), "date_updated": rfc2822(n.updated),
		"uri":              n.path() + ".json",
		"subresource_uris": map[string]string{"assigned_add_ons": n.path() + "/AssignedAddOns.json"},
	}
	for _, setting := range phoneNumberSettings {
		if value := n.settings[setting.parameter]; value != "" {
			properties[setting.property] = value
		} else {
			properties[setting.property] = setting.initial
		}
	}
	return properties
}

func (n *phoneNumber) answer(status int) (answer, *apiError) {
	return answer{status: status, body: n.render(), sid: n.sid}, nil
}

func (c *call) phoneNumber() (*phoneNumber, *apiError) {
	if n, ok := c.account.numbers.get(c.lastSID()); ok {
		return n, nil
	}
	return nil, notFound(c.path)
}

// listPhoneNumbers filters by a part of the number in which * stands for any digit, by name, and by
// properties that are the same for every number here.
func listPhoneNumbers(c *call) (answer, *apiError) {
	name := c.query.Get("FriendlyName")
	var pattern *regexp.Regexp // what is quoted always compiles
	if part := c.query.Get("PhoneNumber"); part != "" {
		pattern = regexp.MustCompile(strings.ReplaceAll(regexp.QuoteMeta(part), `\*`, `\d`))
	}
	none := c.query.Get("Origin") != "" && c.query.Get("Origin") != "twilio"
	match := func(n *phoneNumber) bool {
		return !none && (name == "" || n.friendlyName == name) && (pattern == nil || pattern.MatchString(n.number))
	}
	return v2010List(c, "incoming_phone_numbers", c.account.numbers.order, match, func(n *phoneNumber) any { return n.render() })
}

var (
	e164     = regexp.MustCompile(`^\+[1-9]\d{6,14}$`)
	areaCode = regexp.MustCompile(`^[2-9]\d{2}$`)
)

// buyPhoneNumber puts the number that was named, or the next one of an area code, into service.
func buyPhoneNumber(c *call) (answer, *apiError) {
	number, area := c.form.Get("PhoneNumber"), c.form.Get("AreaCode")
	switch {
	case number == "" && area == "":
		return answer{}, badRequest(codeUnknownParameters, "PhoneNumber or AreaCode is required")
	case number == "" && !areaCode.MatchString(area):
		return answer{}, badRequest(codeInvalidAreaCode, "%s is not a valid area code", area)
	case number == "":
		number = c.sim.nextNumber(area)
	case !e164.MatchString(number), strings.HasPrefix(number, "+1") && areaCodeOf(number) == "":
		return answer{}, badRequest(codeInvalidNumber, "%s is not a valid phone number", number)
	}
	if c.sim.numbersByE164[number] != nil {
		return answer{}, badRequest(codeNumberNotAvailable, "%s is not available", number)
	}
	bought := &phoneNumber{
		identity: c.sim.newIdentity(c.account.sid, "PN", c.now), account: c.account,
		number: number, friendlyName: number, settings: map[string]string{},
	}
	bought.fill(c)
	c.account.numbers.add(bought)
	c.sim.numbersByE164[number] = bought
	if primary, ok := c.sim.parent.profiles.get(c.sim.cfg.PrimaryProfileSID); ok && areaCodeOf(number) == codeOnParents {
		primary.addNumber(bought, c.now)
	}
	return bought.answer(http.StatusCreated)
}

// nextNumber is a free number of an area code: 555-0100 first, upwards from there.
func (s *Simulator) nextNumber(area string) string {
	for {
		number := fmt.Sprintf("+1%s%07d", area, 5550100+s.areaCodeNext[area])
		s.areaCodeNext[area]++
		if s.numbersByE164[number] == nil {
			return number
		}
	}
}

// fill takes the settings over.
func (n *phoneNumber) fill(c *call) {
	c.set(&n.friendlyName, "FriendlyName")
	for name, values := range c.form {
		n.settings[name] = values[0]
	}
}

func fetchPhoneNumber(c *call) (answer, *apiError) {
	n, apiErr := c.phoneNumber()
	if apiErr != nil {
		return answer{}, apiErr
	}
	return n.answer(http.StatusOK)
}

// updatePhoneNumber changes settings and, with AccountSid, moves the number to another account of
// the parent's, which only the parent may do.
func updatePhoneNumber(c *call) (answer, *apiError) {
	n, apiErr := c.phoneNumber()
	if apiErr != nil {
		return answer{}, apiErr
	}
	if target := c.form.Get("AccountSid"); target != "" && target != n.account.sid {
		to, ok := c.sim.accounts.get(target)
		if !ok || c.caller.owner != nil || !to.active() {
			return answer{}, badRequest(codeInvalidParameter, "The number cannot be moved to %s", target)
		}
		n.drop(c.now)
		n.account.numbers.take(n)
		n.account = to
		to.numbers.add(n)
	}
	n.fill(c)
	n.updated = c.now
	return n.answer(http.StatusOK)
}

func releasePhoneNumber(c *call) (answer, *apiError) {
	n, apiErr := c.phoneNumber()
	if apiErr != nil {
		return answer{}, apiErr
	}
	c.account.release(n, c.now)
	return answer{status: http.StatusNoContent, sid: n.sid}, nil
}

// release takes a number out of service, and so off its bundles.
func (a *account) release(n *phoneNumber, now time.Time) {
	n.drop(now)
	a.numbers.remove(n)
	delete(a.sim.numbersByE164, n.number)
}

// drop ends every assignment of the number, whatever its bundles' status.
func (n *phoneNumber) drop(now time.Time) {
	for _, p := range policies {
		if assigned := n.uses[p.use()]; assigned != nil {
			assigned.end(now)
		}
	}
}
