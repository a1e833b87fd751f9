package trusthubsim

import "strings"

// The policies' SIDs, which are the same for every account at Twilio.
const (
	PolicyPrimaryProfile   = "RN6433641899984f951173ef1738c3bdd0"
	PolicySecondaryProfile = "RNdfbf3fae0e1107f8aded0e7cead80bf5"
	PolicyShakenStir       = "RN7a97559effdf62d00f4298208492a5ea"
	PolicyVoiceIntegrity   = "RN5b3660f9598883b1df4e77f77acefba0"
	PolicyCNAM             = "RNf3db3cd1fe25fcfd3c3ded065c8fea53"
)

// The machine names of the types of end users and supporting documents.
const (
	businessInformation  = "customer_profile_business_information"
	representative1      = "authorized_representative_1"
	representative2      = "authorized_representative_2"
	voiceIntegrity       = "voice_integrity_information"
	cnam                 = "cnam_information"
	profileAddress       = "customer_profile_address"
	typePrimaryProfile   = "primary_customer_profile_type_business"
	typeSecondaryProfile = "secondary_customer_profile_type_business"

	identityISV = "isv_reseller_or_partner" // the business_identity of who has customers
)

// objectType is a type of end users or of supporting documents.
type objectType struct {
	identity
	name, friendlyName string
	fields             []attribute
}

// attribute is a field of an objectType.
type attribute struct {
	name, friendlyName string
	constraint         string // "String" or "List", as Twilio describes it
	optional           bool   // an evaluation does not miss it
	wrong              check  // nil accepts any value
}

// check says what is wrong with a value that is there, as a sentence, or "".
type check func(value string, in checked) string

// checked is what a check may look at: the attribute, its object's others, and the switches.
type checked struct {
	field      attribute
	attributes map[string]any
	cfg        *Config
}

// oneOf is the sentence about a value that is none of those. Twilio writes them without commas.
func (c checked) oneOf(values []string) string {
	return c.field.friendlyName + " should be one of " + strings.Join(values, " ")
}

// policy is a set of requirements that a bundle is made for.
type policy struct {
	identity
	friendlyName string
	kind         *bundleKind
	bundleType   string // what the requirements of other policies call a bundle of this one
	consoleOnly  bool   // bundles are made in the Console and not through the API
	endUsers     []requirement
	documents    []requirement
	profiles     []profileRequirement
}

// requirement asks for an object of a type.
type requirement struct {
	kind         *objectType
	friendlyName string
	optional     bool // only what is assigned is checked
}

// profileRequirement asks for a customer profile of one of some types.
type profileRequirement struct {
	name, friendlyName string
	types              []string
	gated              bool // Config.ProductGate counts; otherwise only twilio-approved does
}

func text(name, friendlyName string, wrong check) attribute {
	return attribute{name: name, friendlyName: friendlyName, constraint: "String", wrong: wrong}
}

func optional(a attribute) attribute {
	a.optional = true
	return a
}

func representativeFields() []attribute {
	return []attribute{
		text("first_name", "First Name", nil),
		text("last_name", "Last Name", nil),
		text("email", "Email", email),
		text("phone_number", "Phone Number", phone),
		text("business_title", "Business Title", nil),
		text("job_position", "Job Position", jobPositions.check),
	}
}

var endUserTypes = numbered([]*objectType{
	{
		identity: identity{sid: "OY00000000000000000000000000000001"},
		name:     businessInformation, friendlyName: "Customer profile business information",
		fields: []attribute{
			text("business_name", "Business Name", nil),
			text("business_identity", "Business Identity", among("direct_customer", identityISV, "unknown")),
			text("business_type", "Business Type", businessTypes.check),
			text("business_industry", "Business Industry", businessIndustries.check),
			text("business_registration_identifier", "Business Registration Identifier", registrationIdentifiers.check),
			text("business_registration_number", "Business Registration Number", registrationNumber),
			text("business_regions_of_operation", "Business Regions Of Operation", regionsOfOperation),
			text("website_url", "Website Url", website),
			optional(text("social_media_profile_urls", "Social Media Profile Urls", nil)),
		},
	},
	{
		identity: identity{sid: "OY00000000000000000000000000000002"},
		name:     representative1, friendlyName: "Authorized Representative one", fields: representativeFields(),
	},
	{
		identity: identity{sid: "OY00000000000000000000000000000003"},
		name:     representative2, friendlyName: "Authorized Representative two", fields: representativeFields(),
	},
	{
		identity: identity{sid: "OY00000000000000000000000000000004"},
		name:     voiceIntegrity, friendlyName: "Voice Integrity Information",
		fields: []attribute{
			text("use_case", "Use Case", useCase),
			text("business_employee_count", "Business Employee Count", count),
			text("average_business_day_call_volume", "Average Business Day Call Volume", count),
			optional(text("notes", "Notes", nil)),
		},
	},
	{
		identity: identity{sid: "OY00000000000000000000000000000005"},
		name:     cnam, friendlyName: "CNAM Information",
		fields: []attribute{text("cnam_display_name", "CNAM Display Name", nil)},
	},
})

