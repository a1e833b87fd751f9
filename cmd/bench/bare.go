package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"sync"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/plan"
	"github.com/attestd/attestd/internal/trusthub"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// This file has the bare loop, with which attestd is compared: a script that makes the calls of an
// onboarding one after the other, through the same client of Twilio, and writes nothing down. It
// runs in a process of its own. Each order is a line of JSON, and so is its result.

// bareOrder is an order for the bare loop.
type bareOrder struct {
	TwilioURL string
	Requests  []onboarding.Request
	// Chain asks for the longest chain of each onboarding only, one onboarding after the other.
	// What the chain needs is made before, and not measured. Without Chain, the onboardings go from
	// POST to approval, so many at once.
	Chain       bool
	Concurrency int
}

// bareResult is how long an order took.
type bareResult struct {
	Took   time.Duration
	Chains []time.Duration
	Error  string
}

// bareProcess is the process of the bare loop, seen from outside.
type bareProcess struct {
	cmd     *exec.Cmd
	orders  *json.Encoder
	results *json.Decoder
	input   io.Closer
}

func startBare(ctx context.Context, profile string) (*bareProcess, error) {
	cmd := part(context.WithoutCancel(ctx), nil, profile, barePart)
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the bare loop: %w", err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the bare loop: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the bare loop: %w", err)
	}
	return &bareProcess{cmd: cmd, orders: json.NewEncoder(input), results: json.NewDecoder(output), input: input}, nil
}

func (p *bareProcess) do(order bareOrder) (result bareResult, err error) {
	err = p.orders.Encode(order)
	if err == nil {
		err = p.results.Decode(&result)
	}
	if err == nil && result.Error != "" {
		err = errors.New(result.Error)
	}
	if err != nil {
		return bareResult{}, fmt.Errorf("the bare loop: %w", err)
	}
	return result, nil
}

// end ends the process and returns its CPU time.
func (p *bareProcess) end() (time.Duration, error) {
	if err := p.input.Close(); err != nil {
		return 0, fmt.Errorf("stop the bare loop: %w", err)
	}
	if err := p.cmd.Wait(); err != nil {
		return 0, fmt.Errorf("the bare loop: %w", err)
	}
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime(), nil
}

// serveBare carries out orders until there are no more.
func serveBare(ctx context.Context, in io.Reader, out io.Writer) error {
	approvals, err := listenForApprovals(ctx)
	if err != nil {
		return err
	}
	defer approvals.close()
	orders, results := json.NewDecoder(in), json.NewEncoder(out)
	hubs := make(map[string]*trusthub.Client)
	for {
		var order bareOrder
		if err := orders.Decode(&order); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read an order: %w", err)
		}
		if hubs[order.TwilioURL] == nil {
			hub, err := trusthub.New(trusthub.Config{
				AccountSID: trusthubsim.DefaultAccountSID, AuthToken: trusthubsim.DefaultAuthToken,
				APIURL: order.TwilioURL, TrustHubURL: order.TwilioURL,
			})
			if err != nil {
				return err
			}
			defer hub.Close()
			hubs[order.TwilioURL] = hub
		}
		b := bareLoop{hub: hubs[order.TwilioURL], approvals: approvals}
		var result bareResult
		var err error
		if order.Chain {
			result.Chains, err = b.chains(ctx, order.Requests)
		} else {
			result.Took, err = b.loop(ctx, order.Requests, order.Concurrency)
		}
		if err != nil {
			result.Error = err.Error()
		}
		if err := results.Encode(result); err != nil {
			return fmt.Errorf("write a result: %w", err)
		}
	}
}

type bareLoop struct {
	hub       *trusthub.Client
	approvals *approvals
}

// loop onboards all, so many at once, and returns how long that took.
func (b bareLoop) loop(ctx context.Context, requests []onboarding.Request, concurrency int) (time.Duration, error) {
	begun := time.Now()
	err := atOnce(ctx, concurrency, requests, b.onboard)
	return time.Since(begun), err
}

