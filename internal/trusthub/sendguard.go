package trusthub

import (
	"context"
	"errors"
	"net"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// errTooLate: the time by which a request had to leave (see onboarding.WithSendBy) had passed.
var errTooLate = errors.New("too late to send the request")

// errGivenUp: the request was given up before it was sent. Only the transport sees it.
var errGivenUp = errors.New("the request was given up before it was sent")

// departure watches one request leave. It answers two questions that net/http leaves open: may the request leave now, and, after a
// failure, has any of it left?
//
// The first is asked at the socket, immediately before bytes are handed to the kernel: a check any earlier would let a process that is
// paused after it send a request long after others have given it up for lost. A request is whole only with its last byte, so the question
// is asked before every write of it.
type departure struct {
	by      time.Time
	limited bool
	now     func() time.Time
	// cancel ends the request's context: net/http would otherwise try a refused request on the next connection of the pool.
	cancel context.CancelCauseFunc

	state    atomic.Int32
	underWay atomic.Bool // at least one byte was taken by a socket
	tooLate  atomic.Bool
	on       atomic.Pointer[conn]
}

// States of a departure.
const (
	stateHere int32 = iota
	stateLeft
	stateGivenUp
)

// leave is asked before a part of the request is written. An error means that it must not be.
func (d *departure) leave() error {
	if !d.state.CompareAndSwap(stateHere, stateLeft) && d.state.Load() == stateGivenUp {
		return errGivenUp
	}
	if d.limited && !d.now().Before(d.by) {
		d.tooLate.Store(true)
		d.cancel(errTooLate)
		return errTooLate
	}
	return nil
}

// stay takes leave back: the first write put nothing on its way.
func (d *departure) stay() { d.state.CompareAndSwap(stateLeft, stateHere) }

// neverLeft says, once the request has failed, that no byte of it has left, and sees to it that none will: net/http may return before the
// goroutine that writes has begun to.
func (d *departure) neverLeft() bool { return d.state.CompareAndSwap(stateHere, stateGivenUp) }

// trace ties the departure to whichever connection the request gets. There is no untying it when net/http says that the request was
// written: it says so when the request is in its buffer.
func (d *departure) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			if c := innermost(info.Conn); c != nil {
				d.on.Store(c)
				c.cargo.Store(d)
			}
		},
	}
}

// arrived unties the departure: the request was answered. The connection may carry the next one already, and is then left alone.
func (d *departure) arrived() {
	if c := d.on.Load(); c != nil {
		c.cargo.CompareAndSwap(d, nil)
	}
}

// innermost finds our connection below the layers of TLS that net/http puts over it: one to Twilio, one to a proxy.
func innermost(c net.Conn) *conn {
	for {
		if ours, ok := c.(*conn); ok {
			return ours
		}
		layer, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		c = layer.NetConn()
	}
}

// conn is a connection that asks the request it carries before each write.
type conn struct {
	net.Conn
	cargo atomic.Pointer[departure]
}

func (c *conn) Write(p []byte) (int, error) {
	d := c.cargo.Load()
	if d == nil {
		return c.Conn.Write(p)
	}
	if err := d.leave(); err != nil {
		c.Conn.Close()
		return 0, err
	}
	n, err := c.Conn.Write(p)
	if n > 0 {
		d.underWay.Store(true)
	} else if err != nil && !d.underWay.Load() {
		d.stay()
	}
	return n, err
}
