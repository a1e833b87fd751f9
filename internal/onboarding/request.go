package onboarding

// Request is what the ISV asked for: one customer subaccount and everything that Trust Hub wants to
// know of the business behind it. It is kept whole, as JSON, so the tags are part of the stored
// format.
type Request struct {
	// SubaccountSID is the customer's Twilio subaccount (AC and 32 hex digits); "" if Subaccount
	// asks for a new one.
	SubaccountSID string `json:"subaccount_sid,omitempty"`
	// Subaccount, unless nil, is the subaccount to be made.
	Subaccount *NewSubaccount `json:"subaccount,omitempty"`
	// ExternalID is the ISV's own name for this onboarding; unique where given.
	ExternalID string `json:"external_id,omitempty"`
	// PrimaryProfileSID is the ISV's approved primary business profile in the parent account (BU…).
	PrimaryProfileSID string `json:"primary_profile_sid"`
	// NotificationEmail is the mailbox of the ISV that Twilio writes to when a bundle changes
	// status.
	NotificationEmail string `json:"notification_email"`

	Business                  Business         `json:"business"`
	Address                   Address          `json:"address"`
	AuthorizedRepresentatives []Representative `json:"authorized_representatives"`

	// PhoneNumbers are the subaccount's numbers to sign for, each a SID (PN…) or in E.164; none
	// with AllPhoneNumbers.
	PhoneNumbers []string `json:"phone_numbers"`
	// AllPhoneNumbers asks for every number of the subaccount that can make calls, now and later.
	AllPhoneNumbers bool `json:"all_phone_numbers,omitempty"`
	// MovePhoneNumbers are those of PhoneNumbers that are taken off another bundle where they are
	// on one.
	MovePhoneNumbers []string `json:"move_phone_numbers,omitempty"`

	// Products are what is put on top of the profile; none means SHAKEN/STIR.
	Products       []Product      `json:"products,omitempty"`
	VoiceIntegrity VoiceIntegrity `json:"voice_integrity,omitzero"`
	CNAM           CNAM           `json:"cnam,omitzero"`

	// CustomerProfileSID, TrustProductSID (BU…) and EndUserSIDs are objects that the subaccount has
	// already, to be taken over.
	CustomerProfileSID string      `json:"customer_profile_sid,omitempty"`
	TrustProductSID    string      `json:"trust_product_sid,omitempty"`
	EndUserSIDs        EndUserSIDs `json:"end_user_sids,omitzero"`
}

// NewSubaccount is a subaccount to be made.
type NewSubaccount struct {
	// FriendlyName has at most 64 characters.
	FriendlyName string `json:"friendly_name"`
}

// EndUserSIDs are end users (IT…) that the subaccount has already.
type EndUserSIDs struct {
	BusinessInformation       string `json:"business_information,omitempty"`
	AuthorizedRepresentative1 string `json:"authorized_representative_1,omitempty"`
	AuthorizedRepresentative2 string `json:"authorized_representative_2,omitempty"`
}

// Representative is the end user of the i-th authorized representative, or "".
func (e EndUserSIDs) Representative(i int) string {
	if i == 0 {
		return e.AuthorizedRepresentative1
	}
	return e.AuthorizedRepresentative2
}

// VoiceIntegrity holds the attributes of Trust Hub's end user type voice_integrity_information,
// under Twilio's names.
type VoiceIntegrity struct {
	UseCase                      string `json:"use_case,omitempty"`
	BusinessEmployeeCount        string `json:"business_employee_count,omitempty"`
	AverageBusinessDayCallVolume string `json:"average_business_day_call_volume,omitempty"`
	Notes                        string `json:"notes,omitempty"`
}

// Attributes returns what Twilio is sent.
func (v VoiceIntegrity) Attributes() map[string]string {
	attributes := map[string]string{
		"use_case":                         v.UseCase,
		"business_employee_count":          v.BusinessEmployeeCount,
		"average_business_day_call_volume": v.AverageBusinessDayCallVolume,
	}
	if v.Notes != "" {
		attributes["notes"] = v.Notes
	}
	return attributes
}

// CNAM holds the attributes of Trust Hub's end user type cnam_information, under Twilio's names.
type CNAM struct {
	// DisplayName is shown with the calls: at most 15 letters, digits, spaces, dots and commas, the
	// first a letter.
	DisplayName string `json:"cnam_display_name,omitempty"`
}

// Attributes returns what Twilio is sent.
func (c CNAM) Attributes() map[string]string {
	return map[string]string{"cnam_display_name": c.DisplayName}
}

// Business holds the attributes of Trust Hub's end user type customer_profile_business_information,
// under Twilio's names.
type Business struct {
	Name                   string `json:"business_name"`
	Identity               string `json:"business_identity"`
	Type                   string `json:"business_type"`
	Industry               string `json:"business_industry"`
	RegistrationIdentifier string `json:"business_registration_identifier"`
	RegistrationNumber     string `json:"business_registration_number"`
	RegionsOfOperation     string `json:"business_regions_of_operation"`
	WebsiteURL             string `json:"website_url"`
	SocialMediaProfileURLs string `json:"social_media_profile_urls,omitempty"`
}

// Attributes returns what Twilio is sent: an optional attribute that was not given is left out,
// because Twilio checks an empty one.
func (b Business) Attributes() map[string]string {
	attributes := map[string]string{
		"business_name":                    b.Name,
		"business_identity":                b.Identity,
		"business_type":                    b.Type,
		"business_industry":                b.Industry,
		"business_registration_identifier": b.RegistrationIdentifier,
		"business_registration_number":     b.RegistrationNumber,
		"business_regions_of_operation":    b.RegionsOfOperation,
		"website_url":                      b.WebsiteURL,
	}
	if b.SocialMediaProfileURLs != "" {
		attributes["social_media_profile_urls"] = b.SocialMediaProfileURLs
	}
	return attributes
}

// Address is the business's legal address: either SID alone, an address that the subaccount already
// has (AD…), or all the rest.
type Address struct {
	SID string `json:"sid,omitempty"`

	CustomerName    string `json:"customer_name,omitempty"`
	Street          string `json:"street,omitempty"`
	StreetSecondary string `json:"street_secondary,omitempty"`
	City            string `json:"city,omitempty"`
	Region          string `json:"region,omitempty"`
	PostalCode      string `json:"postal_code,omitempty"`
	// ISOCountry is ISO 3166-1 alpha-2.
	ISOCountry string `json:"iso_country,omitempty"`
}

// Representative holds the attributes of Trust Hub's end user types authorized_representative_1 and
// _2, under Twilio's names.
type Representative struct {
	FirstName     string `json:"first_name"`
	LastName      string `json:"last_name"`
	Email         string `json:"email"`
	PhoneNumber   string `json:"phone_number"`
	BusinessTitle string `json:"business_title"`
	JobPosition   string `json:"job_position"`
}

// Attributes returns what Twilio is sent.
func (r Representative) Attributes() map[string]string {
	return map[string]string{
		"first_name":     r.FirstName,
		"last_name":      r.LastName,
		"email":          r.Email,
		"phone_number":   r.PhoneNumber,
		"business_title": r.BusinessTitle,
		"job_position":   r.JobPosition,
	}
}
