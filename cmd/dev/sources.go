package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// sources are the files that the server is built from, by path under the root. The stamp of a file
// shows that it was written.
type sources map[string]stamp

type stamp struct {
	modified time.Time
	size     int64
}

// readSources looks at all sources under the root.
func readSources(root string) (sources, error) {
	found := make(sources)
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && isIgnored(entry.Name()):
			return fs.SkipDir
		case entry.IsDir() || !isSource(path):
			return nil
		}
		info, err := entry.Info()
		if os.IsNotExist(err) {
			return nil // It was removed just now.
		}
		if err != nil {
			return err
		}
		found[path] = stamp{info.ModTime(), info.Size()}
		return nil
	})
	return found, err
}

// isIgnored tells whether a directory has nothing that the go command builds.
func isIgnored(name string) bool {
	return name != "." && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "bin")
}

// isSource tells whether the server is built from the file. It is not built from tests.
func isSource(path string) bool {
	switch filepath.Ext(path) {
	case ".go":
		return !strings.HasSuffix(path, "_test.go")
	case ".mod", ".sum":
		return true
	}
	return isInput(path)
}

// isInput tells whether Go files are generated from the file.
func isInput(path string) bool {
	return filepath.Ext(path) == ".sql" || path == "sqlc.yaml" || strings.HasPrefix(path, "api/") && filepath.Ext(path) == ".yaml"
}

func needsGenerating(paths []string) bool { return slices.ContainsFunc(paths, isInput) }

// changedSince are the paths of the files that were written, added or removed since then, sorted.
func (s sources) changedSince(then sources) []string {
	var changed []string
	for path, now := range s {
		if before, ok := then[path]; !ok || before.size != now.size || !before.modified.Equal(now.modified) {
			changed = append(changed, path)
		}
	}
	for path := range then {
		if _, ok := s[path]; !ok {
			changed = append(changed, path)
		}
	}
	slices.Sort(changed)
	return changed
}

// withInputsOf are these sources, but with the inputs of the generators as they were then.
func (s sources) withInputsOf(then sources) sources {
	mixed := make(sources, len(s))
	for path, is := range s {
		if !isInput(path) {
			mixed[path] = is
		}
	}
	for path, was := range then {
		if isInput(path) {
			mixed[path] = was
		}
	}
	return mixed
}
