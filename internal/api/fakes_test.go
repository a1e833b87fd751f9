package api

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/desk"
)

// fakeService has onboardings in memory. If set, err answers everything, amendErr answers
// amendments, and panics is the value of a panic.
type fakeService struct {
	byID      map[onboarding.ID]*onboarding.Onboarding
	err       error
	amendErr  error
	panics    any
	actors    []string
	changes   []string
	requests  []onboarding.Request
	filters   []onboarding.Filter
	callbacks []onboarding.Callback
	next      *onboarding.Cursor
}

func (s *fakeService) fail() error {
	if s.panics != nil {
		panic(s.panics)
	}
	return s.err
}

func (s *fakeService) Create(_ context.Context, actor string, r onboarding.Request) (*onboarding.Onboarding, error) {
	if err := s.fail(); err != nil {
		return nil, err
	}
	s.actors = append(s.actors, actor)
	s.requests = append(s.requests, r)
	o := &onboarding.Onboarding{
		ID: testID, SubaccountSID: r.SubaccountSID, Request: r, Version: 1, CreatedAt: testNow, UpdatedAt: testNow,
		Steps: []onboarding.Step{{Key: "preflight", State: onboarding.StepPending}},
	}
	s.byID[o.ID] = o
	return o, nil
}

func (s *fakeService) Get(_ context.Context, id onboarding.ID) (*onboarding.Onboarding, error) {
	if err := s.fail(); err != nil {
		return nil, err
	}
	o, ok := s.byID[id]
	if !ok {
		return nil, onboarding.ErrNotFound
	}
	return o, nil
}

func (s *fakeService) List(_ context.Context, f onboarding.Filter) ([]onboarding.Summary, *onboarding.Cursor, error) {
	if err := s.fail(); err != nil {
		return nil, nil, err
	}
	s.filters = append(s.filters, f)
	var page []onboarding.Summary
	for _, o := range s.byID {
		page = append(page, onboarding.Summary{
			ID: o.ID, ExternalID: o.Request.ExternalID, SubaccountSID: o.SubaccountSID,
			PrimaryProfileSID: o.Request.PrimaryProfileSID, BusinessName: o.Request.Business.Name, Status: o.Status(),
			CustomerProfile: o.Bundle("customer_profile"), TrustProduct: o.Bundle("trust_product"),
			Attestation: o.Attestation(), Requirements: o.Requirements(), Version: o.Version, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt,
		})
	}
	slices.SortFunc(page, func(a, b onboarding.Summary) int { return strings.Compare(string(b.ID), string(a.ID)) })
	return page, s.next, nil
}

func (s *fakeService) Resume(ctx context.Context, actor string, id onboarding.ID) (*onboarding.Onboarding, error) {
	s.actors = append(s.actors, actor)
	return s.Get(ctx, id)
}

func (s *fakeService) Amend(ctx context.Context, actor string, id onboarding.ID, version int, amended onboarding.Request) (*onboarding.Onboarding, error) {
	s.actors = append(s.actors, actor)
	s.requests = append(s.requests, amended)
	if s.amendErr != nil {
		return nil, s.amendErr
	}
	o, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if version != o.Version {
		return nil, desk.ErrVersion
	}
	next := *o
	next.Request, next.Version = amended, version+1
	s.byID[id] = &next
	return &next, nil
}

func (s *fakeService) AddNumbers(ctx context.Context, actor string, id onboarding.ID, numbers []string, move bool) (*onboarding.Onboarding, error) {
	return s.changed(ctx, id, fmt.Sprintf("%s adds %v, move %v", actor, numbers, move))
}

func (s *fakeService) RemoveNumber(ctx context.Context, actor string, id onboarding.ID, number string) (*onboarding.Onboarding, error) {
	return s.changed(ctx, id, fmt.Sprintf("%s removes %s", actor, number))
}

func (s *fakeService) Cancel(ctx context.Context, actor string, id onboarding.ID, cleanup bool) (*onboarding.Onboarding, error) {
	return s.changed(ctx, id, fmt.Sprintf("%s cancels, cleanup %v", actor, cleanup))
}

func (s *fakeService) changed(ctx context.Context, id onboarding.ID, how string) (*onboarding.Onboarding, error) {
	s.changes = append(s.changes, how)
	if s.amendErr != nil {
		return nil, s.amendErr
	}
	return s.Get(ctx, id)
}

func (s *fakeService) ReceiveCallback(_ context.Context, c onboarding.Callback) error {
	if err := s.fail(); err != nil {
		return err
	}
	s.callbacks = append(s.callbacks, c)
	return nil
}

func (s *fakeService) FindByCallbackToken(_ context.Context, token string) (onboarding.ID, string, error) {
	if err := s.fail(); err != nil {
		return "", "", err
	}
	if token != testToken {
		return "", "", onboarding.ErrNotFound
	}
	return testID, testSubaccount, nil
}

// fakeKeys knows keys by their hash and counts how often it is asked.
type fakeKeys struct {
	known map[[sha256.Size]byte]Key
	err   error
	asked int
}

func (k *fakeKeys) add(name string, role Role) string {
	plain, sum := NewKey()
	k.known[sum] = Key{Name: name, Role: role}
	return plain
}

func (k *fakeKeys) Authenticate(_ context.Context, sum [sha256.Size]byte) (Key, error) {
	k.asked++
	if k.err != nil {
		return Key{}, k.err
	}
	key, ok := k.known[sum]
	if !ok {
		return Key{}, ErrUnknownKey
	}
	return key, nil
}

// fakeVerifier takes the signature "good" for that of the subaccount, and notes what it was asked.
type fakeVerifier struct {
	err  error
	urls []string
}

func (v *fakeVerifier) SignedBy(_ context.Context, subaccount, signature, url, _ string, _ []byte) (string, error) {
	v.urls = append(v.urls, url)
	switch {
	case v.err != nil:
		return "", v.err
	case signature == "good":
		return subaccount, nil
	default:
		return "", nil
	}
}
