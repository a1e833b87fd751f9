package trusthubsim

type typeJSON struct {
	SID          string      `json:"sid"`
	FriendlyName string      `json:"friendly_name"`
	MachineName  string      `json:"machine_name"`
	Fields       []fieldJSON `json:"fields"`
	URL          string      `json:"url"`
}

type fieldJSON struct {
	MachineName  string `json:"machine_name"`
	FriendlyName string `json:"friendly_name"`
	Constraint   string `json:"constraint"`
}

func (t *objectType) render(url string) any {
	fields := make([]fieldJSON, len(t.fields))
	for i, f := range t.fields {
		fields[i] = fieldJSON{MachineName: f.name, FriendlyName: f.friendlyName, Constraint: f.constraint}
	}
	return typeJSON{SID: t.sid, FriendlyName: t.friendlyName, MachineName: t.name, Fields: fields, URL: url}
}

func listEndUserTypes(c *call) (answer, *apiError) {
	return listTypes(c, "end_user_types", endUserTypes)
}
func fetchEndUserType(c *call) (answer, *apiError) { return fetchType(c, endUserTypes) }
func listDocumentTypes(c *call) (answer, *apiError) {
	return listTypes(c, "supporting_document_types", documentTypes)
}
func fetchDocumentType(c *call) (answer, *apiError) { return fetchType(c, documentTypes) }

func listTypes(c *call, key string, types []*objectType) (answer, *apiError) {
	return trustHubList(c, key, types, nil, func(t *objectType) any { return t.render(c.base + c.path + "/" + t.sid) })
}

func fetchType(c *call, types []*objectType) (answer, *apiError) {
	t := bySID(types, c.lastSID())
	if t == nil {
		return answer{}, notFound(c.path)
	}
	return answer{body: t.render(c.base + c.path), sid: t.sid}, nil
}

type policyJSON struct {
	SID          string           `json:"sid"`
	FriendlyName string           `json:"friendly_name"`
	Requirements requirementsJSON `json:"requirements"`
	URL          string           `json:"url"`
}

type requirementsJSON struct {
	EndUser                    []endUserRequirementJSON    `json:"end_user"`
	SupportingTrustProducts    []any                       `json:"supporting_trust_products"`
	SupportingDocument         [][]documentRequirementJSON `json:"supporting_document"`
	SupportingCustomerProfiles []profileRequirementJSON    `json:"supporting_customer_profiles"`
}

type acceptedJSON struct {
	Name   string   `json:"name"`
	Type   string   `json:"type"`
	URL    string   `json:"url"`
	Fields []string `json:"fields"`
}

type endUserRequirementJSON struct {
	acceptedJSON
	RequirementName string `json:"requirement_name"`
}

type documentRequirementJSON struct {
	Name              string         `json:"name"`
	Type              string         `json:"type"`
	Description       string         `json:"description"`
	RequirementName   string         `json:"requirement_name"`
	AcceptedDocuments []acceptedJSON `json:"accepted_documents"`
}

type profileRequirementJSON struct {
	Name            string `json:"name"`
	Type            string `json:"type"`
	RequirementName string `json:"requirement_name"`
}

func (r requirement) accepted(path string) acceptedJSON {
	a := acceptedJSON{Name: r.friendlyName, Type: r.kind.name, URL: path + r.kind.name}
	for _, f := range r.kind.fields {
		a.Fields = append(a.Fields, f.name)
	}
	return a
}

func (p *policy) render(url string) any {
	r := requirementsJSON{
		EndUser: []endUserRequirementJSON{}, SupportingTrustProducts: []any{},
		SupportingDocument:         [][]documentRequirementJSON{{}},
		SupportingCustomerProfiles: []profileRequirementJSON{},
	}
	for _, u := range p.endUsers {
		r.EndUser = append(r.EndUser, endUserRequirementJSON{u.accepted("/EndUserTypes/"), u.kind.name})
	}
	for _, d := range p.documents {
		r.SupportingDocument[0] = append(r.SupportingDocument[0], documentRequirementJSON{
			Name: d.friendlyName, Type: "document", Description: d.friendlyName, RequirementName: d.kind.name,
			AcceptedDocuments: []acceptedJSON{d.accepted("/SupportingDocumentTypes/")},
		})
	}
	for _, profile := range p.profiles {
		for _, kind := range profile.types {
			r.SupportingCustomerProfiles = append(r.SupportingCustomerProfiles, profileRequirementJSON{
				Name: profile.friendlyName, Type: kind, RequirementName: profile.name,
			})
		}
	}
	return policyJSON{SID: p.sid, FriendlyName: p.friendlyName, Requirements: r, URL: url}
}

func listPolicies(c *call) (answer, *apiError) {
	return trustHubList(c, "results", policies, nil, func(p *policy) any { return p.render(c.base + c.path + "/" + p.sid) })
}

func fetchPolicy(c *call) (answer, *apiError) {
	p := policyBySID(c.lastSID())
	if p == nil {
		return answer{}, notFound(c.path)
	}
	return answer{body: p.render(c.base + c.path), sid: p.sid}, nil
}
