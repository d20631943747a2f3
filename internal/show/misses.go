package show

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	rememberMiss = time.Second
	maxMisses    = 10_000 // answers remembered at once, some 3 MB
	missTimeout  = 2 * time.Second
)

// misses asks MySQL for shows that the catalogue does not hold: each once at a time, and at most once a second, so that
// requests for shows that do not exist cost it little.
type misses struct {
	source source
	flight singleflight.Group
	mu     sync.Mutex
	known  map[int64]answer
}

type answer struct {
	show  Show
	err   error
	until time.Time
}

func (m *misses) get(ctx context.Context, id int64) (Show, error) {
	m.mu.Lock()
	known, ok := m.known[id]
	m.mu.Unlock()
	if ok && time.Now().Before(known.until) {
		return known.show, known.err
	}
	asked := m.flight.DoChan(strconv.FormatInt(id, 10), func() (any, error) {
		// Others wait for the answer too, so it must not end with the request that was first.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), missTimeout)
		defer cancel()
		show, err := m.source.Get(ctx, id)
		if err != nil && !errors.Is(err, ErrNotFound) {
			err = fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		m.remember(id, answer{show, err, time.Now().Add(rememberMiss)})
		return show, err
	})
	select {
	case result := <-asked:
		return result.Val.(Show), result.Err
	case <-ctx.Done():
		return Show{}, ctx.Err()
	}
}

func (m *misses) remember(id int64, a answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.known) >= maxMisses {
		clear(m.known) // forgetting costs one read each, finding the oldest would cost more
	}
	m.known[id] = a
}
