package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// loop builds the server and starts it anew when its sources change.
type loop struct {
	root string
	out  io.Writer

	server   server
	build    func(context.Context) error
	generate func(context.Context) error

	built sources // what the running server was built from
	seen  sources // at the look before
}

// server is the server that is started anew.
type server interface {
	StartServer(context.Context) error
	StopServer() error
}

// begin notes the sources that the running server is built from.
func (l *loop) begin() (err error) {
	l.built, err = readSources(l.root)
	l.seen = l.built
	return err
}

// run looks at each tick until ctx ends.
func (l *loop) run(ctx context.Context, ticks <-chan time.Time) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticks:
			if err := l.look(ctx); err != nil {
				return err
			}
		}
	}
}

// look acts on changes. It shows a failure, and returns no error for it, because the next change
// may repair it.
func (l *loop) look(ctx context.Context) error {
	now, err := readSources(l.root)
	if err != nil {
		return err
	}
	// Editors and version control write one file after the other. When two looks find the same,
	// they are done.
	settled := len(now.changedSince(l.seen)) == 0
	l.seen = now
	if changed := now.changedSince(l.built); settled && len(changed) > 0 {
		l.renew(ctx, changed)
	}
	return nil
}

// renew generates and builds what has changed, and starts the server anew.
func (l *loop) renew(ctx context.Context, changed []string) {
	fmt.Fprintf(l.out, "%s changed: building …\n", strings.Join(changed, ", "))
	begun := time.Now()
	l.built = l.seen
	if needsGenerating(changed) {
		if err := l.generate(ctx); err != nil {
			fmt.Fprintf(l.out, "generating: %v. The server of before goes on.\n", err)
			return
		}
		after, err := readSources(l.root)
		if err != nil {
			fmt.Fprintln(l.out, err)
			return
		}
		// The generated files are built below. A change by hand in the meantime is left to a later
		// look.
		l.built, l.seen = after.withInputsOf(l.seen), after
	}
	if err := l.build(ctx); err != nil {
		fmt.Fprintf(l.out, "building: %v. The server of before goes on.\n", err)
		return
	}
	if err := l.server.StopServer(); err != nil {
		fmt.Fprintln(l.out, err) // It may have crashed, and the change may repair that.
	}
	if err := l.server.StartServer(ctx); err != nil {
		fmt.Fprintf(l.out, "%v. No server runs now.\n", err)
		return
	}
	fmt.Fprintf(l.out, "The server is back after %s.\n", time.Since(begun).Round(100*time.Millisecond))
}
