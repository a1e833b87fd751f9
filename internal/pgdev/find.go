package pgdev

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// installHint ends every error about a missing Postgres.
const installHint = "install a Postgres server: Debian and Ubuntu `apt-get install postgresql`, Homebrew `brew install postgresql@17`, Fedora `dnf install postgresql-server`"

// places are the directories where packages put the programs of the server without putting them on
// PATH. Of the matches of a pattern the highest version comes first.
var places = []string{
	"/usr/lib/postgresql/*/bin",         // Debian, Ubuntu
	"/usr/pgsql-*/bin",                  // PostgreSQL's own RPMs
	"/usr/libexec/postgresql*",          // Alpine
	"/opt/homebrew/opt/postgresql*/bin", // Homebrew on Apple silicon
	"/usr/local/opt/postgresql*/bin",    // Homebrew on Intel
	"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// findOrFetch returns a directory with an initdb and a postgres that the account can run: binDir if
// given, else one on this machine, else a download.
func findOrFetch(ctx context.Context, binDir string, a *account) (string, error) {
	if binDir != "" {
		abs, err := filepath.Abs(binDir)
		if err != nil {
			return "", fmt.Errorf("resolving the Postgres directory: %w", err)
		}
		if err := a.canRun(ctx, abs); err != nil {
			return "", fmt.Errorf("the given Postgres cannot be used: %w", err)
		}
		return abs, nil
	}
	found, findErr := firstRunnable(ctx, a, installed(ctx))
	if findErr == nil {
		return found, nil
	}
	if err := ctx.Err(); err != nil {
		return "", err // else everything would look missing
	}
	cache, fetchErr := cacheDir(a)
	if fetchErr == nil {
		var fetched string
		if fetched, fetchErr = fetch(ctx, a, cache, mavenCentral); fetchErr == nil {
			return fetched, nil
		}
	}
	return "", fmt.Errorf("no Postgres: %w; downloading one: %w; %s", findErr, fetchErr, installHint)
}

// firstRunnable returns the first directory whose Postgres the account can run, or why there is
// none.
func firstRunnable(ctx context.Context, a *account, dirs []string) (string, error) {
	if len(dirs) == 0 {
		return "", errors.New("none is installed on PATH or in the usual places")
	}
	var errs []error
	for _, dir := range dirs {
		err := a.canRun(ctx, dir)
		if err == nil {
			return dir, nil
		}
		errs = append(errs, err)
	}
	return "", errors.Join(errs...)
}

// installed lists the directories of this machine that have a postgres. Those that the user chose,
// by PATH or pg_config, come first.
func installed(ctx context.Context) []string {
	var dirs []string
	add := func(dir string) {
		if _, err := exec.LookPath(filepath.Join(dir, "postgres")); err == nil && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		// A link on PATH leads to the directory that also has initdb.
		if target, err := filepath.EvalSymlinks(path); err == nil {
			add(filepath.Dir(target))
		}
	}
	if output, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		add(strings.TrimSpace(string(output)))
	}
	for _, place := range places {
		matches, err := filepath.Glob(place)
		if err != nil {
			continue // the patterns are constants; a test reads them all
		}
		for _, dir := range newestFirst(matches) {
			add(dir)
		}
	}
	return dirs
}

var firstNumber = regexp.MustCompile(`\d+(\.\d+)?`)

// newestFirst sorts directories by the first number in their paths, which is the version: 17 before
// 9.6. A path without a number comes last.
func newestFirst(dirs []string) []string {
	version := func(dir string) float64 {
		number, err := strconv.ParseFloat(firstNumber.FindString(dir), 64)
		if err != nil {
			return 0
		}
		return number
	}
	return slices.SortedStableFunc(slices.Values(dirs), func(a, b string) int {
		return cmp.Compare(version(b), version(a))
	})
}
