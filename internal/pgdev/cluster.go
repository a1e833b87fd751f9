package pgdev

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// openDir prepares p.dir: the directory of the caller, or a temporary one that the account owns and
// a keeper removes.
func (p *Postgres) openDir() error {
	if p.options.Dir == "" {
		k, err := keepTempDir(p.account, tempParents(p.options.Durable))
		if err != nil {
			return err
		}
		p.keeper, p.dir = k, k.dir
		return nil
	}
	dir, err := filepath.Abs(p.options.Dir)
	if err != nil {
		return fmt.Errorf("resolving the directory: %w", err)
	}
	p.dir = dir
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return fmt.Errorf("making the directory: %w", err)
	}
	if err := os.Mkdir(p.dataDir(), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making the data directory: %w", err)
	}
	if err := p.account.own(p.dataDir()); err != nil {
		return fmt.Errorf("giving the data directory to %s: %w", p.account, err)
	}
	if err := p.account.canEnter(p.dataDir()); err != nil {
		return fmt.Errorf("the server runs as %s, who cannot enter %s (open its parent directories to that user or choose another): %w",
			p.account, p.dataDir(), err)
	}
	return nil
}

func (p *Postgres) dataDir() string { return filepath.Join(p.dir, "data") }

// LogFile is the path of the log of Postgres.
func (p *Postgres) LogFile() string { return filepath.Join(p.dir, "postgres.log") }

// Dir is the directory with everything that the server writes.
func (p *Postgres) Dir() string { return p.dir }

// initialise runs initdb, unless the directory has a cluster already.
func (p *Postgres) initialise(ctx context.Context) error {
	passwordFile := filepath.Join(p.dir, "password")
	if _, err := os.Stat(filepath.Join(p.dataDir(), "PG_VERSION")); err == nil {
		password, err := os.ReadFile(passwordFile)
		if err != nil {
			return fmt.Errorf("reading the password of the existing cluster: %w", err)
		}
		p.password = strings.TrimSpace(string(password))
		return nil
	}
	p.password = rand.Text()
	if err := os.WriteFile(passwordFile, []byte(p.password+"\n"), 0o600); err != nil {
		return fmt.Errorf("writing the password file: %w", err)
	}
	secret, err := verifier(p.password)
	if err != nil {
		return err
	}
	verifierFile := filepath.Join(p.dir, "verifier")
	if err := os.WriteFile(verifierFile, []byte(secret+"\n"), 0o600); err != nil {
		return fmt.Errorf("writing the verifier file: %w", err)
	}
	if err := p.account.own(verifierFile); err != nil {
		return fmt.Errorf("giving the verifier file to %s: %w", p.account, err)
	}
	// Even for a durable server nothing is synced here. If the machine fails meanwhile, a new
	// cluster is made.
	initdb, err := p.run("initdb",
		"--pgdata="+p.dataDir(), "--username="+superuser, "--pwfile="+verifierFile,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	if err != nil {
		return err
	}
	if err := initdb.wait(ctx); err != nil {
		return errors.Join(fmt.Errorf("waiting for initdb: %w", err), initdb.end())
	}
	if err := initdb.end(); err != nil {
		return fmt.Errorf("initdb in %s: %w: %s", p.dataDir(), err, p.logTail())
	}
	if err := os.Remove(verifierFile); err != nil {
		return fmt.Errorf("removing the verifier file: %w", err)
	}
	return nil
}

// logTail is the end of the log, for the error of a program that failed.
func (p *Postgres) logTail() string {
	const lines = 10
	log, err := os.ReadFile(p.LogFile())
	if err != nil {
		return "(no log: " + err.Error() + ")"
	}
	all := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
