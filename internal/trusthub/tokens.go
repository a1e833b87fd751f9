package trusthub

import (
	"context"
	"errors"
	"sync"
	"time"
)

// tokens are the auth tokens of the subaccounts. They are in memory only and never logged. An entry
// costs about a hundred bytes and stays until the process ends: subaccounts are few next to
// requests.
type tokens struct {
	// fetch reads an account's token with the parent's credentials, and puts it here.
	fetch func(ctx context.Context, account string) (string, error)

	mu      sync.Mutex
	known   map[string]string
	fetches map[string]*tokenFetch // the ones in progress
	// checked is when an unknown signature last caused a fetch of the account's token.
	checked map[string]time.Time
}

// tokenFetch is a fetch in progress. It runs in the goroutine of its first caller.
type tokenFetch struct {
	done  chan struct{}
	token string
	err   error
	// private: the fetch failed for a reason of its own caller, such as the end of the caller's
	// context or of its time in a queue. The others fetch for themselves.
	private bool
}

// get returns a token of the account other than refused, from memory if it is there. A token
// fetched anew is returned even if it equals refused. Concurrent callers of an account share one
// fetch.
func (t *tokens) get(ctx context.Context, account, refused string) (string, error) {
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		t.mu.Lock()
		if token := t.known[account]; token != "" && token != refused {
			t.mu.Unlock()
			return token, nil
		}
		f := t.fetches[account]
		if f == nil {
			return t.fetchShared(ctx, account)
		}
		t.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
			return "", ctx.Err()
		}
		if !f.private {
			return f.token, f.err
		}
	}
}

// fetchShared makes a fetch that others can wait for. It unlocks t.mu, which its caller has locked.
func (t *tokens) fetchShared(ctx context.Context, account string) (string, error) {
	f := &tokenFetch{done: make(chan struct{}), private: true} // private if fetch panics
	if t.fetches == nil {
		t.fetches = make(map[string]*tokenFetch)
	}
	t.fetches[account] = f
	t.mu.Unlock()

	defer func() { // After a panic as well, or the others would wait for ever.
		t.mu.Lock()
		delete(t.fetches, account)
		t.mu.Unlock()
		close(f.done)
	}()
	f.token, f.err = t.fetch(ctx, account)
	f.private = f.err != nil &&
		(ctx.Err() != nil || errors.Is(f.err, errTooLate) || errors.Is(f.err, errQueueTimeout))
	return f.token, f.err
}

// put remembers a token that Twilio has just named.
func (t *tokens) put(account, token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil {
		t.known = make(map[string]string)
	}
	t.known[account] = token
}

// peek returns the token in memory, or "".
func (t *tokens) peek(account string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known[account]
}

// mayCheck says whether an unknown signature may cause a fetch of the account's token: once in an
// interval.
func (t *tokens) mayCheck(account string, now time.Time, interval time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if last, ok := t.checked[account]; ok && now.Sub(last) < interval {
		return false
	}
	if t.checked == nil {
		t.checked = make(map[string]time.Time)
	}
	for other, last := range t.checked {
		if now.Sub(last) >= interval {
			delete(t.checked, other)
		}
	}
	t.checked[account] = now
	return true
}
