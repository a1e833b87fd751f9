package pgdev

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// reachableDir is a temporary directory that every user can enter and write to. Those of package
// testing are closed to other users.
func reachableDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAccountIsTheCallersUnlessRoot(t *testing.T) {
	t.Parallel()
	a, err := serverAccount(1000, "nobody")
	if err != nil {
		t.Fatal(err)
	}
	if a.credential != nil {
		t.Errorf("uid 1000 runs Postgres as %+v, want as itself", a.credential)
	}
}

func TestRootRunsPostgresAsTheFirstUserThatExists(t *testing.T) {
	t.Parallel()
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	a, err := serverAccount(0, "no-such-user", "nobody")
	if err != nil {
		t.Fatal(err)
	}
	if got := strconv.FormatUint(uint64(a.credential.Uid), 10); got != nobody.Uid {
		t.Errorf("uid %s, want nobody's %s", got, nobody.Uid)
	}
	if _, err := serverAccount(0, "no-such-user"); err == nil {
		t.Error("no error though no user exists")
	}
}

func TestParseIDTakesNobodyOfMacOSEitherWay(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]uint32{"101": 101, "65534": 65534, "-2": 4294967294, "4294967294": 4294967294} {
		if got, err := parseID(text); err != nil || got != want {
			t.Errorf("parseID(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	if _, err := parseID("nobody"); err == nil {
		t.Error("no error for a name")
	}
}

// Root runs Postgres as another user, who cannot enter there.
func TestServesThoughTheTemporaryDirectoryIsClosedToOthers(t *testing.T) {
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", closed)
	p := start(t, Options{})
	query(t, p.URL(""), "SELECT 'runs'")
}

// It is closed to the account that root runs Postgres as. To the caller's own account it is open.
func TestRootIsToldOfAGivenDirectoryThatIsClosedToOthers(t *testing.T) {
	t.Parallel()
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := Start(t.Context(), Options{Dir: filepath.Join(closed, "pg")})
	if err == nil {
		t.Cleanup(func() {
			if err := p.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
	told := err != nil && strings.Contains(err.Error(), closed)
	if root := os.Geteuid() == 0; told != root {
		t.Errorf("error %v; want one that names %s: %t", err, closed, root)
	}
}