var documentTypes = numbered([]*objectType{
	{
		identity: identity{sid: "OY00000000000000000000000000000011"},
		name:     profileAddress, friendlyName: "Customer profile address",
		fields: []attribute{{name: "address_sids", friendlyName: "Address Sids", constraint: "List"}},
	},
})

var policies = numbered([]*policy{
	{
		identity: identity{sid: PolicyPrimaryProfile}, friendlyName: "Primary Customer Profile of type Business",
		kind: customerProfiles, bundleType: typePrimaryProfile, consoleOnly: true,
		endUsers: profileEndUsers(), documents: profileDocuments(),
	},
	{
		identity: identity{sid: PolicySecondaryProfile}, friendlyName: "Secondary Customer Profile of type Business",
		kind: customerProfiles, bundleType: typeSecondaryProfile,
		endUsers: profileEndUsers(), documents: profileDocuments(),
		profiles: []profileRequirement{
			{name: "primary_customer_profile", friendlyName: "Primary Customer Profile", types: []string{typePrimaryProfile}},
		},
	},
	{
		identity: identity{sid: PolicyShakenStir}, friendlyName: "SHAKEN/STIR Trust Product",
		kind: trustProducts, bundleType: "shaken_stir_trust_product", profiles: supportingProfile(),
	},
	{
		identity: identity{sid: PolicyVoiceIntegrity}, friendlyName: "Voice Integrity Trust Product",
		kind: trustProducts, bundleType: "voice_integrity_trust_product", profiles: supportingProfile(),
		endUsers: []requirement{{kind: typeNamed(endUserTypes, voiceIntegrity), friendlyName: "Voice Integrity Information"}},
	},
	{
		identity: identity{sid: PolicyCNAM}, friendlyName: "CNAM Trust Product",
		kind: trustProducts, bundleType: "cnam_trust_product", profiles: supportingProfile(),
		endUsers: []requirement{{kind: typeNamed(endUserTypes, cnam), friendlyName: "CNAM Information"}},
	},
})

// profileEndUsers: the second representative is listed as the first is, but in practice not asked
// for.
func profileEndUsers() []requirement {
	return []requirement{
		{kind: typeNamed(endUserTypes, businessInformation), friendlyName: "Business Information"},
		{kind: typeNamed(endUserTypes, representative1), friendlyName: "Authorized Representative 1"},
		{kind: typeNamed(endUserTypes, representative2), friendlyName: "Authorized Representative 2", optional: true},
	}
}

func profileDocuments() []requirement {
	return []requirement{{kind: typeNamed(documentTypes, profileAddress), friendlyName: "Physical Business Address"}}
}

func supportingProfile() []profileRequirement {
	return []profileRequirement{{
		name: "customer_profile", friendlyName: "Customer Profile",
		types: []string{typeSecondaryProfile, typePrimaryProfile}, gated: true,
	}}
}

// numbered gives what never changes its place in lists.
func numbered[T keyed](objects []T) []T {
	seq := uint64(0)
	for _, object := range objects {
		seq++
		object.key().seq = seq
	}
	return objects
}

// typeNamed is the type with a machine name, or nil.
func typeNamed(types []*objectType, name string) *objectType {
	for _, t := range types {
		if t.name == name {
			return t
		}
	}
	return nil
}

// bySID is the object of a fixed list with a SID, or the zero value.
func bySID[T keyed](objects []T, sid string) (found T) {
	for _, object := range objects {
		if object.key().sid == sid {
			return object
		}
	}
	return found
}

func policyBySID(sid string) *policy { return bySID(policies, sid) }