// chains makes what the longest chain needs, and then measures the chain of each onboarding, one
// after the other.
func (b bareLoop) chains(ctx context.Context, requests []onboarding.Request) ([]time.Duration, error) {
	scripts := make([]*script, 0, len(requests))
	for _, r := range requests {
		scripts = append(scripts, b.script(r))
	}
	err := atOnce(ctx, len(scripts), scripts, func(ctx context.Context, s *script) error {
		s.subaccount(ctx)
		s.reads(ctx)
		s.fill(ctx)
		return s.err
	})
	took := make([]time.Duration, 0, len(scripts))
	for _, s := range scripts {
		if err != nil {
			break
		}
		begun := time.Now()
		s.subaccount(ctx)
		s.document(ctx)
		s.submit(ctx, onboarding.CustomerProfile)
		s.submit(ctx, onboarding.TrustProduct)
		took, err = append(took, time.Since(begun)), s.err
	}
	return took, err
}

// onboard makes every call that attestd makes for an onboarding on its clean path.
func (b bareLoop) onboard(ctx context.Context, r onboarding.Request) error {
	s := b.script(r)
	s.subaccount(ctx)
	s.reads(ctx)
	s.fill(ctx)
	s.document(ctx)
	s.submit(ctx, onboarding.CustomerProfile)
	s.approved(ctx, onboarding.CustomerProfile)
	s.submit(ctx, onboarding.TrustProduct)
	s.approved(ctx, onboarding.TrustProduct)
	return s.err
}

func (b bareLoop) script(r onboarding.Request) *script {
	return &script{bareLoop: b, r: r, account: r.SubaccountSID, bundles: make(map[onboarding.BundleKind]string)}
}

// script is the onboarding of one subaccount. It has its first error, after which it makes no more
// calls.
type script struct {
	bareLoop
	r       onboarding.Request
	account string
	numbers []onboarding.PhoneNumber
	bundles map[onboarding.BundleKind]string
	err     error
}

func (s *script) keep(err error) {
	if s.err == nil {
		s.err = err
	}
}

// name is as long and as unique as the names that attestd gives to its objects.
func (s *script) name(key string) string { return s.account + "/" + key }

func (s *script) object(o onboarding.Object, err error) string {
	s.keep(err)
	return o.SID
}

// subaccount makes the first read of a script, which fetches the token of the subaccount.
func (s *script) subaccount(ctx context.Context) {
	_, err := s.hub.FetchAccount(ctx, s.account)
	s.keep(err)
}

// reads makes the other reads that come before anything is made.
func (s *script) reads(ctx context.Context) {
	_, err := s.hub.FetchBundle(ctx, s.hub.ParentAccount(), onboarding.CustomerProfile, s.r.PrimaryProfileSID)
	s.keep(err)
	s.numbers, err = s.hub.FindPhoneNumbers(ctx, s.account, s.r.PhoneNumbers)
	s.keep(err)
}

// fill makes both bundles and everything on them but the address.
func (s *script) fill(ctx context.Context) {
	policies := map[onboarding.BundleKind]string{
		onboarding.CustomerProfile: plan.DefaultSecondaryProfilePolicySID,
		onboarding.TrustProduct:    plan.DefaultShakenStirPolicySID,
	}
	for kind, policy := range policies {
		bundle, err := s.hub.CreateBundle(ctx, s.account, onboarding.NewBundle{
			Kind: kind, FriendlyName: s.name("customer_profile"), PolicySID: policy, Email: s.r.NotificationEmail,
			StatusCallback: s.approvals.url,
		})
		s.keep(err)
		s.bundles[kind] = bundle.SID
	}
	profile, product := s.bundles[onboarding.CustomerProfile], s.bundles[onboarding.TrustProduct]
	onProfile := []string{s.r.PrimaryProfileSID, s.endUser(ctx, "customer_profile_business_information", s.r.Business.Attributes())}
	for i, representative := range s.r.AuthorizedRepresentatives {
		onProfile = append(onProfile, s.endUser(ctx, fmt.Sprintf("authorized_representative_%d", i+1), representative.Attributes()))
	}
	for _, object := range onProfile {
		s.object(s.hub.AssignEntity(ctx, s.account, onboarding.CustomerProfile, profile, object))
	}
	s.object(s.hub.AssignEntity(ctx, s.account, onboarding.TrustProduct, product, profile))
	for _, number := range s.numbers {
		s.object(s.hub.AssignNumber(ctx, s.account, onboarding.CustomerProfile, profile, number.SID))
		s.object(s.hub.AssignNumber(ctx, s.account, onboarding.TrustProduct, product, number.SID))
	}
}

