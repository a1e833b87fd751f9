package pgdev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// No server and no directory may outlive the process that started it. A process that is killed with
// SIGKILL runs no code, but the kernel closes its pipes. So a small shell, the guard, starts each
// program as its child and reads a pipe. Only this process has the other end of the pipe. When the
// pipe ends, the guard ends the program. The parent-death signal of Linux would not do: it follows
// the thread that forked, is lost on a change of user, and macOS has none.
//
// A guard uses these descriptors:
//
//	0  orders: the name of a signal per line; "reap" when the program is known to have ended; the
//	   end of the pipe means that the owner is gone
//	3  held by the program and its children, and so closed when all of them have ended
//	4  the pipe of the keeper, if there is one: see keeper.go
//
// After "reap" the guard sends no signal any more. The process ID of a program that has ended may
// belong to another one.
const guardScript = `
"$@" </dev/null &
program=$!
exec 3>&- >/dev/null 2>&1
while read -r order; do
	if [ "$order" = reap ]; then
		wait "$program"
		exit
	fi
	kill -s "$order" "$program"
done
kill -s QUIT "$program"
wait "$program"
`

// guarded is a program under a guard. It has no goroutine: the end of the program is seen by
// reading a pipe.
type guarded struct {
	guard  *exec.Cmd
	orders *os.File // write end
	alive  *os.File // read end: EOF when the program and its children ended
}

// startGuarded runs argv as the account, and appends the output to the log.
func startGuarded(a *account, k *keeper, log *os.File, argv []string) (g *guarded, err error) {
	ordersRead, ordersWrite, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making the guard's pipe: %w", err)
	}
	defer ordersRead.Close()
	aliveRead, aliveWrite, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making the guard's pipe: %w", err), ordersWrite.Close())
	}
	defer aliveWrite.Close()

	guard := a.command(context.Background(), "/bin/sh", append([]string{"-c", guardScript, "guard"}, argv...)...)
	guard.Stdin, guard.Stdout, guard.Stderr = ordersRead, log, log
	guard.ExtraFiles = []*os.File{aliveWrite}
	if k != nil {
		guard.ExtraFiles = append(guard.ExtraFiles, k.hold)
	}
	if err := guard.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the guard: %w", err), ordersWrite.Close(), aliveRead.Close())
	}
	return &guarded{guard: guard, orders: ordersWrite, alive: aliveRead}, nil
}

// wait returns nil when the program has ended, or the context's error.
func (g *guarded) wait(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = g.alive.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for {
		if g.ended() {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		// If the deadline passed without the end of the context, an earlier wait has set it late.
		// ended has reset it.
		if _, err := g.alive.Read(make([]byte, 1)); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("waiting for a program under guard: %w", err)
		}
	}
}

// waitFor waits for the end of the program, at most for d, and tells whether it has ended.
func (g *guarded) waitFor(ctx context.Context, d time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return g.wait(ctx) == nil
}

// ended tells whether the program has ended, without waiting.
func (g *guarded) ended() bool {
	// After a passed deadline, a read would not see the end of the pipe.
	_ = g.alive.SetReadDeadline(time.Time{})
	conn, err := g.alive.SyscallConn()
	if err != nil {
		return false
	}
	var n int
	var readErr error
	err = conn.Read(func(fd uintptr) bool {
		n, readErr = syscall.Read(int(fd), make([]byte, 1))
		return true // whatever it found: do not wait for more
	})
	return err == nil && readErr == nil && n == 0
}

// signal has the guard send a signal, by its name in kill(1).
func (g *guarded) signal(name string) error {
	if _, err := io.WriteString(g.orders, name+"\n"); err != nil {
		return fmt.Errorf("sending SIG%s: %w", name, err)
	}
	return nil
}

// stop sends a signal and waits for the end of the program. If the context ends first, the program
// is killed. The exit status of a stopped program is no error.
func (g *guarded) stop(ctx context.Context, signal string) error {
	if !g.ended() {
		if err := g.signal(signal); err != nil {
			return errors.Join(err, g.end())
		}
		_ = g.wait(ctx) // end does what the wait could not
	}
	var exit *exec.ExitError
	if err := g.end(); err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}

// end ends the guard, and the program if it still runs. The error is an *exec.ExitError if the
// program failed.
func (g *guarded) end() error {
	var reap error
	if g.ended() {
		reap = g.signal("reap")
	}
	// Without "reap" the end of the pipe is the order to end the program.
	return errors.Join(reap, g.orders.Close(), g.guard.Wait(), g.alive.Close())
}

// command is a command that the account runs. It has a session of its own, so that no signal from
// the terminal reaches it, a working directory that every user can enter, and no variables in its
// environment that configure Postgres.
func (a *account) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = "/"
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "PG") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(cmd.Env, "LC_ALL=C", "TZ=UTC")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: a.credential}
	return cmd
}
