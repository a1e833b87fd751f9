package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/attestd/attestd/internal/pgdev"
)

// openDatabase makes the demo's own database: on the server that the URL leads to, or on a private one if it is empty.
func (w *world) openDatabase(ctx context.Context, given string) (err error) {
	if given == "" {
		if w.postgres, err = pgdev.Start(ctx, pgdev.Options{}); err != nil {
			return err
		}
		w.database = w.postgres.URL("")
		return nil
	}
	own, err := url.Parse(given)
	if err != nil || !strings.HasPrefix(own.Scheme, "postgres") {
		return errors.New("DATABASE_URL is not of the form postgres://USER:PASSWORD@HOST:PORT/DATABASE") // It holds a password: not shown.
	}
	own.Path = "/attestd_demo_" + strconv.FormatUint(rand.Uint64(), 36)
	if err := execute(ctx, given, "CREATE DATABASE "+nameOf(own)); err != nil {
		return fmt.Errorf("make a database beside that of DATABASE_URL: %w", err)
	}
	w.given, w.database = given, own.String()
	return nil
}

// closeDatabase leaves nothing behind.
func (w *world) closeDatabase() error {
	switch {
	case w.postgres != nil:
		return w.postgres.Stop()
	case w.given == "":
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	own, err := url.Parse(w.database)
	if err == nil {
		err = execute(ctx, w.given, "DROP DATABASE "+nameOf(own)+" WITH (FORCE)")
	}
	if err != nil {
		return fmt.Errorf("drop the demo's database: %w", err)
	}
	return nil
}

// nameOf is the name of the database that a URL leads to; the demo's own needs no quotes in SQL.
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
