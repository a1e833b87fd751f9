package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// bundle is a loop over a directory of the test, and what it did.
type bundle struct {
	*loop
	t    *testing.T
	root string
	did  []string
	// fails is what fails: "generate", "build", "stop" or "start".
	fails string
}

// setup makes a loop over these files.
func setup(t *testing.T, files ...string) *bundle {
	t.Helper()
	b := &bundle{t: t, root: t.TempDir()}
	for _, path := range files {
		b.write(path, "at first")
	}
	step := func(what string) func(context.Context) error {
		return func(context.Context) error { return b.do(what) }
	}
	b.loop = &loop{root: b.root, out: io.Discard, server: b, build: step("build"), generate: step("generate")}
	if err := b.begin(); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bundle) do(what string) error {
	b.did = append(b.did, what)
	if what == b.fails {
		return errors.New("as the test wants it")
	}
	if what == "generate" {
		b.write("api/openapi.gen.go", "generated")
	}
	return nil
}

func (b *bundle) StartServer(context.Context) error { return b.do("start") }
func (b *bundle) StopServer() error                 { return b.do("stop") }

func (b *bundle) write(path, text string) {
	b.t.Helper()
	full := filepath.Join(b.root, path)
	if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o755), os.WriteFile(full, []byte(text), 0o644)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) mustLook() {
	b.t.Helper()
	if err := b.look(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

// wantDone looks until the files have settled and once more, and checks what was done.
func (b *bundle) wantDone(want string) {
	b.t.Helper()
	for range 3 {
		b.mustLook()
	}
	if got := strings.Join(b.did, " "); got != want {
		b.t.Errorf("it did %q, want %q", got, want)
	}
	b.did = nil
}

func TestTheServerStartsAnewWhenASourceChanges(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ path, want string }{
		"a Go file":            {"internal/api/keys.go", "build stop start"},
		"the module":           {"go.mod", "build stop start"},
		"the contract":         {"api/openapi.yaml", "generate build stop start"},
		"a query":              {"internal/store/queries/keys.sql", "generate build stop start"},
		"a test":               {"internal/api/keys_test.go", ""},
		"a page":               {"README.md", ""},
		"what git keeps":       {".git/hooks/hook.go", ""},
		"what tests read":      {"internal/api/testdata/x.go", ""},
		"another tool's rules": {"redocly.yaml", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, "main.go", tt.path)
			b.wantDone("")
			b.write(tt.path, "and then otherwise")
			b.wantDone(tt.want)
			b.wantDone("")
			if err := os.Remove(filepath.Join(b.root, tt.path)); err != nil {
				t.Fatal(err)
			}
			b.wantDone(tt.want)
		})
	}
}

func TestNothingIsBuiltWhileFilesAreBeingWritten(t *testing.T) {
	t.Parallel()
	b := setup(t, "main.go")
	for _, text := range []string{"a", "bc", "def"} {
		b.write("main.go", text)
		b.mustLook()
	}
	if len(b.did) > 0 {
		t.Errorf("it did %q while the file changed between any two looks", b.did)
	}
	b.wantDone("build stop start")
}

func TestAFailureLeavesTheServerOfBeforeAndTheNextChangeMendsIt(t *testing.T) {
	t.Parallel()
	for fails, want := range map[string]string{
		"generate": "generate",
		"build":    "generate build",
		"stop":     "generate build stop start",
		"start":    "generate build stop start",
	} {
		t.Run(fails, func(t *testing.T) {
			t.Parallel()
			b := setup(t, "api/openapi.yaml")
			b.fails = fails
			b.write("api/openapi.yaml", "a fault")
			b.wantDone(want)
			b.fails = ""
			b.write("api/openapi.yaml", "mended again")
			b.wantDone("generate build stop start")
		})
	}
}
