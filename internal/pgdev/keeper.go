package pgdev

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// The keeper makes the temporary directory as the account of the server. That proves that this
// account can reach the directory and may remove it. The keeper removes the directory when nobody
// holds the other end of its standard input any more. This process, each guard and each process of
// Postgres hold it, so the directory goes last, however these processes end.
//
// The only output is an error of mkdir. No output means success.
const keeperScript = `
mkdir -m 700 "$1" || exit
exec >/dev/null 2>&1
read -r _
rm -rf "$1"
`

// keeper owns a temporary directory.
type keeper struct {
	dir  string
	cmd  *exec.Cmd
	hold *os.File // write end; to be inherited by whoever uses the directory
}

// memoryDir is where Linux has files in memory. A new database is 400 new files, which on some
// disks is half of the cost of the tests.
const memoryDir = "/dev/shm"

// memoryRoom is how many bytes must be free in memoryDir: several times what the servers of all
// test processes fill. The 64 MB of a container are too few.
const memoryRoom = 2 << 30

// tempParents are the directories in which to make a temporary one, the best first. Memory comes
// first, unless the server is durable or TMPDIR is set. The temporary directory of the system
// follows. Then come those that every user can write to, for an account that cannot enter the one
// before, such as a TMPDIR in the home of root.
func tempParents(durable bool) []string {
	parents := slices.Compact([]string{os.TempDir(), "/tmp", "/var/tmp"})
	if !durable && os.Getenv("TMPDIR") == "" && hasRoom(memoryDir, memoryRoom) {
		parents = slices.Insert(parents, 0, memoryDir)
	}
	return parents
}

// keepTempDir makes a temporary directory that the account owns, in the first of the parents that
// the account can write to.
func keepTempDir(a *account, parents []string) (*keeper, error) {
	name := "attestd-postgres-" + strings.ToLower(rand.Text()[:12])
	var errs []error
	for _, parent := range parents {
		k, err := startKeeper(a, filepath.Join(parent, name))
		if err == nil {
			return k, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("making a temporary directory as %s: %w", a, errors.Join(errs...))
}

// hasRoom tells whether a directory exists and has so many free bytes.
func hasRoom(dir string, bytes uint64) bool {
	var fs syscall.Statfs_t
	err := syscall.Statfs(dir, &fs)
	return err == nil && fs.Bavail*uint64(fs.Bsize) >= bytes
}

func startKeeper(a *account, dir string) (*keeper, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making the keeper's pipe: %w", err)
	}
	defer read.Close()
	k := &keeper{dir: dir, hold: write}
	k.cmd = a.command(context.Background(), "/bin/sh", "-c", keeperScript, "keeper", dir)
	k.cmd.Stdin = read
	complaintRead, complaintWrite, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making the keeper's pipe: %w", err), write.Close())
	}
	defer complaintRead.Close()
	k.cmd.Stdout, k.cmd.Stderr = complaintWrite, complaintWrite
	err = k.cmd.Start()
	_ = complaintWrite.Close() // the keeper has its own
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the keeper: %w", err), write.Close())
	}
	complaint, err := io.ReadAll(complaintRead)
	if err == nil && len(complaint) > 0 {
		err = errors.New(strings.TrimSpace(string(complaint)))
	}
	if err != nil {
		return nil, errors.Join(err, write.Close(), ignoreExit(k.cmd.Wait()))
	}
	return k, nil
}

// release lets go of the directory, and returns when it is removed. That is after the end of the
// last program under guard.
func (k *keeper) release() error {
	if err := errors.Join(k.hold.Close(), k.cmd.Wait()); err != nil {
		return fmt.Errorf("removing %s: %w", k.dir, err)
	}
	return nil
}

// ignoreExit drops the error of a command that ran and failed.
func ignoreExit(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil
	}
	return err
}
