package sandbox_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"github.com/attestd/attestd/internal/sandbox"
	"github.com/attestd/attestd/internal/server"
)

// serverVariable makes this test binary the server.
const serverVariable = "SANDBOX_TEST_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(serverVariable) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	status := server.Program{Args: os.Args[1:], Environ: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr}.Main(ctx)
	stop()
	os.Exit(status)
}

func config() sandbox.Config {
	return sandbox.Config{
		Server: func(ctx context.Context, args ...string) *exec.Cmd {
			return exec.CommandContext(ctx, os.Args[0], args...)
		},
		Environ: []string{serverVariable + "=1", "LOG_LEVEL=error"},
		Stderr:  os.Stderr,
	}
}

// list asks for all onboardings with the key of the sandbox, and returns the status of the answer.
func list(ctx context.Context, box *sandbox.Sandbox) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, box.URL+"/onboardings", nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+box.Key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	return response.Status, response.Body.Close()
}

func Example() {
	ctx := context.Background()
	box, err := sandbox.Start(ctx, config())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer box.Close()
	fmt.Println(list(ctx, box))
	// Output: 200 OK <nil>
}

func TestAServerThatWasStoppedOrKilledComesBackUnderItsURL(t *testing.T) {
	t.Parallel()
	box, err := sandbox.Start(t.Context(), config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	for name, end := range map[string]func() error{"stopped": box.StopServer, "killed": box.KillServer} {
		if err := end(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if status, err := list(t.Context(), box); err == nil {
			t.Errorf("%s: it answers %s", name, status)
		}
		if err := box.StartServer(t.Context()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if status, err := list(t.Context(), box); err != nil || status != "200 OK" {
			t.Errorf("%s, and back: it answers %s, %v", name, status, err)
		}
	}
}
