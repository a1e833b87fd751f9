package api

import "github.com/attestd/attestd/internal/onboarding"

// requestOf is the request of a body. Members that were not sent, or as null, are empty.
func requestOf(b NewOnboarding) onboarding.Request {
	r := onboarding.Request{
		SubaccountSID:     b.SubaccountSID,
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
		PhoneNumbers: b.PhoneNumbers,
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

// requestJSON is the request as a body has it, the inverse of requestOf. Members that were not given are left out.
func requestJSON(r onboarding.Request) NewOnboarding {
	b := NewOnboarding{
		SubaccountSID:     r.SubaccountSID,
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
		PhoneNumbers:              r.PhoneNumbers,
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
