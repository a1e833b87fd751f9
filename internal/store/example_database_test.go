package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/attestd/attestd/internal/pgdev/pgtest"
	"github.com/attestd/attestd/internal/store"
)

// newDatabase returns the URL of a migrated database for the example, and a function that drops it.
func newDatabase() (url string, drop func()) {
	e := &example{}
	return pgtest.New(e, store.Migrate), e.end
}

// example is as much of a test as pgtest needs: an example has no testing.TB.
type example struct {
	testing.TB
	cleanups []func()
}

func (e *example) Helper()                           {}
func (e *example) Context() context.Context          { return context.Background() }
func (e *example) Cleanup(do func())                 { e.cleanups = append(e.cleanups, do) }
func (e *example) Fatal(args ...any)                 { panic(fmt.Sprint(args...)) }
func (e *example) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (e *example) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (e *example) end() {
	for _, do := range e.cleanups {
		do()
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
