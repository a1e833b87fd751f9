package api

import "github.com/attestd/attestd/internal/onboarding"

func phoneNumberHeldJSON(n onboarding.RemotePhoneNumber) SubaccountPhoneNumber {
	return SubaccountPhoneNumber{
		SID:          n.SID,
		PhoneNumber:  n.PhoneNumber,
		FriendlyName: orNull(n.FriendlyName),
		Capabilities: PhoneNumberCapabilities{Voice: n.Voice, Sms: n.SMS, Mms: n.MMS, Fax: n.Fax},
		Status:       orNull(n.Status),
		Origin:       orNull(n.Origin),
		AddressSID:   orNull(n.AddressSID),
		BundleSID:    orNull(n.BundleSID),
		TrunkSID:     orNull(n.TrunkSID),
		DateCreated:  timeOrNull(n.CreatedAt),
		DateUpdated:  timeOrNull(n.UpdatedAt),
	}
}

func addressHeldJSON(a onboarding.RemoteAddress) SubaccountAddress {
	return SubaccountAddress{
		SID:              a.SID,
		FriendlyName:     orNull(a.FriendlyName),
		CustomerName:     orNull(a.CustomerName),
		Street:           orNull(a.Street),
		StreetSecondary:  orNull(a.StreetSecondary),
		City:             orNull(a.City),
		Region:           orNull(a.Region),
		PostalCode:       orNull(a.PostalCode),
		IsoCountry:       orNull(a.ISOCountry),
		Validated:        a.Validated,
		Verified:         a.Verified,
		EmergencyEnabled: a.EmergencyEnabled,
		DateCreated:      timeOrNull(a.CreatedAt),
		DateUpdated:      timeOrNull(a.UpdatedAt),
	}
}

func bundleHeldJSON(b onboarding.RemoteBundle) SubaccountBundle {
	errors := make([]SubaccountBundleError, 0, len(b.Errors))
	for _, e := range b.Errors {
		errors = append(errors, SubaccountBundleError{Code: orNull(e.Code), Message: orNull(e.Message)})
	}
	return SubaccountBundle{
		SID:          b.SID,
		FriendlyName: orNull(b.FriendlyName),
		PolicySID:    orNull(b.PolicySID),
		Status:       orNull(b.Status),
		Email:        orNull(b.Email),
		ValidUntil:   timeOrNull(b.ValidUntil),
		Errors:       errors,
		DateCreated:  timeOrNull(b.CreatedAt),
		DateUpdated:  timeOrNull(b.UpdatedAt),
	}
}

func endUserHeldJSON(u onboarding.RemoteObject) SubaccountEndUser {
	return SubaccountEndUser{
		SID:          u.SID,
		FriendlyName: orNull(u.FriendlyName),
		Type:         orNull(u.Type),
		Attributes:   attributesJSON(u.Attributes),
		DateCreated:  timeOrNull(u.CreatedAt),
		DateUpdated:  timeOrNull(u.UpdatedAt),
	}
}

func documentHeldJSON(d onboarding.RemoteObject) SubaccountSupportingDocument {
	return SubaccountSupportingDocument{
		SID:          d.SID,
		FriendlyName: orNull(d.FriendlyName),
		Type:         orNull(d.Type),
		Status:       orNull(d.Status),
		MimeType:     orNull(d.MIMEType),
		Attributes:   attributesJSON(d.Attributes),
		DateCreated:  timeOrNull(d.CreatedAt),
		DateUpdated:  timeOrNull(d.UpdatedAt),
	}
}

// attributesJSON is an empty object, and not null, if there are no attributes.
func attributesJSON(attributes map[string]any) map[string]any {
	if attributes == nil {
		return map[string]any{}
	}
	return attributes
}
