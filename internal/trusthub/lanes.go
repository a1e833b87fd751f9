package trusthub

import (
	"context"
	"sync"
)

// lanes limit the requests that are under way for each account.
type lanes struct {
	width int // of each lane; negative: no limit
	mu    sync.Mutex
	open  map[string]*lane
}

type lane struct {
	slots chan struct{}
	users int // under way or waiting; the last one to leave closes the lane
}

// enter waits for a turn. Its error is the context's.
func (l *lanes) enter(ctx context.Context, account string) (*lane, error) {
	if l.width < 0 {
		return nil, ctx.Err()
	}
	l.mu.Lock()
	if l.open == nil {
		l.open = make(map[string]*lane)
	}
	a := l.open[account]
	if a == nil {
		a = &lane{slots: make(chan struct{}, l.width)}
		l.open[account] = a
	}
	a.users++
	l.mu.Unlock()

	select {
	case a.slots <- struct{}{}:
		if err := ctx.Err(); err != nil {
			l.leave(account, a)
			return nil, err
		}
		return a, nil
	case <-ctx.Done():
		l.forget(account, a)
		return nil, ctx.Err()
	}
}

// leave gives a turn back.
func (l *lanes) leave(account string, a *lane) {
	if a == nil {
		return
	}
	<-a.slots
	l.forget(account, a)
}

func (l *lanes) forget(account string, a *lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.users--; a.users == 0 {
		delete(l.open, account)
	}
}
