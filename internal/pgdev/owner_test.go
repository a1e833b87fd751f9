package pgdev

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// owner is another process, which runs a server.
type owner struct {
	cmd   *exec.Cmd
	input io.Closer
	url   string
	dir   string
}

// startOwner runs a copy of this test binary as the owner of a server, and returns when the server
// runs. Without a credential it runs as this user.
func startOwner(t *testing.T, credential *syscall.Credential, binary string) *owner {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), roleVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	o := &owner{cmd: cmd, input: input}
	t.Cleanup(func() { _ = o.stop() })
	lines := bufio.NewScanner(output)
	for _, field := range []*string{&o.url, &o.dir} {
		if !lines.Scan() || strings.HasPrefix(lines.Text(), "error:") {
			t.Fatalf("the owner of a server: %s", lines.Text())
		}
		*field = lines.Text()
	}
	return o
}

// stop has the owner stop its server and end.
func (o *owner) stop() error {
	_ = o.input.Close() // closed already on a second stop
	return o.cmd.Wait()
}
