package trusthubsim

import (
	"flag"
	"os"
	"testing"
)

const manualFile = "../../docs/simulator.md"

var update = flag.Bool("update", false, "write "+manualFile+" anew")

// TestTheManualIsCurrent compares the document with what the tables say. With -update it is
// written.
func TestTheManualIsCurrent(t *testing.T) {
	if *update {
		if err := os.WriteFile(manualFile, []byte(Manual()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(manualFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != Manual() {
		t.Errorf("%s is not current; run: go generate ./internal/trusthubsim", manualFile)
	}
}
