package pgtest_test

import (
	"context"
	"fmt"
	"log"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/pgdev/pgtest"
)

// exampleT stands for the t of a test, which an example does not have.
type exampleT struct {
	testing.TB
	cleanup func()
}

func (t *exampleT) Helper()                      {}
func (t *exampleT) Context() context.Context     { return context.Background() }
func (t *exampleT) Cleanup(f func())             { t.cleanup = f }
func (t *exampleT) Fatalf(text string, v ...any) { log.Fatalf(text, v...) }
func (t *exampleT) Errorf(text string, v ...any) { log.Printf(text, v...) }

func ExampleEmpty() {
	t := &exampleT{}
	conn, err := pgx.Connect(t.Context(), pgtest.Empty(t))
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	var tables int
	const count = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
	fmt.Println(conn.QueryRow(t.Context(), count).Scan(&tables), tables)
	t.cleanup() // The end of a test drops the database, though the connection is open.
	fmt.Println(conn.Ping(t.Context()) != nil)
	// Output:
	// <nil> 0
	// true
}