func (s *script) endUser(ctx context.Context, endUserType string, attributes map[string]string) string {
	return s.object(s.hub.CreateEndUser(ctx, s.account, onboarding.EndUser{
		FriendlyName: s.name("representative"), Type: endUserType, Attributes: attributes,
	}))
}

// document makes the address and its document, and puts the document on the profile.
func (s *script) document(ctx context.Context) {
	address := s.object(s.hub.CreateAddress(ctx, s.account, s.name("address"), s.r.Address))
	document := s.object(s.hub.CreateSupportingDocument(ctx, s.account, s.name("address_document"), address))
	s.object(s.hub.AssignEntity(ctx, s.account, onboarding.CustomerProfile, s.bundles[onboarding.CustomerProfile], document))
}

// submit evaluates a bundle and submits it.
func (s *script) submit(ctx context.Context, kind onboarding.BundleKind) {
	policy := plan.DefaultSecondaryProfilePolicySID
	if kind == onboarding.TrustProduct {
		policy = plan.DefaultShakenStirPolicySID
	}
	evaluation, err := s.hub.Evaluate(ctx, s.account, kind, s.bundles[kind], policy)
	s.keep(err)
	bundle, err := s.hub.SubmitBundle(ctx, s.account, kind, s.bundles[kind])
	s.keep(err)
	if evaluation.Status != onboarding.EvaluationCompliant || bundle.Status == onboarding.BundleDraft {
		s.keep(fmt.Errorf("evaluated as %q and submitted as %q", evaluation.Status, bundle.Status))
	}
}

// approved waits until a callback says that the bundle was decided, and reads the bundle.
func (s *script) approved(ctx context.Context, kind onboarding.BundleKind) {
	if s.err != nil {
		return
	}
	select {
	case <-s.approvals.of(s.bundles[kind]):
	case <-ctx.Done():
		s.keep(context.Cause(ctx))
		return
	}
	bundle, err := s.hub.FetchBundle(ctx, s.account, kind, s.bundles[kind])
	s.keep(err)
	if bundle.Status != onboarding.BundleApproved {
		s.keep(fmt.Errorf("reviewed as %q", bundle.Status))
	}
}

// approvals receives status callbacks, believes them, and tells who waits.
type approvals struct {
	url    string
	server *http.Server

	mu    sync.Mutex
	known map[string]chan struct{} // by bundle SID, closed when the bundle is approved
}

func listenForApprovals(ctx context.Context) (*approvals, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for callbacks: %w", err)
	}
	a := &approvals{url: "http://" + listener.Addr().String() + "/callbacks", known: make(map[string]chan struct{})}
	a.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.FormValue("Status") == onboarding.BundleApproved {
			a.approve(r.FormValue("BundleSid"))
		}
	})}
	go a.server.Serve(listener) //nolint:errcheck // It ends with close.
	return a, nil
}

func (a *approvals) approve(bundle string) {
	approved := a.of(bundle)
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-approved: // A callback may come twice.
	default:
		close(approved)
	}
}

// of returns the channel that is closed when the bundle is approved.
func (a *approvals) of(bundle string) chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known[bundle] == nil {
		a.known[bundle] = make(chan struct{})
	}
	return a.known[bundle]
}

func (a *approvals) close() { _ = a.server.Close() }
