package trusthub

import (
	"context"
	"errors"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/attestd/attestd/internal/onboarding"
)

// Why a request was not written. Only the transport sees errAbandoned.
var (
	errTooLate   = errors.New("too late to send the request")
	errAbandoned = errors.New("the request was abandoned before it was sent")
)

// sendGuard guards the sending of one request. It answers two questions that net/http leaves open:
// may the request still be sent (see onboarding.WithSendBy), and, after a failure, was any byte of
// it sent?
//
// The first question is asked immediately before bytes go to the kernel. An earlier check would let
// a process that is paused after the check send a request that another replica has long given up
// for lost. A request is complete only with its last byte, so every write is checked.
type sendGuard struct {
	deadline    time.Time
	hasDeadline bool
	now         func() time.Time
	// cancel ends the request's context. Without that, net/http would try the request on the next
	// connection of its pool.
	cancel context.CancelCauseFunc

	state   atomic.Int32
	written atomic.Bool // at least one byte went to a socket
	tooLate atomic.Bool
	conn    atomic.Pointer[guardedConn]
}

// States of a sendGuard.
const (
	stateUnsent int32 = iota
	stateSent
	stateAbandoned
)

func newSendGuard(
	ctx context.Context, now func() time.Time, cancel context.CancelCauseFunc,
) *sendGuard {
	deadline, ok := onboarding.SendBy(ctx)
	return &sendGuard{deadline: deadline, hasDeadline: ok, now: now, cancel: cancel}
}

// allowWrite is asked before a part of the request is written. An error forbids it.
func (g *sendGuard) allowWrite() error {
	if !g.state.CompareAndSwap(stateUnsent, stateSent) && g.state.Load() == stateAbandoned {
		return errAbandoned
	}
	if g.hasDeadline && !g.now().Before(g.deadline) {
		g.tooLate.Store(true)
		g.cancel(errTooLate)
		return errTooLate
	}
	return nil
}

// wrote notes the result of an allowed write. If the first one failed without a byte, the request
// is unsent as before.
func (g *sendGuard) wrote(n int, err error) {
	if n > 0 {
		g.written.Store(true)
	} else if err != nil && !g.written.Load() {
		g.state.CompareAndSwap(stateSent, stateUnsent)
	}
}

// abandon says of a failed request that no byte of it was sent, and forbids every later write:
// net/http may return before its writing goroutine has begun.
func (g *sendGuard) abandon() (unsent bool) {
	return g.state.CompareAndSwap(stateUnsent, stateAbandoned)
}

// trace attaches the guard to the connection that net/http chooses for the request. net/http also
// says when the request is written, but it means its buffer, so that is no time to detach.
func (g *sendGuard) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			if c := guardedConnOf(info.Conn); c != nil {
				g.conn.Store(c)
				c.guard.Store(g)
			}
		},
	}
}

// detach ends the guard of an answered request. The connection may already have the guard of its
// next request, which stays.
func (g *sendGuard) detach() {
	if c := g.conn.Load(); c != nil {
		c.guard.CompareAndSwap(g, nil)
	}
}
