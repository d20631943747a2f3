package show

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	refreshEvery = time.Second
	// reloadEvery counts refreshes: every 300th (5 minutes) reads the whole table, and so finds what the others missed, such as
	// a row that was deleted, or restored from a backup.
	reloadEvery = 300
	// overlap is how far a refresh looks behind the last one: a change is stamped before it is committed.
	overlap = 10 * time.Second
	// refreshTimeout leaves room to read 100,000 shows.
	refreshTimeout = 20 * time.Second
)

// source is what the catalogue needs of Store.
type source interface {
	Get(ctx context.Context, id int64) (Show, error)
	ChangedSince(ctx context.Context, t time.Time) ([]Show, time.Time, error)
}

// Catalogue holds every show in memory. Readers take no lock; Run keeps it up to date.
type Catalogue struct {
	source  source
	log     *slog.Logger
	current atomic.Pointer[snapshot] // nil until the first load
	misses  misses

	mu        sync.Mutex // of the below: one refresh at a time
	since     time.Time  // by MySQL's clock
	refreshes int
}

// NewCatalogue returns an empty catalogue over a *Store.
func NewCatalogue(store source, log *slog.Logger) *Catalogue {
	return &Catalogue{source: store, log: log, misses: misses{source: store, known: map[int64]answer{}}}
}

// Run refreshes the catalogue once a second until ctx ends. While that fails the old content stays.
func (c *Catalogue) Run(ctx context.Context) error {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for failing := false; ; {
		err := c.Refresh(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !failing:
			c.log.Warn("the catalogue of shows is not refreshed", "error", err)
		case err == nil && failing:
			c.log.Info("the catalogue of shows is refreshed again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Refresh reads what has changed since the last refresh, and the first and each 300th time everything.
func (c *Catalogue) Refresh(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()

	since, apply := c.since, (*snapshot).with
	if c.refreshes%reloadEvery == 0 {
		since, apply = time.Unix(0, 0), (*snapshot).only
	}
	shows, asOf, err := c.source.ChangedSince(ctx, since)
	if err != nil {
		return fmt.Errorf("refresh the catalogue: %w", err)
	}
	c.current.Store(apply(c.current.Load(), shows))
	c.since = asOf.Add(-overlap)
	c.refreshes++
	return nil
}

// Get returns one show. Only where memory does not hold it is MySQL asked, so a show that was just added is found at once;
// the answer is remembered for a second. It returns ErrNotFound, or ErrUnavailable when MySQL had to be asked but is away.
func (c *Catalogue) Get(ctx context.Context, id int64) (Show, error) {
	if current := c.current.Load(); current != nil {
		if s, ok := current.byID[id]; ok {
			return s.Show, nil
		}
	}
	if id <= 0 {
		return Show{}, ErrNotFound
	}
	return c.misses.get(ctx, id)
}

// Find yields the shows that a search asks for, by start, then id. It returns ErrUnavailable before the shows were read for the
// first time. What it yields is one state of the catalogue, and must not be changed.
func (c *Catalogue) Find(q Search) (iter.Seq[*Show], error) {
	current := c.current.Load()
	if current == nil {
		return nil, ErrUnavailable
	}
	return current.find(q), nil
}
