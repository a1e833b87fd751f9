package trusthubsim

import (
	"net/http"
	"strings"
)

// address is a postal address of an account.
type address struct {
	identity
	account                                                       *account
	customerName, friendlyName                                    string
	street, streetSecondary, city, region, postalCode, isoCountry string
	emergencyEnabled, validated                                   bool
	// documents are those that name this address.
	documents map[*document]struct{}
}

// addressFields are the parameters that creation and update share; creation needs those that make
// up an address.
func addressFields(creation bool) []field {
	fields := []field{
		friendlyName(false), may("EmergencyEnabled", isBoolean), may("AutoCorrectAddress", isBoolean), may("StreetSecondary", nil),
		{name: "CustomerName", required: creation, check: func(text string) bool { return len(text) <= 64 }},
	}
	for _, name := range []string{"Street", "City", "Region", "PostalCode"} {
		fields = append(fields, field{name: name, required: creation})
	}
	return fields
}

type addressJSON struct {
	AccountSID       string  `json:"account_sid"`
	City             string  `json:"city"`
	CustomerName     string  `json:"customer_name"`
	DateCreated      string  `json:"date_created"`
	DateUpdated      string  `json:"date_updated"`
	EmergencyEnabled bool    `json:"emergency_enabled"`
	FriendlyName     *string `json:"friendly_name"`
	IsoCountry       string  `json:"iso_country"`
	PostalCode       string  `json:"postal_code"`
	Region           string  `json:"region"`
	SID              string  `json:"sid"`
	Street           string  `json:"street"`
	StreetSecondary  *string `json:"street_secondary"`
	Validated        bool    `json:"validated"`
	Verified         bool    `json:"verified"`
	URI              string  `json:"uri"`

	SubresourceURIs map[string]string `json:"subresource_uris"`
}

func (a *address) path() string { return a.account.path() + "/Addresses/" + a.sid }

func (a *address) render() any {
	return addressJSON{
		AccountSID: a.account.sid, City: a.city, CustomerName: a.customerName,
		DateCreated: rfc2822(a.created), DateUpdated: rfc2822(a.updated), EmergencyEnabled: a.emergencyEnabled,
		FriendlyName: orNull(a.friendlyName), IsoCountry: a.isoCountry, PostalCode: a.postalCode, Region: a.region,
		SID: a.sid, Street: a.street, StreetSecondary: orNull(a.streetSecondary), Validated: a.validated,
		URI:             a.path() + ".json",
		SubresourceURIs: map[string]string{"dependent_phone_numbers": a.path() + "/DependentPhoneNumbers.json"},
	}
}

// orNull is a pointer to text, or nil for "".
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func (a *address) answer(status int) (answer, *apiError) {
	return answer{status: status, body: a.render(), sid: a.sid}, nil
}

func (c *call) address() (*address, *apiError) {
	if a, ok := c.account.addresses.get(c.lastSID()); ok {
		return a, nil
	}
	return nil, notFound(c.path)
}

func listAddresses(c *call) (answer, *apiError) {
	wanted := func(name, value string) bool { return !c.query.Has(name) || c.query.Get(name) == value }
	match := func(a *address) bool {
		return wanted("CustomerName", a.customerName) && wanted("FriendlyName", a.friendlyName) &&
			wanted("IsoCountry", a.isoCountry) &&
			(!c.query.Has("EmergencyEnabled") || (c.query.Get("EmergencyEnabled") == "true") == a.emergencyEnabled)
	}
	return v2010List(c, "addresses", c.account.addresses.order, match, func(a *address) any { return a.render() })
}

func createAddress(c *call) (answer, *apiError) {
	made := &address{account: c.account, isoCountry: c.form.Get("IsoCountry")}
	if apiErr := made.fill(c); apiErr != nil {
		return answer{}, apiErr
	}
	made.identity = c.sim.newIdentity(c.account.sid, "AD", c.now)
	c.account.addresses.add(made)
	return made.answer(http.StatusCreated)
}

func fetchAddress(c *call) (answer, *apiError) {
	a, apiErr := c.address()
	if apiErr != nil {
		return answer{}, apiErr
	}
	return a.answer(http.StatusOK)
}

func updateAddress(c *call) (answer, *apiError) {
	a, apiErr := c.address()
	if apiErr != nil {
		return answer{}, apiErr
	}
	for d := range a.documents {
		if locked := d.locked(); locked != nil {
			return answer{}, badRequest(codeAddressLinked,
				"Cannot mutate Address that is linked to a Document of %s, which is %s", locked.sid, locked.status)
		}
	}
	changed := *a
	if apiErr := changed.fill(c); apiErr != nil {
		return answer{}, apiErr
	}
	*a = changed
	a.updated = c.now
	return a.answer(http.StatusOK)
}

func deleteAddress(c *call) (answer, *apiError) {
	a, apiErr := c.address()
	if apiErr != nil {
		return answer{}, apiErr
	}
	if len(a.documents) > 0 {
		return answer{}, badRequest(codeAddressLinked, "Cannot delete Address that is linked to a Document")
	}
	c.account.addresses.remove(a)
	return answer{status: http.StatusNoContent, sid: a.sid}, nil
}

// fill takes the parameters over, checks the address and, unless AutoCorrectAddress is false,
// corrects one in the USA the way postal services write it.
func (a *address) fill(c *call) *apiError {
	c.set(&a.customerName, "CustomerName")
	c.set(&a.friendlyName, "FriendlyName")
	c.set(&a.street, "Street")
	c.set(&a.streetSecondary, "StreetSecondary")
	c.set(&a.city, "City")
	c.set(&a.region, "Region")
	c.set(&a.postalCode, "PostalCode")
	if c.form.Get("EmergencyEnabled") != "" {
		a.emergencyEnabled = c.form.Get("EmergencyEnabled") == "true"
	}
	north := a.isoCountry == "US" || a.isoCountry == "CA"
	if north && !a.emergencyEnabled && c.sim.cfg.USAddressesUnchecked {
		a.validated = false
		return nil
	}
	if apiErr := a.validate(); apiErr != nil {
		return apiErr
	}
	if inUSA(a) && c.form.Get("AutoCorrectAddress") != "false" {
		for _, line := range []*string{&a.street, &a.streetSecondary, &a.city, &a.region, &a.postalCode} {
			*line = strings.ToUpper(strings.Join(strings.Fields(*line), " "))
		}
		a.validated = true
	}
	return nil
}

// validate refuses an address of a country whose addresses are validated when they are made.
func (a *address) validate() *apiError {
	form := postalCodes[a.isoCountry]
	switch {
	case form != nil && !form.MatchString(strings.TrimSpace(a.postalCode)):
		return badRequest(codeAddressInvalid, "Address Validation Error: the postal code is not one of %s", a.isoCountry)
	case strings.Contains(strings.ToLower(a.street), "unknown"):
		return badRequest(codeAddressSuggestion, "Address Validation Error - Check Suggested Address: 100 MAIN ST")
	}
	return nil
}
