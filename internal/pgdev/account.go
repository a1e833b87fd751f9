package pgdev

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user that runs Postgres. initdb and postgres refuse to run as root, so root runs
// them as another user.
type account struct {
	name       string
	credential *syscall.Credential // nil: the caller's own
}

// serverAccount is the account of the caller. If the caller is root, by its effective user ID, it
// is the first of the named accounts that exists.
func serverAccount(euid int, names ...string) (*account, error) {
	if euid != 0 {
		return &account{name: "uid " + strconv.Itoa(euid)}, nil
	}
	for _, name := range names {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := parseID(u.Uid)
		gid, gidErr := parseID(u.Gid)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, fmt.Errorf("reading the IDs of user %s: %w", name, err)
		}
		return &account{name: name, credential: &syscall.Credential{Uid: uid, Gid: gid}}, nil
	}
	return nil, fmt.Errorf("initdb refuses to run as root and none of the users %q exists", names)
}

// parseID reads a user or group ID. The ID of nobody on macOS is -2; some lookups print it signed,
// some unsigned.
func parseID(s string) (uint32, error) {
	if id, err := strconv.ParseInt(s, 10, 32); err == nil {
		return uint32(id), nil // -2 wraps
	}
	id, err := strconv.ParseUint(s, 10, 32)
	return uint32(id), err
}

// String names the account for messages.
func (a *account) String() string { return a.name }

// own gives a file or directory to the account.
func (a *account) own(path string) error {
	if a.credential == nil {
		return nil
	}
	return os.Chown(path, int(a.credential.Uid), int(a.credential.Gid))
}

// canEnter returns an error if the account cannot enter a directory.
func (a *account) canEnter(dir string) error {
	cmd := a.command(context.Background(), "/bin/sh", "-c", ":")
	cmd.Dir = dir
	return cmd.Run()
}

// canRun returns an error if the account cannot run the Postgres in a directory: a program is
// missing, or is not for this user or machine.
func (a *account) canRun(ctx context.Context, binDir string) error {
	for _, program := range []string{"initdb", "postgres"} {
		path := filepath.Join(binDir, program)
		if output, err := a.command(ctx, path, "--version").CombinedOutput(); err != nil {
			return fmt.Errorf("%s --version as %s: %w %s", path, a, err, output)
		}
	}
	return nil
}
