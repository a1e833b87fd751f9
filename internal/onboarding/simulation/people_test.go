package simulation

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// people is what the seed decides of those who use attestd and Twilio's Console.
type people struct {
	// acts is how many things they do, over the time that is played; acting is the chance that one
	// of them is done in a given turn, so that it falls into the middle of a run.
	acts   int
	acting float64
	// until is when they have done everything, from the beginning.
	until time.Duration
	// does are the things that they do.
	does []act

	all        bool // phone_numbers: all
	subaccount bool // to be made
	products   []onboarding.Product
	given      given
	flaw       flaw // of the request, which the reviewers find

	leaveLost     bool
	endingNotice  time.Duration
	checkInterval time.Duration

	// Twilio's ways.
	productsFinal, numbersDuringReview bool
	approvalValidity                   time.Duration
}

// given is what the subaccount has already and the request names.
type given string

const (
	givenNothing  given = ""
	givenAddress  given = "address"
	givenUsers    given = "end users"
	givenDraft    given = "profile in draft"
	givenProfile  given = "approved profile"
	givenProducts given = "approved profile and product"
)

// flaw is what a reviewer does not believe.
type flaw string

const (
	noFlaw          flaw = ""
	flawedName      flaw = "18601"
	flawedNumber    flaw = "18602"
	flawedAddress   flaw = "18603"
	flawedPerson    flaw = "18604"
	flawedMail      flaw = "18606"
	unverified           = "Unverified"
	goodNumber           = "12-3456789"
	goodDomain           = "example.com"
	customerName         = "Example Plumbing LLC"
	differentDomain      = "example.org"
)

// peopleOf draws it. Each scenario has a modest mix, so that it stays cheap and what it finds can
// be understood.
func peopleOf(seed uint64, s scenario) people {
	rng := rand.New(rand.NewPCG(seed, 2))
	chance := func(p float64) bool { return rng.Float64() < p }
	p := people{
		acts:                pick(rng, 0, 1, 2, 4, 6),
		acting:              pick(rng, 0, 0.01, 0.03),
		all:                 chance(0.2),
		subaccount:          chance(0.15),
		leaveLost:           chance(0.3),
		endingNotice:        pick(rng, 0, 0, time.Hour),
		checkInterval:       pick(rng, 6*time.Hour, 24*time.Hour),
		productsFinal:       chance(0.25),
		numbersDuringReview: chance(0.4),
	}
	p.until = pick(rng, s.faultsFor, s.faultsFor+time.Duration(rng.Int64N(int64(3*s.reviewDelay+time.Hour))))
	if chance(0.1) {
		p.approvalValidity = pick(rng, 3*time.Hour, 36*time.Hour)
	}
	if chance(0.25) {
		p.products = pick(rng,
			[]onboarding.Product{onboarding.ProductShakenStir, onboarding.ProductVoiceIntegrity},
			[]onboarding.Product{onboarding.ProductShakenStir, onboarding.ProductCNAM},
			[]onboarding.Product{onboarding.ProductShakenStir, onboarding.ProductVoiceIntegrity, onboarding.ProductCNAM})
	}
	if !p.subaccount && chance(0.25) {
		p.given = pick(rng, givenAddress, givenUsers, givenDraft, givenProfile, givenProducts)
	}
	if chance(0.3) {
		p.flaw = pick(rng, flawedName, flawedNumber, flawedAddress, flawedPerson, flawedMail)
	}
	kinds := 1 + rng.IntN(5)
	for range kinds {
		p.does = append(p.does, acts[rng.IntN(len(acts))])
	}
	if chance(0.2) {
		p.does = append(p.does, act{"cancel", cancel})
	}
	return p
}

