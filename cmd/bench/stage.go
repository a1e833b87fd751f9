package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/trusthubsim"
)

// stage is attestd with a simulator and a database of its own.
type stage struct {
	simulator *trusthubsim.Simulator
	twilio    *http.Server
	twilioURL string

	databaseURL string
	environ     []string
	server      *exec.Cmd
	serverURL   string
	key         string
	client      *http.Client
}

// newStage starts a simulator and prepares a database. settings are variables of the configuration
// of attestd.
func newStage(ctx context.Context, databaseURL string, simulator trusthubsim.Config, settings ...string) (s *stage, err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the simulator: %w", err)
	}
	s = &stage{
		simulator:   trusthubsim.New(simulator),
		twilioURL:   "http://" + listener.Addr().String(),
		databaseURL: databaseURL,
		client:      &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: concurrency}},
	}
	s.twilio = &http.Server{Handler: s.simulator, ReadHeaderTimeout: 10 * time.Second}
	//nolint:errcheck // It ends with close. If it ends before, every call shows that.
	go s.twilio.Serve(listener)

	addr, err := freeAddr(ctx)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.serverURL = "http://" + addr
	s.environ = append(os.Environ(),
		"DATABASE_URL="+databaseURL,
		"LISTEN_ADDR="+addr,
		"PUBLIC_URL="+s.serverURL,
		"TWILIO_ACCOUNT_SID="+trusthubsim.DefaultAccountSID,
		"TWILIO_AUTH_TOKEN="+trusthubsim.DefaultAuthToken,
		"TWILIO_PRIMARY_PROFILE_SID="+trusthubsim.DefaultPrimaryProfileSID,
		"TWILIO_API_URL="+s.twilioURL,
		"TWILIO_TRUSTHUB_URL="+s.twilioURL,
		"LOG_LEVEL=warn",
	)
	s.environ = append(s.environ, settings...)
	if _, err := s.command(ctx, "migrate", "up"); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if s.key, err = s.command(ctx, "keys", "create", "-name", "bench", "-role", "operator"); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// command runs one of attestd's commands and returns what it prints.
func (s *stage) command(ctx context.Context, args ...string) (string, error) {
	out, err := part(ctx, s.environ, "", append([]string{serverPart}, args...)...).Output()
	if err != nil {
		return "", fmt.Errorf("attestd %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

// serve starts attestd and returns when it is ready.
func (s *stage) serve(ctx context.Context, profile string) error {
	server := part(context.WithoutCancel(ctx), s.environ, profile, serverPart, "serve")
	if err := server.Start(); err != nil {
		return fmt.Errorf("start attestd: %w", err)
	}
	s.server = server
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if status, err := s.call(ctx, http.MethodGet, "/readyz", nil, nil); err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("attestd was not ready within %s", patience)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// endServer stops attestd and returns the CPU time that it took.
func (s *stage) endServer() (time.Duration, error) {
	server := s.server
	s.server = nil
	return terminate(server)
}

func (s *stage) close() error {
	var errs []error
	if s.server != nil {
		_, err := s.endServer()
		errs = append(errs, err)
	}
	errs = append(errs, s.twilio.Close())
	s.simulator.Close()
	s.client.CloseIdleConnections()
	return errors.Join(errs...)
}

// view has the members of an onboarding that are looked at.
type view struct {
	ID              string
	Status          string
	CustomerProfile bundleView `json:"customer_profile"`
	TrustProduct    bundleView `json:"trust_product"`
}

type bundleView struct{ Status string }

func (b bundleView) submitted() bool { return b.Status != "" && b.Status != onboarding.BundleDraft }

// post asks attestd for an onboarding and returns its ID.
func (s *stage) post(ctx context.Context, r onboarding.Request) (id string, err error) {
	var v view
	status, err := s.call(ctx, http.MethodPost, "/onboardings", r, &v)
	if err == nil && status != http.StatusAccepted {
		err = fmt.Errorf("POST /onboardings answered %d", status)
	}
	return v.ID, err
}

func (s *stage) get(ctx context.Context, id string) (v view, err error) {
	status, err := s.call(ctx, http.MethodGet, "/onboardings/"+id, nil, &v)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("GET /onboardings/%s answered %d", id, status)
	}
	return v, err
}

// call makes a request to the API of attestd. It decodes the answer, unless into is nil or the
// answer tells of a failure.
func (s *stage) call(ctx context.Context, method, path string, body, into any) (status int, err error) {
	content, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, method, s.serverURL+path, bytes.NewReader(content))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+s.key)
	response, err := s.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if into == nil || response.StatusCode >= http.StatusMultipleChoices {
		_, err := io.Copy(io.Discard, response.Body)
		return response.StatusCode, err
	}
	return response.StatusCode, json.NewDecoder(response.Body).Decode(into)
}

// freeAddr returns a loopback address that nothing listens on now.
func freeAddr(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}
