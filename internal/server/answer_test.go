package server_test

import (
	"time"
)

// answer is an onboarding as the API answers it.
type answer struct {
	ID              string
	Status          string
	CustomerProfile bundle `json:"customer_profile"`
	TrustProduct    bundle `json:"trust_product"`
	SubaccountSID   string `json:"subaccount_sid"`
	Attestation     *string
	PhoneNumbers    []phoneNumber `json:"phone_numbers"`
	Products        []struct {
		Product string
		Bundle  bundle
	}
	Kept         []struct{ Step, SID, Reason string }
	Version      int
	UpdatedAt    time.Time `json:"updated_at"`
	Requirements []requirement
	Steps        []step
	Warnings     []struct{ Pointer, Code, Detail string }
}

type requirement struct{ Pointer, Code, Message, Source string }

type phoneNumber struct {
	SID          string
	PhoneNumber  string `json:"phone_number"`
	Status       string
	Attestation  *string
	OnProfile    string `json:"customer_profile_assignment_sid"`
	OnProduct    string `json:"trust_product_assignment_sid"`
	Requirements []requirement
}

// number returns the number with this SID.
func (a answer) number(sid string) phoneNumber {
	for _, n := range a.PhoneNumbers {
		if n.SID == sid {
			return n
		}
	}
	return phoneNumber{}
}

type bundle struct{ SID, Status string }

type step struct {
	Key, Status, SID string
	Attempts         int
	NextAttemptAt    *time.Time `json:"next_attempt_at"`
}

func (a answer) step(key string) step {
	for _, s := range a.Steps {
		if s.Key == key {
			return s
		}
	}
	return step{}
}

// sids are the SIDs of all steps that have one.
func (a answer) sids() map[string]string {
	all := make(map[string]string)
	for _, s := range a.Steps {
		if s.SID != "" {
			all[s.Key] = s.SID
		}
	}
	return all
}

// attested tells whether the onboarding and each of its numbers has attestation A.
func attested(a answer) bool {
	for _, n := range a.PhoneNumbers {
		if (n.Attestation != nil) != (a.Attestation != nil) {
			return false
		}
	}
	return a.Attestation != nil
}
