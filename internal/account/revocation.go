package account

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"
)

const (
	revocationsEvery = 300 * time.Millisecond // so that all processes know within a second
	// revocationsOverlap is how far a refresh looks behind the last one. A revocation is stamped before it is committed: it may
	// wait for the lock of its row for innodb_lock_wait_timeout, 50 s.
	revocationsOverlap = time.Minute
	// revocationsReload counts refreshes: each 200th (a minute) reads everything, should MySQL's clock have jumped.
	revocationsReload  = 200
	revocationsTimeout = 5 * time.Second
	// revocationsKept is when no token of before can be left, with an hour for clocks that differ.
	revocationsKept = TokenLife + time.Hour
)

// Revocations knows which users' tokens were revoked within the life of a token, so that checking a token asks no server.
// Memory is bounded by those: some 100 bytes a user. While MySQL is away, what is known holds.
type Revocations struct {
	store store
	log   *slog.Logger
	now   func() time.Time

	mu    sync.RWMutex
	users map[int64]revoked

	reading   sync.Mutex // of the below: one refresh at a time
	readAt    time.Time
	refreshes int
}

// revoked says that tokens of an earlier generation do not hold.
type revoked struct {
	generation int64
	until      time.Time // none of them is left
}

func newRevocations(s store, log *slog.Logger, now func() time.Time) *Revocations {
	return &Revocations{store: s, log: log, now: now, users: map[int64]revoked{}}
}

// Revoked says whether a token that is valid in itself was revoked. That is decided by generations and not by times, so the
// clocks of the API's hosts do not matter, nor does a login that read the old password just before it was changed.
func (r *Revocations) Revoked(c Claims) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return c.Generation < r.users[c.UserID].generation
}

// Run refreshes several times a second until ctx ends. Call Refresh before tokens are checked for the first time.
func (r *Revocations) Run(ctx context.Context) error {
	tick := time.NewTicker(revocationsEvery)
	defer tick.Stop()
	for failing := false; ; {
		err := r.Refresh(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !failing:
			r.log.Warn("changes of passwords by other processes are not seen; their old tokens hold until MySQL answers", "error", err)
		case err == nil && failing:
			r.log.Info("changes of passwords by other processes are seen again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Refresh reads what was revoked since the last refresh, and the first time all that matters.
func (r *Revocations) Refresh(ctx context.Context) error {
	r.reading.Lock()
	defer r.reading.Unlock()
	ctx, cancel := context.WithTimeout(ctx, revocationsTimeout)
	defer cancel()
	began := r.now()
	within := began.Sub(r.readAt) + revocationsOverlap
	if r.refreshes%revocationsReload == 0 {
		within = revocationsKept
		r.forget(began)
	}
	generations, err := r.store.revokedWithin(ctx, within)
	if err != nil {
		return fmt.Errorf("refresh the revocations: %w", err)
	}
	r.readAt = began
	r.refreshes++
	r.add(generations)
	return nil
}

// add notes generations by user.
func (r *Revocations) add(generations map[int64]int64) {
	until := r.now().Add(revocationsKept)
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, generation := range generations {
		if generation > r.users[id].generation { // what was read may be older than what this process did
			r.users[id] = revoked{generation, until}
		}
	}
}

// forget drops what no longer matters.
func (r *Revocations) forget(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.users, func(_ int64, u revoked) bool { return !now.Before(u.until) })
}
