package pgdev

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestNewestVersionComesFirst(t *testing.T) {
	t.Parallel()
	got := newestFirst([]string{
		"/usr/lib/postgresql/9.6/bin",
		"/opt/homebrew/opt/postgresql/bin",
		"/usr/lib/postgresql/15/bin",
		"/opt/homebrew/opt/postgresql@17/bin",
	})
	want := []string{
		"/opt/homebrew/opt/postgresql@17/bin",
		"/usr/lib/postgresql/15/bin",
		"/usr/lib/postgresql/9.6/bin",
		"/opt/homebrew/opt/postgresql/bin",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPlacesArePatterns(t *testing.T) {
	t.Parallel()
	for _, place := range places {
		if _, err := filepath.Match(place, ""); err != nil {
			t.Errorf("%q: %v", place, err)
		}
	}
}

// anyBinDir is a directory with the programs of Postgres, installed or downloaded.
func anyBinDir(t *testing.T) string {
	t.Helper()
	binDir, err := findOrFetch(t.Context(), "", callersAccount(t))
	if err != nil {
		t.Fatal(err)
	}
	return binDir
}

func TestGivenBinDirIsUsedOrRefusedAndNeverReplaced(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Options{BinDir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "the given Postgres cannot be used") {
		t.Errorf("an empty BinDir: %v", err)
	}
	p := start(t, Options{BinDir: anyBinDir(t)})
	query(t, p.URL(""), "SELECT 'runs'")
}

func TestServerOnPathIsFoundThroughALink(t *testing.T) {
	binDir := anyBinDir(t)
	links := t.TempDir()
	if err := os.Symlink(filepath.Join(binDir, "postgres"), filepath.Join(links, "postgres")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", links)
	want, err := filepath.EvalSymlinks(binDir)
	if err != nil {
		t.Fatal(err)
	}
	if got := installed(t.Context()); got[0] != want {
		t.Errorf("found %q, want %q first", got, want)
	}
}

func TestUnusableDirectoriesArePassedOver(t *testing.T) {
	a := callersAccount(t)
	broken, whole := reachableDir(t), reachableDir(t)
	for _, program := range []string{"initdb", "postgres"} {
		writeProgram(t, filepath.Join(broken, program), "exit 1")
		writeProgram(t, filepath.Join(whole, program), "exit 0")
	}
	got, err := firstRunnable(t.Context(), a, []string{t.TempDir(), broken, whole})
	if err != nil || got != whole {
		t.Errorf("got %q, %v, want %q", got, err, whole)
	}
	if _, err := firstRunnable(t.Context(), a, []string{broken}); err == nil || !strings.Contains(err.Error(), broken) {
		t.Errorf("error %v, want one that names %s", err, broken)
	}
}

func writeProgram(t *testing.T, path, script string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}
