package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/golang-migrate/migrate/v4"
	migratepgx "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/attestd/attestd/internal/store/internal/db"
	"github.com/attestd/attestd/migrations"
)

// Migrate brings the database to the schema of this build: River's tables, then attestd's. Several
// replicas may call it at the same time. One migrates, and the others wait for it.
func Migrate(ctx context.Context, databaseURL string) error {
	return withMigrations(ctx, databaseURL, func(m *migrate.Migrate, river *rivermigrate.Migrator[riverTx]) error {
		if _, err := river.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return fmt.Errorf("migrate River's tables: %w", err)
		}
		if err := m.Up(); err != nil && !errors.Is(err, migrate.ErrNoChange) {
			return fmt.Errorf("migrate up: %w", err)
		}
		return nil
	})
}

// MigrateDown undoes so many of attestd's migrations, and River's too once none of attestd's is
// left. The data of a migration that is undone is gone.
func MigrateDown(ctx context.Context, databaseURL string, steps int) error {
	if steps < 1 {
		return fmt.Errorf("migrate down: %d steps", steps)
	}
	return withMigrations(ctx, databaseURL, func(m *migrate.Migrate, river *rivermigrate.Migrator[riverTx]) error {
		var short migrate.ErrShortLimit
		err := m.Steps(-steps)
		if err != nil && !errors.As(err, &short) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, migrate.ErrNoChange) {
			return fmt.Errorf("migrate down: %w", err)
		}
		if _, _, err := m.Version(); !errors.Is(err, migrate.ErrNilVersion) {
			return err
		}
		if _, err := river.Migrate(ctx, rivermigrate.DirectionDown, &rivermigrate.MigrateOpts{TargetVersion: -1}); err != nil {
			return fmt.Errorf("undo the migration of River's tables: %w", err)
		}
		return nil
	})
}

// SchemaVersion returns the number of attestd's newest migration on the database, 0 for none, and
// whether it failed half-way: then a person must look.
func SchemaVersion(ctx context.Context, databaseURL string) (version uint, dirty bool, err error) {
	err = withMigrations(ctx, databaseURL, func(m *migrate.Migrate, _ *rivermigrate.Migrator[riverTx]) error {
		version, dirty, err = m.Version()
		if errors.Is(err, migrate.ErrNilVersion) {
			return nil
		}
		return err
	})
	return version, dirty, err
}

// latestSchemaVersion is the number of the migration that this build needs.
func latestSchemaVersion() (uint, error) {
	files, err := iofs.New(migrations.FS, ".")
	if err != nil {
		return 0, fmt.Errorf("read the migrations: %w", err)
	}
	defer func() { _ = files.Close() }() // They are in memory.
	return latest(files)
}

func latest(files source.Driver) (uint, error) {
	version, err := files.First()
	if err != nil {
		return 0, fmt.Errorf("read the first migration: %w", err)
	}
	for {
		next, err := files.Next(version)
		if errors.Is(err, fs.ErrNotExist) {
			return version, nil
		}
		if err != nil {
			return 0, fmt.Errorf("read the migration after %d: %w", version, err)
		}
		version = next
	}
}

// withMigrations calls do with both migrators under a lock, so that no other replica migrates at
// the same time. golang-migrate has a lock of its own, but River's migrations have none.
func withMigrations(ctx context.Context, databaseURL string, do func(*migrate.Migrate, *rivermigrate.Migrator[riverTx]) error) (err error) {
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return fmt.Errorf("read the database URL: %w", err)
	}
	config.MaxConns = 4 // One has the lock, and River's migrations need another.
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	defer pool.Close()

	lock, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer lock.Release()
	if err := db.New(lock).LockMigrations(ctx, migrationLockClass); err != nil {
		return fmt.Errorf("wait for the migration lock: %w", err)
	}
	// The lock ends with its session. The connection is closed before all else, so that the next
	// replica waits no longer than it has to.
	defer func() { err = errors.Join(err, lock.Conn().Close(context.WithoutCancel(ctx))) }()

	river, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("prepare River's migrations: %w", err)
	}
	files, err := iofs.New(migrations.FS, ".")
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	driver, err := migratepgx.WithInstance(stdlib.OpenDB(*config.ConnConfig.Copy()), &migratepgx.Config{})
	if err != nil {
		return errors.Join(fmt.Errorf("prepare the migrations: %w", err), files.Close())
	}
	m, err := migrate.NewWithInstance("migrations", files, "pgx5", driver)
	if err != nil {
		return errors.Join(fmt.Errorf("prepare the migrations: %w", err), files.Close(), driver.Close())
	}
	defer func() {
		filesErr, driverErr := m.Close()
		err = errors.Join(err, filesErr, driverErr)
	}()
	return do(m, river)
}
