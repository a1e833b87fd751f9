package store

import (
	"sync"
	"testing"

	"github.com/attestd/attestd/internal/pgdev/pgtest"
)

func TestReplicasMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := Migrate(t.Context(), url); err != nil {
				t.Errorf("migrate: %v", err)
			}
		})
	}
	all.Wait()
	wantVersion(t, url, latestVersion(t))
	s := openStore(t, Config{DatabaseURL: url})
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	newOnboarding(t, s)
}

func TestMigrationsGoDownAndUpAgain(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	latest := latestVersion(t)
	wantVersion(t, url, latest)
	if err := MigrateDown(t.Context(), url, int(latest)); err != nil {
		t.Fatal(err)
	}
	wantVersion(t, url, 0)
	s := openStore(t, Config{DatabaseURL: url})
	var left int
	err := s.pool.QueryRow(t.Context(),
		`SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'schema_migrations'`).Scan(&left)
	if err != nil || left != 0 {
		t.Errorf("%d tables left, %v, want none", left, err)
	}
	if err := MigrateDown(t.Context(), url, 1); err != nil {
		t.Errorf("down from nothing: %v", err)
	}
	if err := Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	newOnboarding(t, s)
}

func TestMigrateDownWantsSteps(t *testing.T) {
	t.Parallel()
	for _, steps := range []int{0, -1} {
		if err := MigrateDown(t.Context(), "postgres://unused", steps); err == nil {
			t.Errorf("%d steps were taken", steps)
		}
	}
}

func latestVersion(t *testing.T) uint {
	t.Helper()
	latest, err := latestSchemaVersion()
	if err != nil {
		t.Fatal(err)
	}
	return latest
}

func wantVersion(t *testing.T, url string, want uint) {
	t.Helper()
	version, dirty, err := SchemaVersion(t.Context(), url)
	if err != nil || dirty || version != want {
		t.Errorf("version %d, dirty %t, %v, want %d", version, dirty, err, want)
	}
}
