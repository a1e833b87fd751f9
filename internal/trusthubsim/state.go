package trusthubsim

import (
	"maps"
	"time"
)

// State is everything that the simulator holds.
type State struct {
	Accounts map[string]AccountState `json:"accounts"` // by account SID
}

// AccountState is one account and what it holds, each list in the order in which its objects were
// made.
type AccountState struct {
	SID             string `json:"sid"`
	FriendlyName    string `json:"friendly_name"`
	Status          string `json:"status"`
	OwnerAccountSID string `json:"owner_account_sid"`
	AuthToken       string `json:"auth_token"`
	Holdings
	// Deleted holds what was deleted, in the order of deletion.
	Deleted DeletedState `json:"deleted"`
}

// Holdings are an account's objects.
type Holdings struct {
	CustomerProfiles     []BundleState      `json:"customer_profiles"`
	TrustProducts        []BundleState      `json:"trust_products"`
	EndUsers             []ObjectState      `json:"end_users"`
	SupportingDocuments  []ObjectState      `json:"supporting_documents"`
	Addresses            []AddressState     `json:"addresses"`
	IncomingPhoneNumbers []PhoneNumberState `json:"incoming_phone_numbers"`
}

// DeletedState is what was deleted. The assignments are those that were taken off bundles, existing
// and deleted ones.
type DeletedState struct {
	Holdings
	EntityAssignments          []EntityAssignmentState  `json:"entity_assignments"`
	ChannelEndpointAssignments []ChannelAssignmentState `json:"channel_endpoint_assignments"`
}

// BundleState is a customer profile or a trust product.
type BundleState struct {
	SID                        string                   `json:"sid"`
	PolicySID                  string                   `json:"policy_sid"`
	FriendlyName               string                   `json:"friendly_name"`
	Email                      string                   `json:"email"`
	StatusCallback             string                   `json:"status_callback"`
	Status                     Status                   `json:"status"`
	ValidUntil                 *time.Time               `json:"valid_until"`
	Errors                     []ReviewError            `json:"errors"`
	Submissions                int                      `json:"submissions"` // accepted ones
	EntityAssignments          []EntityAssignmentState  `json:"entity_assignments"`
	ChannelEndpointAssignments []ChannelAssignmentState `json:"channel_endpoint_assignments"`
	Evaluations                []EvaluationState        `json:"evaluations"`
	DateCreated                time.Time                `json:"date_created"`
	Deleted                    bool                     `json:"deleted"`
}

// EntityAssignmentState is an object on a bundle; ObjectType is its machine name.
type EntityAssignmentState struct {
	SID        string `json:"sid"`
	BundleSID  string `json:"bundle_sid"`
	ObjectSID  string `json:"object_sid"`
	ObjectType string `json:"object_type"`
	Deleted    bool   `json:"deleted"`
}

// ChannelAssignmentState is a number on a bundle.
type ChannelAssignmentState struct {
	SID                string `json:"sid"`
	BundleSID          string `json:"bundle_sid"`
	ChannelEndpointSID string `json:"channel_endpoint_sid"`
	Deleted            bool   `json:"deleted"`
}

// EvaluationState is an evaluation that was asked for; Status is compliant or noncompliant.
type EvaluationState struct {
	SID    string `json:"sid"`
	Status string `json:"status"`
}

// ObjectState is an end user or a supporting document.
type ObjectState struct {
	SID          string         `json:"sid"`
	FriendlyName string         `json:"friendly_name"`
	Type         string         `json:"type"`
	Attributes   map[string]any `json:"attributes"`
	DateCreated  time.Time      `json:"date_created"`
	Deleted      bool           `json:"deleted"`
}

// AddressState is an address.
type AddressState struct {
	SID             string    `json:"sid"`
	FriendlyName    string    `json:"friendly_name"`
	CustomerName    string    `json:"customer_name"`
	Street          string    `json:"street"`
	StreetSecondary string    `json:"street_secondary"`
	City            string    `json:"city"`
	Region          string    `json:"region"`
	PostalCode      string    `json:"postal_code"`
	IsoCountry      string    `json:"iso_country"`
	DateCreated     time.Time `json:"date_created"`
	Deleted         bool      `json:"deleted"`
}

// PhoneNumberState is a phone number.
type PhoneNumberState struct {
	SID          string    `json:"sid"`
	PhoneNumber  string    `json:"phone_number"`
	FriendlyName string    `json:"friendly_name"`
	DateCreated  time.Time `json:"date_created"`
	Deleted      bool      `json:"deleted"`
}

