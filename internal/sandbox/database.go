package sandbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/pgdev"
)

// database is the database of the sandbox.
type database struct {
	url    string
	server *pgdev.Postgres // the private one that it is on, or nil
	beside string          // the URL of the database beside which it was made, or ""
}

// openDatabase makes a database on the server that the URL leads to, or on a private one if it is
// empty. It does not touch the database of the URL, which may be in use with onboardings that are
// not the simulator's.
func openDatabase(ctx context.Context, given string) (database, error) {
	if given == "" {
		server, err := pgdev.Start(ctx, pgdev.Options{})
		if err != nil {
			return database{}, err
		}
		return database{url: server.URL(""), server: server}, nil
	}
	own, err := url.Parse(given)
	if err != nil || !strings.HasPrefix(own.Scheme, "postgres") {
		// The URL has a password and is not shown.
		return database{}, errors.New("DATABASE_URL is not of the form postgres://USER:PASSWORD@HOST:PORT/DATABASE")
	}
	own.Path = "/attestd_sandbox_" + strings.ToLower(rand.Text())
	if err := execute(ctx, given, "CREATE DATABASE "+nameOf(own)); err != nil {
		return database{}, fmt.Errorf("make a database beside that of DATABASE_URL: %w", err)
	}
	return database{url: own.String(), beside: given}, nil
}

// close removes the database, or the private server.
func (d database) close() error {
	switch {
	case d.server != nil:
		return d.server.Stop()
	case d.beside == "":
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	own, err := url.Parse(d.url)
	if err == nil {
		err = execute(ctx, d.beside, "DROP DATABASE "+nameOf(own)+" WITH (FORCE)")
	}
	if err != nil {
		return fmt.Errorf("drop the sandbox's database: %w", err)
	}
	return nil
}

// nameOf is the name of the database that a URL leads to. That of the sandbox needs no quotes in
// SQL.
func nameOf(u *url.URL) string { return strings.TrimPrefix(u.Path, "/") }

func execute(ctx context.Context, databaseURL, statement string) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, statement)
	return err
}
