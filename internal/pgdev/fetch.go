package pgdev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

const fetchVersion = embeddedpostgres.V17

// mavenCentral publishes the builds that the library downloads.
const mavenCentral = "https://repo1.maven.org/maven2"

// fetch returns the bin directory of a downloaded Postgres, and downloads it the first time on a
// machine. The library takes no context, so a download that has begun goes on to its end.
func fetch(ctx context.Context, a *account, cache, repository string) (string, error) {
	tree := filepath.Join(cache, "postgres-"+string(fetchVersion))
	binDir := filepath.Join(tree, "bin")
	if a.canRun(ctx, binDir) == nil {
		return binDir, nil
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("making the cache directory: %w", err)
	}
	if err := download(cache, tree, repository); err != nil {
		return "", err
	}
	if err := a.canRun(ctx, binDir); err != nil {
		return "", fmt.Errorf("the downloaded Postgres does not run here: %w", err)
	}
	return binDir, nil
}

// cacheDir is the directory for downloads. Postgres runs as an account that cannot enter the cache
// of root, and a shared /tmp is no place for programs.
func cacheDir(a *account) (string, error) {
	if a.credential != nil {
		return "/var/cache/attestd", nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache directory: %w", err)
	}
	return filepath.Join(dir, "attestd"), nil
}

// download unpacks Postgres beside tree and renames it to tree, so that another process sees all of
// it or nothing.
//
// The library downloads only when it starts a server, and cannot start one as root. So it gets a
// data directory that claims to be initialised and is empty. The start fails on it at once, after
// the unpacking. Whether the programs are there shows whether the unpacking succeeded.
func download(cache, tree, repository string) (err error) {
	work, err := os.MkdirTemp(cache, "download-")
	if err != nil {
		return fmt.Errorf("making the download directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	data := filepath.Join(work, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return fmt.Errorf("making the download directory: %w", err)
	}
	if err := os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte(fetchVersion), 0o600); err != nil {
		return fmt.Errorf("making the download directory: %w", err)
	}
	port, err := choosePort(context.Background(), 0)
	if err != nil {
		return err
	}
	unpacked := filepath.Join(work, "postgres")
	startErr := embeddedpostgres.NewDatabase(embeddedpostgres.DefaultConfig().
		Version(fetchVersion).
		BinaryRepositoryURL(repository).
		CachePath(work).
		RuntimePath(filepath.Join(work, "run")).
		BinariesPath(unpacked).
		DataPath(data).
		Port(uint32(port)).
		StartTimeout(time.Second).
		Logger(io.Discard)).
		Start()
	if _, err := os.Stat(filepath.Join(unpacked, "bin", "postgres")); err != nil {
		return fmt.Errorf("fetching Postgres %s: %w", fetchVersion, startErr)
	}
	if err := os.Chmod(unpacked, 0o755); err != nil {
		return fmt.Errorf("opening the downloaded Postgres to other users: %w", err)
	}
	if err := os.Rename(unpacked, tree); err != nil {
		if _, exists := os.Stat(filepath.Join(tree, "bin", "postgres")); exists == nil {
			return nil // another process was faster
		}
		return fmt.Errorf("keeping the downloaded Postgres: %w", err)
	}
	return nil
}