func (p people) String() string {
	var names []string
	for _, a := range p.does {
		names = append(names, a.name)
	}
	text := fmt.Sprintf("%d acts (%s) until %s", p.acts, strings.Join(names, ", "), p.until.Round(time.Second))
	for _, say := range []struct {
		is   bool
		what string
	}{
		{p.all, "all numbers"}, {p.subaccount, "a subaccount to be made"}, {p.given != "", "given: " + string(p.given)},
		{p.flaw != "", "flaw " + string(p.flaw)}, {p.leaveLost, "lost numbers are left"}, {p.productsFinal, "rejected products are final"},
		{p.numbersDuringReview, "numbers may change during a review"}, {p.approvalValidity > 0, "approvals lapse after " + p.approvalValidity.String()},
		{len(p.products) > 0, fmt.Sprint(p.products)},
	} {
		if say.is {
			text += ", " + say.what
		}
	}
	return text
}

// request is the one that the seed asks for, in that subaccount and for those numbers.
func (s scenario) request(n int, subaccount string, numbers []string) onboarding.Request {
	r := onboarding.Request{
		SubaccountSID:     subaccount,
		PrimaryProfileSID: trusthubsim.DefaultPrimaryProfileSID,
		NotificationEmail: "trust@example.com",
		Business: onboarding.Business{
			Name: customerName, Identity: "direct_customer", Type: "Limited Liability Corporation", Industry: "CONSTRUCTION",
			RegistrationIdentifier: "EIN", RegistrationNumber: goodNumber, RegionsOfOperation: "USA_AND_CANADA", WebsiteURL: "https://" + goodDomain,
		},
		Address:                   goodAddress(),
		AuthorizedRepresentatives: []onboarding.Representative{firstPerson(), secondPerson()}[:s.representatives],
		PhoneNumbers:              numbers,
		Products:                  s.people.products,
		VoiceIntegrity:            onboarding.VoiceIntegrity{UseCase: "Customer Support", BusinessEmployeeCount: "10", AverageBusinessDayCallVolume: "100"},
		CNAM:                      onboarding.CNAM{DisplayName: "Example"},
	}
	if s.people.subaccount {
		r.Subaccount = &onboarding.NewSubaccount{FriendlyName: fmt.Sprintf("%s %d", customerName, n)}
	}
	if s.people.all {
		r.PhoneNumbers, r.AllPhoneNumbers = nil, true
	}
	switch s.people.flaw {
	case flawedName:
		r.Business.Name = unverified + " LLC"
	case flawedNumber:
		r.Business.RegistrationNumber = "12-3450000"
	case flawedAddress:
		r.Address.Street = "1 " + unverified + " Street"
	case flawedPerson:
		r.AuthorizedRepresentatives[0].LastName = unverified
	case flawedMail:
		r.AuthorizedRepresentatives[0].Email = "first@" + differentDomain
	case noFlaw:
	}
	return r
}

func goodAddress() onboarding.Address {
	return onboarding.Address{
		CustomerName: customerName, Street: "1 Example Street", City: "San Francisco", Region: "CA", PostalCode: "94105", ISOCountry: "US",
	}
}

func firstPerson() onboarding.Representative {
	return onboarding.Representative{FirstName: "First", LastName: "Representative", Email: "first@" + goodDomain, PhoneNumber: "+12025550123", BusinessTitle: "Owner", JobPosition: "CEO"}
}

func secondPerson() onboarding.Representative {
	return onboarding.Representative{FirstName: "Second", LastName: "Representative", Email: "second@" + goodDomain, PhoneNumber: "+12025550124", BusinessTitle: "Owner", JobPosition: "CFO"}
}

// corrected is the request without what a reviewer does not believe.
func corrected(r onboarding.Request) onboarding.Request {
	r = copyOf(r)
	r.Business.Name, r.Business.RegistrationNumber = customerName, goodNumber
	if strings.Contains(r.Address.Street, unverified) {
		r.Address.Street = goodAddress().Street
	}
	r.AuthorizedRepresentatives[0].LastName, r.AuthorizedRepresentatives[0].Email = firstPerson().LastName, firstPerson().Email
	return r
}
