package api

import (
	"fmt"
	"slices"

	"github.com/attestd/attestd/internal/onboarding"
)

// checkProducts wants the information for each product that needs any, and for no other.
func checkProducts(f *findings, r *onboarding.Request) {
	for _, p := range []struct {
		product onboarding.Product
		member  string
		given   bool
	}{
		{onboarding.ProductVoiceIntegrity, "voice_integrity", r.VoiceIntegrity != onboarding.VoiceIntegrity{}},
		{onboarding.ProductCNAM, "cnam", r.CNAM != onboarding.CNAM{}},
	} {
		switch wanted := slices.Contains(r.Products, p.product); {
		case wanted && !p.given:
			f.fault("/"+p.member, "required", fmt.Sprintf("The product %s needs this.", p.product))
		case !wanted && p.given:
			f.fault("/"+p.member, "conflict", fmt.Sprintf("Add %s to products, or leave this out.", p.product))
		}
	}
}

// checkTakenOver checks the SIDs of objects to take over. A new subaccount has none yet.
func checkTakenOver(f *findings, r *onboarding.Request) {
	for _, s := range []struct {
		pointer string
		sid     *string
	}{
		{"/customer_profile_sid", &r.CustomerProfileSID},
		{"/trust_product_sid", &r.TrustProductSID},
		{"/end_user_sids/business_information", &r.EndUserSIDs.BusinessInformation},
		{"/end_user_sids/authorized_representative_1", &r.EndUserSIDs.AuthorizedRepresentative1},
		{"/end_user_sids/authorized_representative_2", &r.EndUserSIDs.AuthorizedRepresentative2},
		{"/address/sid", &r.Address.SID},
	} {
		*s.sid = lowerSID(*s.sid)
		if *s.sid != "" && r.Subaccount != nil {
			f.fault(s.pointer, "conflict", "A subaccount that is yet to be made has nothing to take over.")
		}
	}
	if r.EndUserSIDs.AuthorizedRepresentative2 != "" && len(r.AuthorizedRepresentatives) == 1 {
		f.fault("/end_user_sids/authorized_representative_2", "conflict", "The request has no second representative.")
	}
	if r.TrustProductSID != "" && len(r.Products) > 0 && !slices.Contains(r.Products, onboarding.ProductShakenStir) {
		f.fault("/trust_product_sid", "conflict", "Add shaken_stir to products, or leave this out.")
	}
}
