package server

import (
	"context"
	"fmt"

	"github.com/attestd/attestd/internal/store"
)

// migrate brings the database up to date, takes migrations back, or prints the version.
func (p Program) migrate(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	command, args := args[0], args[1:]
	flags := p.flags("migrate " + command)
	steps := flags.Int("steps", 1, "how many migrations to take back")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 || *steps < 1 {
		return errUsage
	}
	url, err := LoadDatabaseURL(p.Environ)
	if err != nil {
		return err
	}
	switch command {
	case "up":
		if err := store.Migrate(ctx, url); err != nil {
			return err
		}
	case "down":
		if err := store.MigrateDown(ctx, url, *steps); err != nil {
			return err
		}
	case "version":
	default:
		return errUsage
	}
	version, dirty, err := store.SchemaVersion(ctx, url)
	if err != nil {
		return err
	}
	fmt.Fprintln(p.Stdout, version)
	if dirty {
		return fmt.Errorf("migration %d failed half-way: look at the database before anything else", version)
	}
	return nil
}
