package server

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The page that leads a newcomer through the code must not lead him astray: each function that it
// names is there.
func TestTheLifeOfAnOnboardingIsToldByFunctionsThatThereAre(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(page), "## The life of one onboarding in code\n")
	section, _, more := strings.Cut(section, "\n## ")
	if !ok || !more {
		t.Fatal("ARCHITECTURE.md has no section on the life of an onboarding")
	}
	there := declaredFunctions(t)
	named := regexp.MustCompile("`((?:api|desk|store|engine|plan|onboarding|trusthub)\\.[A-Za-z]+(?:\\.[A-Za-z]+)?)`").FindAllStringSubmatch(section, -1)
	if len(named) < 20 {
		t.Errorf("the section names %d functions and types: it tells less than the whole way", len(named))
	}
	for _, name := range named {
		if !there[name[1]] {
			t.Errorf("ARCHITECTURE.md names %s, and there is no such function or type", name[1])
		}
	}
}

// declaredFunctions returns the functions, methods and types of our packages, such as
// "engine.Runner.Advance".
func declaredFunctions(t *testing.T) map[string]bool {
	t.Helper()
	there := make(map[string]bool)
	err := filepath.WalkDir("..", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				name := d.Name.Name
				if d.Recv != nil {
					name = receiver(d.Recv.List[0].Type) + "." + name
				}
				there[file.Name.Name+"."+name] = true
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if s, ok := s.(*ast.TypeSpec); ok {
						there[file.Name.Name+"."+s.Name.Name] = true
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return there
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// The heart's rooms know no more than they should: who may import whom is told by ARCHITECTURE.md,
// and by the linter's rules, and here by the code itself.
func TestTheHeartsRoomsKnowTheWordsAlone(t *testing.T) {
	t.Parallel()
	const words = "github.com/attestd/attestd/internal/onboarding"
	for _, room := range []string{".", "plan", "engine", "desk", "reconcile"} {
		files, err := filepath.Glob(filepath.Join("../onboarding", room, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", room, len(files), err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range file.Imports {
				imported := strings.Trim(spec.Path.Value, `"`)
				isStandard := !strings.Contains(strings.Split(imported, "/")[0], ".")
				if !isStandard && (imported != words || room == ".") || imported == "net/http" || imported == "database/sql" {
					t.Errorf("%s imports %s", path, imported)
				}
			}
		}
	}
}

// A key's text is built and read in one file.
func TestOneFileKnowsHowKeysAreBuilt(t *testing.T) {
	t.Parallel()
	keyText := regexp.MustCompile(`"[^"]*(\.number\.|\.review"|\.submission"|\.evaluation"|\.replaced\.)|Key\("customer_profile|Key = "customer_profile`)
	err := filepath.WalkDir("..", func(path string, _ os.DirEntry, err error) error {
		isCode := strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(path, ".gen.go") || strings.HasSuffix(path, ".sql")
		isTest := strings.Contains(path, "/ledgertest/") || strings.Contains(path, "/ledgermodel/") || strings.Contains(path, "/trusthubsim/")
		if err != nil || !isCode || isTest || path == "../onboarding/key.go" {
			return err
		}
		text, err := os.ReadFile(path)
		if found := keyText.Find(text); found != nil {
			t.Errorf("%s knows how a key is built: %s", path, found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
