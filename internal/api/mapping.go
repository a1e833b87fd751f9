package api

import (
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// onboardingJSON is an onboarding in the form of the contract.
func onboardingJSON(o *onboarding.Onboarding) Onboarding {
	return Onboarding{
		ID:                string(o.ID),
		ExternalID:        orNull(o.Request.ExternalID),
		Status:            OnboardingStatus(o.Status()),
		SubaccountSID:     orNull(o.SubaccountSID),
		PrimaryProfileSID: o.Request.PrimaryProfileSID,
		CustomerProfile:   bundleJSON(o.Bundle(onboarding.CustomerProfileKey)),
		TrustProduct:      bundleJSON(o.Bundle(onboarding.ShakenStirKey)),
		Products:          productsJSON(o),
		Attestation:       orNull(o.Attestation()),
		PhoneNumbers:      phoneNumbersJSON(o),
		Kept:              keptJSON(o.Kept()),
		Requirements:      requirementsJSON(o.Requirements()),
		Steps:             stepsJSON(o.Steps),
		Request:           requestJSON(o.Request),
		Version:           o.Version,
		CreatedAt:         o.CreatedAt.UTC(),
		UpdatedAt:         o.UpdatedAt.UTC(),
		Reviews:           reviewsJSON(o.Reviews()),
	}
}

// summaryJSON is an onboarding in the form that lists have.
func summaryJSON(s *onboarding.Summary) OnboardingSummary {
	return OnboardingSummary{
		ID:                string(s.ID),
		ExternalID:        orNull(s.ExternalID),
		SubaccountSID:     orNull(s.SubaccountSID),
		PrimaryProfileSID: s.PrimaryProfileSID,
		BusinessName:      s.BusinessName,
		Status:            OnboardingStatus(s.Status),
		CustomerProfile:   bundleJSON(s.CustomerProfile),
		TrustProduct:      bundleJSON(s.TrustProduct),
		Attestation:       orNull(s.Attestation),
		Requirements:      requirementsJSON(s.Requirements),
		Version:           s.Version,
		CreatedAt:         s.CreatedAt.UTC(),
		UpdatedAt:         s.UpdatedAt.UTC(),
	}
}

func bundleJSON(b onboarding.BundleRef) Bundle {
	return Bundle{SID: orNull(b.SID), Status: orNull(b.Status)}
}

// productsJSON shows the products that the request asks for.
func productsJSON(o *onboarding.Onboarding) []ProductBundle {
	products := o.Request.WantedProducts()
	shown := make([]ProductBundle, 0, len(products))
	for _, p := range products {
		shown = append(shown, ProductBundle{
			Product:      Product(p),
			Bundle:       bundleJSON(o.Bundle(p.Bundle())),
			Requirements: requirementsJSON(o.RequirementsOf(p.Bundle())),
		})
	}
	return shown
}

// keptJSON shows what a cleanup could not delete at Twilio, and why.
func keptJSON(kept []onboarding.Step) []KeptObject {
	shown := make([]KeptObject, 0, len(kept))
	for _, s := range kept {
		reason := "It was there before, or is not attestd's to delete."
		if s.Error != nil {
			reason = s.Error.Message
		}
		shown = append(shown, KeptObject{Step: string(s.Key), SID: s.SID, Reason: reason})
	}
	return shown
}

// warningsJSON is an empty list, and not null, if there are no warnings.
func warningsJSON(found findings) *[]Warning {
	warnings := found.warnings
	if warnings == nil {
		warnings = []Warning{}
	}
	return &warnings
}

func requirementsJSON(requirements []onboarding.Requirement) []Requirement {
	shown := make([]Requirement, 0, len(requirements))
	for _, r := range requirements {
		shown = append(shown, Requirement{
			Pointer: r.Pointer, Code: r.Code, Message: r.Message, TwilioMessage: orNull(r.TwilioMessage), Source: RequirementSource(r.Source),
			Responsible: RequirementResponsible(r.Responsible), Action: RequirementAction(r.Action), At: timeOrNull(r.At),
		})
	}
	return shown
}

func stepsJSON(steps []onboarding.Step) []Step {
	shown := make([]Step, 0, len(steps))
	for i := range steps {
		s := &steps[i]
		shown = append(shown, Step{
			Key:           string(s.Key),
			Kind:          string(s.Kind),
			Bundle:        orNull(string(s.Bundle)),
			Pointer:       orNull(s.Pointer),
			Status:        StepStatus(s.State),
			SID:           orNull(s.SID),
			Attempts:      s.Attempts,
			Error:         stepErrorJSON(s.Error),
			StartedAt:     timeOrNull(s.StartedAt),
			FinishedAt:    timeOrNull(s.FinishedAt),
			NextAttemptAt: timeOrNull(s.NextAttemptAt),
		})
	}
	return shown
}

func stepErrorJSON(e *onboarding.StepError) *StepError {
	if e == nil {
		return nil
	}
	return &StepError{Code: orNull(e.Code), Message: e.Message, MoreInfo: orNull(e.MoreInfo), HTTPStatus: orNull(e.HTTPStatus)}
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	return &utc
}

// orNull is nil, which is null in JSON, for the zero value.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// value is what p points to, or the zero value for nil.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