// State is a copy of everything that the simulator holds. GET /_sim/state answers the same.
func (s *Simulator) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := State{Accounts: make(map[string]AccountState, len(s.accounts.order))}
	for _, a := range s.accounts.order {
		state.Accounts[a.sid] = a.state()
	}
	return state
}

func (a *account) state() AccountState {
	state := AccountState{
		SID: a.sid, FriendlyName: a.friendlyName, Status: a.status, OwnerAccountSID: a.ownerSID(), AuthToken: a.authToken,
		Holdings: Holdings{
			CustomerProfiles: states(a.profiles.order, (*bundle).state), TrustProducts: states(a.products.order, (*bundle).state),
			EndUsers: states(a.endUsers.order, (*endUser).state), SupportingDocuments: states(a.documents.order, (*document).state),
			Addresses: states(a.addresses.order, (*address).state), IncomingPhoneNumbers: states(a.numbers.order, (*phoneNumber).state),
		},
		Deleted: DeletedState{
			Holdings: Holdings{
				CustomerProfiles: states(a.profiles.gone, (*bundle).state), TrustProducts: states(a.products.gone, (*bundle).state),
				EndUsers: states(a.endUsers.gone, (*endUser).state), SupportingDocuments: states(a.documents.gone, (*document).state),
				Addresses: states(a.addresses.gone, (*address).state), IncomingPhoneNumbers: states(a.numbers.gone, (*phoneNumber).state),
			},
			EntityAssignments: []EntityAssignmentState{}, ChannelEndpointAssignments: []ChannelAssignmentState{},
		},
	}
	for _, bundles := range [][]*bundle{a.profiles.order, a.profiles.gone, a.products.order, a.products.gone} {
		for _, b := range bundles {
			state.Deleted.EntityAssignments = append(state.Deleted.EntityAssignments, states(b.entities.gone, (*entityAssignment).state)...)
			state.Deleted.ChannelEndpointAssignments = append(state.Deleted.ChannelEndpointAssignments, states(b.channels.gone, (*channelAssignment).state)...)
		}
	}
	return state
}

func states[T, S any](objects []T, state func(T) S) []S {
	all := make([]S, len(objects))
	for i, object := range objects {
		all[i] = state(object)
	}
	return all
}

func (b *bundle) state() BundleState {
	state := BundleState{
		SID: b.sid, PolicySID: b.policy.sid, FriendlyName: b.friendlyName, Email: b.email, StatusCallback: b.statusCallback,
		Status: b.status, Errors: b.errors, Submissions: b.submissions,
		EntityAssignments:          states(b.entities.order, (*entityAssignment).state),
		ChannelEndpointAssignments: states(b.channels.order, (*channelAssignment).state),
		Evaluations:                states(b.evaluations.order, (*evaluation).state),
		DateCreated:                b.created, Deleted: b.deleted,
	}
	if b.validUntil != nil {
		until := *b.validUntil
		state.ValidUntil = &until
	}
	return state
}

func (a *entityAssignment) state() EntityAssignmentState {
	return EntityAssignmentState{SID: a.sid, BundleSID: a.bundle.sid, ObjectSID: a.objectSID, ObjectType: a.objectType, Deleted: a.deleted}
}

func (a *channelAssignment) state() ChannelAssignmentState {
	return ChannelAssignmentState{SID: a.sid, BundleSID: a.bundle.sid, ChannelEndpointSID: a.number.sid, Deleted: a.deleted}
}

func (e *evaluation) state() EvaluationState { return EvaluationState{SID: e.sid, Status: e.status()} }

func (u *endUser) state() ObjectState {
	return ObjectState{
		SID: u.sid, FriendlyName: u.friendlyName, Type: u.kind.name, Attributes: maps.Clone(u.attributes),
		DateCreated: u.created, Deleted: u.deleted,
	}
}

func (d *document) state() ObjectState {
	return ObjectState{
		SID: d.sid, FriendlyName: d.friendlyName, Type: d.kind.name, Attributes: maps.Clone(d.attributes),
		DateCreated: d.created, Deleted: d.deleted,
	}
}

func (a *address) state() AddressState {
	return AddressState{
		SID: a.sid, FriendlyName: a.friendlyName, CustomerName: a.customerName, Street: a.street, StreetSecondary: a.streetSecondary,
		City: a.city, Region: a.region, PostalCode: a.postalCode, IsoCountry: a.isoCountry, DateCreated: a.created, Deleted: a.deleted,
	}
}

func (n *phoneNumber) state() PhoneNumberState {
	return PhoneNumberState{SID: n.sid, PhoneNumber: n.number, FriendlyName: n.friendlyName, DateCreated: n.created, Deleted: n.deleted}
}
