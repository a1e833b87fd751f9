package server_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/attestd/attestd/internal/onboarding"
	"github.com/attestd/attestd/internal/onboarding/engine"
	"github.com/attestd/attestd/internal/server"
)

// With this variable the test binary is the program. It reads lines from its standard input, each
// with a point and a step at which it dies by SIGKILL. It answers each by "armed" and the line.
const envProgram = "ATTESTD_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(envProgram) == "" {
		runInParallel()
		os.Exit(m.Run())
	}
	go arm(os.Stdin)
	program := server.Program{Args: os.Args[1:], Environ: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr, Reached: die}
	os.Exit(program.Main(context.Background()))
}

// runInParallel lets more tests run at once than there are processors, unless the command line says
// otherwise. The tests of this package spend most of their time waiting.
func runInParallel() {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", "16") // It is a number.
	}
}

// fate is where the program dies.
type fate struct {
	point engine.Point
	step  string
}

var armed atomic.Pointer[fate]

func arm(orders io.Reader) {
	lines := bufio.NewScanner(orders)
	for lines.Scan() {
		point, step, _ := strings.Cut(lines.Text(), " ")
		armed.Store(&fate{engine.Point(point), step})
		fmt.Println("armed", lines.Text())
	}
}

func die(point engine.Point, key onboarding.Key) {
	if f := armed.Load(); f != nil && point == f.point && matchesStep(string(key), f.step) {
		kill()
	}
}

func kill() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // Nothing more may happen, not even until the signal arrives.
}
