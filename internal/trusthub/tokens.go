package trusthub

import (
	"context"
	"errors"
	"sync"
	"time"
)

// tokens are the subaccounts' auth tokens. They live in memory only and are never logged; an entry costs about a hundred bytes and stays
// until the process ends, as subaccounts are few next to requests.
type tokens struct {
	// fetch asks Twilio for an account's token, with the parent's credentials, and puts it here.
	fetch func(ctx context.Context, account string) (string, error)

	mu      sync.Mutex
	held    map[string]string
	flights map[string]*flight
	// doubted is when a signature last made us fetch an account's token anew.
	doubted map[string]time.Time
}

// flight is a fetch under way. It runs in the goroutine of the first who wanted it.
type flight struct {
	landed chan struct{}
	token  string
	err    error
	// mine: the fetch failed for a reason of the one who made it, such as his context's end; the others try for themselves.
	mine bool
}

// get returns a token of the account other than refused, from memory if it can. A fresh one is returned even if it is the refused one
// again. Concurrent fetches for an account are one.
func (t *tokens) get(ctx context.Context, account, refused string) (string, error) {
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		t.mu.Lock()
		if token := t.held[account]; token != "" && token != refused {
			t.mu.Unlock()
			return token, nil
		}
		f := t.flights[account]
		if f == nil {
			return t.lead(ctx, account)
		}
		t.mu.Unlock()
		select {
		case <-f.landed:
		case <-ctx.Done():
			return "", ctx.Err()
		}
		if !f.mine {
			return f.token, f.err
		}
	}
}

// lead makes the fetch that others may wait for. t.mu is held when it is called.
func (t *tokens) lead(ctx context.Context, account string) (string, error) {
	f := &flight{landed: make(chan struct{}), mine: true}
	if t.flights == nil {
		t.flights = make(map[string]*flight)
	}
	t.flights[account] = f
	t.mu.Unlock()

	defer func() { // also when fetch panics: nobody may wait for ever
		t.mu.Lock()
		delete(t.flights, account)
		t.mu.Unlock()
		close(f.landed)
	}()
	f.token, f.err = t.fetch(ctx, account)
	f.mine = f.err != nil && (ctx.Err() != nil || errors.Is(f.err, errTooLate))
	return f.token, f.err
}

// put keeps a token that Twilio has just named.
func (t *tokens) put(account, token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held == nil {
		t.held = make(map[string]string)
	}
	t.held[account] = token
}

// peek returns the token in memory, or "".
func (t *tokens) peek(account string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.held[account]
}

// doubt says whether a signature that fits no token may make us fetch the account's anew: once in every interval.
func (t *tokens) doubt(account string, now time.Time, interval time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if last, ok := t.doubted[account]; ok && now.Sub(last) < interval {
		return false
	}
	if t.doubted == nil {
		t.doubted = make(map[string]time.Time)
	}
	for other, last := range t.doubted {
		if now.Sub(last) >= interval {
			delete(t.doubted, other)
		}
	}
	t.doubted[account] = now
	return true
}
