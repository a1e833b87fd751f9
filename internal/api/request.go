package api

import "github.com/attestd/attestd/internal/onboarding"

// requestOf is the request that a body asks for. A member that is missing or null is empty.
func requestOf(b NewOnboarding) onboarding.Request {
	r := onboarding.Request{
		SubaccountSID:     value(b.SubaccountSID),
		ExternalID:        value(b.ExternalID),
		PrimaryProfileSID: value(b.PrimaryProfileSID),
		NotificationEmail: b.NotificationEmail,
		Business: onboarding.Business{
			Name:                   b.Business.BusinessName,
			Identity:               string(b.Business.BusinessIdentity),
			Type:                   string(b.Business.BusinessType),
			Industry:               string(b.Business.BusinessIndustry),
			RegistrationIdentifier: string(b.Business.BusinessRegistrationIdentifier),
			RegistrationNumber:     b.Business.BusinessRegistrationNumber,
			RegionsOfOperation:     b.Business.BusinessRegionsOfOperation,
			WebsiteURL:             b.Business.WebsiteURL,
			SocialMediaProfileURLs: value(b.Business.SocialMediaProfileUrls),
		},
		Address: onboarding.Address{
			SID:             value(b.Address.SID),
			CustomerName:    value(b.Address.CustomerName),
			Street:          value(b.Address.Street),
			StreetSecondary: value(b.Address.StreetSecondary),
			City:            value(b.Address.City),
			Region:          value(b.Address.Region),
			PostalCode:      value(b.Address.PostalCode),
			ISOCountry:      value(b.Address.IsoCountry),
		},
		PhoneNumbers:       b.PhoneNumbers.Numbers,
		AllPhoneNumbers:    b.PhoneNumbers.All,
		VoiceIntegrity:     voiceIntegrityOf(value(b.VoiceIntegrity)),
		CNAM:               onboarding.CNAM{DisplayName: value(b.Cnam).CnamDisplayName},
		CustomerProfileSID: value(b.CustomerProfileSID),
		TrustProductSID:    value(b.TrustProductSID),
		EndUserSIDs:        endUserSIDsOf(value(b.EndUserSids)),
	}
	if b.Subaccount != nil {
		r.Subaccount = &onboarding.NewSubaccount{FriendlyName: b.Subaccount.FriendlyName}
	}
	for _, p := range value(b.Products) {
		r.Products = append(r.Products, onboarding.Product(p))
	}
	for _, p := range b.AuthorizedRepresentatives {
		r.AuthorizedRepresentatives = append(r.AuthorizedRepresentatives, onboarding.Representative{
			FirstName:     p.FirstName,
			LastName:      p.LastName,
			Email:         p.Email,
			PhoneNumber:   p.PhoneNumber,
			BusinessTitle: p.BusinessTitle,
			JobPosition:   string(p.JobPosition),
		})
	}
	return r
}

// requestJSON is the inverse of requestOf. It leaves out members without a value.
func requestJSON(r onboarding.Request) NewOnboarding {
	b := NewOnboarding{
		SubaccountSID:     orNull(r.SubaccountSID),
		ExternalID:        orNull(r.ExternalID),
		PrimaryProfileSID: orNull(r.PrimaryProfileSID),
		NotificationEmail: r.NotificationEmail,
		Business: Business{
			BusinessName:                   r.Business.Name,
			BusinessIdentity:               BusinessBusinessIdentity(r.Business.Identity),
			BusinessType:                   BusinessBusinessType(r.Business.Type),
			BusinessIndustry:               BusinessBusinessIndustry(r.Business.Industry),
			BusinessRegistrationIdentifier: BusinessBusinessRegistrationIdentifier(r.Business.RegistrationIdentifier),
			BusinessRegistrationNumber:     r.Business.RegistrationNumber,
			BusinessRegionsOfOperation:     r.Business.RegionsOfOperation,
			WebsiteURL:                     r.Business.WebsiteURL,
			SocialMediaProfileUrls:         orNull(r.Business.SocialMediaProfileURLs),
		},
		Address: Address{
			SID:             orNull(r.Address.SID),
			CustomerName:    orNull(r.Address.CustomerName),
			Street:          orNull(r.Address.Street),
			StreetSecondary: orNull(r.Address.StreetSecondary),
			City:            orNull(r.Address.City),
			Region:          orNull(r.Address.Region),
			PostalCode:      orNull(r.Address.PostalCode),
			IsoCountry:      orNull(r.Address.ISOCountry),
		},
		AuthorizedRepresentatives: make([]AuthorizedRepresentative, 0, len(r.AuthorizedRepresentatives)),
		PhoneNumbers:              numberSelection{All: r.AllPhoneNumbers, Numbers: r.PhoneNumbers},
		VoiceIntegrity:            voiceIntegrityJSON(r.VoiceIntegrity),
		CustomerProfileSID:        orNull(r.CustomerProfileSID),
		TrustProductSID:           orNull(r.TrustProductSID),
		EndUserSids:               endUserSIDsJSON(r.EndUserSIDs),
	}
	if r.Subaccount != nil {
		b.Subaccount = &NewSubaccount{FriendlyName: r.Subaccount.FriendlyName}
	}
	if r.CNAM.DisplayName != "" {
		b.Cnam = &CNAM{CnamDisplayName: r.CNAM.DisplayName}
	}
	if len(r.Products) > 0 {
		products := make([]Product, len(r.Products))
		for i, p := range r.Products {
			products[i] = Product(p)
		}
		b.Products = &products
	}
	for _, p := range r.AuthorizedRepresentatives {
		b.AuthorizedRepresentatives = append(b.AuthorizedRepresentatives, AuthorizedRepresentative{
			FirstName:     p.FirstName,
			LastName:      p.LastName,
			Email:         p.Email,
			PhoneNumber:   p.PhoneNumber,
			BusinessTitle: p.BusinessTitle,
			JobPosition:   AuthorizedRepresentativeJobPosition(p.JobPosition),
		})
	}
	return b
}

func voiceIntegrityOf(b VoiceIntegrity) onboarding.VoiceIntegrity {
	return onboarding.VoiceIntegrity{
		UseCase:                      b.UseCase,
		BusinessEmployeeCount:        b.BusinessEmployeeCount,
		AverageBusinessDayCallVolume: b.AverageBusinessDayCallVolume,
		Notes:                        value(b.Notes),
	}
}

func voiceIntegrityJSON(v onboarding.VoiceIntegrity) *VoiceIntegrity {
	if v == (onboarding.VoiceIntegrity{}) {
		return nil
	}
	return &VoiceIntegrity{
		UseCase:                      v.UseCase,
		BusinessEmployeeCount:        v.BusinessEmployeeCount,
		AverageBusinessDayCallVolume: v.AverageBusinessDayCallVolume,
		Notes:                        orNull(v.Notes),
	}
}

func endUserSIDsOf(b EndUserSIDs) onboarding.EndUserSIDs {
	return onboarding.EndUserSIDs{
		BusinessInformation:       value(b.BusinessInformation),
		AuthorizedRepresentative1: value(b.AuthorizedRepresentative1),
		AuthorizedRepresentative2: value(b.AuthorizedRepresentative2),
	}
}

func endUserSIDsJSON(e onboarding.EndUserSIDs) *EndUserSIDs {
	if e == (onboarding.EndUserSIDs{}) {
		return nil
	}
	return &EndUserSIDs{
		BusinessInformation:       orNull(e.BusinessInformation),
		AuthorizedRepresentative1: orNull(e.AuthorizedRepresentative1),
		AuthorizedRepresentative2: orNull(e.AuthorizedRepresentative2),
	}
}
