package trusthubsim

import (
	"net/http"
	"strings"
)

// document is a supporting document.
type document struct {
	identity
	account      *account
	friendlyName string
	kind         *objectType
	attributes   map[string]any // replaced as a whole, never changed
	bundles      []*bundle      // that it is assigned to
}

type documentJSON struct {
	SID          string         `json:"sid"`
	AccountSID   string         `json:"account_sid"`
	FriendlyName string         `json:"friendly_name"`
	MimeType     *string        `json:"mime_type"`
	Status       string         `json:"status"`
	Type         string         `json:"type"`
	Attributes   map[string]any `json:"attributes"`
	DateCreated  string         `json:"date_created"`
	DateUpdated  string         `json:"date_updated"`
	URL          string         `json:"url"`
}

func (d *document) render(base string) any {
	return documentJSON{
		SID: d.sid, AccountSID: d.account.sid, FriendlyName: d.friendlyName, Status: d.status(), Type: d.kind.name,
		Attributes: d.attributes, DateCreated: iso8601(d.created), DateUpdated: iso8601(d.updated),
		URL: base + "/v1/SupportingDocuments/" + d.sid,
	}
}

// status is written in upper case, as since 2025, unless the switch says otherwise.
func (d *document) status() string {
	if d.account.sim.cfg.LowerDocumentStatus {
		return strings.ToLower(d.standing())
	}
	return d.standing()
}

// standing follows the first bundle that the document is on.
func (d *document) standing() string {
	if len(d.bundles) > 0 {
		switch b := d.bundles[0]; {
		case b.inReview():
			return "PENDING_REVIEW"
		case b.status == StatusApproved:
			return "APPROVED"
		case b.status == StatusRejected:
			return "REJECTED"
		}
	}
	return "DRAFT"
}

// locked is the bundle that keeps the document from being edited, or nil.
func (d *document) locked() *bundle { return lockedBy(d.bundles) }

// addresses are those of the account that the document names, and how many others it names.
func (d *document) addresses() (found []*address, missing int) {
	for sid := range strings.SplitSeq(attributeText(d.attributes, "address_sids"), ",") {
		if sid = strings.TrimSpace(sid); sid == "" {
			continue
		}
		if a, ok := d.account.addresses.get(sid); ok {
			found = append(found, a)
		} else {
			missing++
		}
	}
	return found, missing
}

// setAttributes replaces the attributes and keeps the addresses' record of the documents that name
// them.
func (d *document) setAttributes(attributes map[string]any) {
	before, _ := d.addresses()
	for _, a := range before {
		delete(a.documents, d)
	}
	d.attributes = attributes
	after, _ := d.addresses()
	for _, a := range after {
		if a.documents == nil {
			a.documents = map[*document]struct{}{}
		}
		a.documents[d] = struct{}{}
	}
}

func (c *call) document() (*document, *apiError) {
	if d, ok := c.account.documents.get(c.lastSID()); ok {
		return d, nil
	}
	return nil, notFound(c.path)
}

func listDocuments(c *call) (answer, *apiError) {
	return trustHubList(c, "results", c.account.documents.order, nil, func(d *document) any { return d.render(c.base) })
}

// createDocument accepts addresses that do not exist; an evaluation does not (22219).
func createDocument(c *call) (answer, *apiError) {
	kind := typeNamed(documentTypes, c.form.Get("Type"))
	if kind == nil {
		return answer{}, badRequest(codeDocumentType, "Invalid Supporting Document Type in request: %s", c.form.Get("Type"))
	}
	attributes, apiErr := c.readAttributes(kind, map[string]any{})
	if apiErr != nil {
		return answer{}, apiErr
	}
	d := &document{
		identity: c.sim.newIdentity(c.account.sid, "RD", c.now), account: c.account,
		friendlyName: c.form.Get("FriendlyName"), kind: kind,
	}
	d.setAttributes(attributes)
	c.account.documents.add(d)
	return answer{status: http.StatusCreated, body: d.render(c.base), sid: d.sid}, nil
}

func fetchDocument(c *call) (answer, *apiError) {
	d, apiErr := c.document()
	if apiErr != nil {
		return answer{}, apiErr
	}
	return answer{body: d.render(c.base), sid: d.sid}, nil
}

func updateDocument(c *call) (answer, *apiError) {
	d, apiErr := c.document()
	if apiErr != nil {
		return answer{}, apiErr
	}
	if b := d.locked(); b != nil {
		return answer{}, conflict("%s cannot be modified while %s is %s", d.sid, b.sid, b.status)
	}
	attributes, apiErr := c.readAttributes(d.kind, d.attributes)
	if apiErr != nil {
		return answer{}, apiErr
	}
	d.setAttributes(attributes)
	c.set(&d.friendlyName, "FriendlyName")
	d.updated = c.now
	return answer{body: d.render(c.base), sid: d.sid}, nil
}

func deleteDocument(c *call) (answer, *apiError) {
	d, apiErr := c.document()
	if apiErr != nil {
		return answer{}, apiErr
	}
	if len(d.bundles) > 0 {
		return answer{}, badRequest(codeDocumentAssigned,
			"Supporting Document cannot be deleted due to an active assignment to %s", d.bundles[0].sid)
	}
	c.account.documents.remove(d)
	d.setAttributes(map[string]any{})
	return answer{status: http.StatusNoContent, sid: d.sid}, nil
}
