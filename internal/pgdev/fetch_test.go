package pgdev

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// Tests that write a program and run it are not parallel, here and in find_test.go. A child that
// another test forks in between has the program open for writing until its own exec. Until then
// the program cannot be run: "text file busy".

// repository serves an archive in the place of Maven Central, and counts the downloads. The
// programs in the archive do nothing; pg_ctl fails.
func repository(t *testing.T) (url string, taken *atomic.Int32) {
	t.Helper()
	var files bytes.Buffer
	tape := tar.NewWriter(&files)
	for program, script := range map[string]string{
		"initdb":   "#!/bin/sh\n",
		"pg_ctl":   "#!/bin/sh\nexit 1\n",
		"postgres": "#!/bin/sh\n",
	} {
		if err := tape.WriteHeader(&tar.Header{Name: "bin/" + program, Mode: 0o755, Size: int64(len(script))}); err != nil {
			t.Fatal(err)
		}
		if _, err := tape.Write([]byte(script)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tape.Close(); err != nil {
		t.Fatal(err)
	}
	var jar bytes.Buffer
	archive := zip.NewWriter(&jar)
	entry, err := archive.Create("postgres.txz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := entry.Write(xz(files.Bytes())); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	taken = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, ".jar") {
			http.NotFound(w, r)
			return
		}
		taken.Add(1)
		_, _ = w.Write(jar.Bytes())
	}))
	t.Cleanup(server.Close)
	return server.URL, taken
}

// xz wraps at most 64 KiB, uncompressed, in the .xz format: stream header, one block of one LZMA2
// chunk, index, footer, and no integrity check.
func xz(data []byte) []byte {
	checked := func(b []byte) []byte { return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b)) }
	padded := func(b []byte) []byte { return append(b, make([]byte, (4-len(b)%4)%4)...) }
	flags := []byte{0, 0}

	out := append([]byte{0xfd, '7', 'z', 'X', 'Z', 0}, flags...)
	out = binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(flags))

	// The header has two words after the byte of the count. The filter is LZMA2, whose one property
	// byte is the size of the dictionary.
	block := checked([]byte{2, 0, 0x21, 1, 16, 0, 0, 0})
	block = append(block, 1, byte((len(data)-1)>>8), byte(len(data)-1))
	block = append(append(block, data...), 0)
	unpadded := uint64(len(block))
	out = append(out, padded(block)...)

	index := binary.AppendUvarint([]byte{0, 1}, unpadded)
	index = checked(padded(binary.AppendUvarint(index, uint64(len(data)))))
	out = append(out, index...)

	footer := append(binary.LittleEndian.AppendUint32(nil, uint32(len(index)/4-1)), flags...)
	out = binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(footer))
	return append(append(out, footer...), 'Y', 'Z')
}

func callersAccount(t *testing.T) *account {
	t.Helper()
	a, err := serverAccount(os.Geteuid(), "postgres", "nobody")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestDownloadIsUnpackedOnceAndKept(t *testing.T) {
	url, taken := repository(t)
	a, cache := callersAccount(t), reachableDir(t)
	for range 2 {
		binDir, err := fetch(t.Context(), a, cache, url)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.canRun(t.Context(), binDir); err != nil {
			t.Error(err)
		}
	}
	if got := taken.Load(); got != 1 {
		t.Errorf("%d downloads, want 1", got)
	}
	left, err := os.ReadDir(cache)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 {
		t.Errorf("the cache holds %v, want the programs alone", left)
	}
}

func TestDownloadThatAnotherProcessFinishedFirstIsTaken(t *testing.T) {
	url, _ := repository(t)
	cache := reachableDir(t)
	tree := filepath.Join(cache, "postgres")
	for range 2 {
		if err := download(cache, tree, url); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFailedDownloadIsAnErrorAndLeavesNothing(t *testing.T) {
	nothing := httptest.NewServer(http.NotFoundHandler())
	defer nothing.Close()
	cache := reachableDir(t)
	if _, err := fetch(t.Context(), callersAccount(t), cache, nothing.URL); err == nil {
		t.Error("no error")
	}
	left, err := os.ReadDir(cache)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestInstallHintNamesAPackagePerSystem(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"apt-get install postgresql", "brew install postgresql@17", "dnf install postgresql-server"} {
		if !strings.Contains(installHint, name) {
			t.Errorf("%q lacks %q", installHint, name)
		}
	}
}
