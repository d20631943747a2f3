package stock

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Level is how many units of a show are left, for people to see. No decision is made on it.
type Level struct {
	ShowID   int64
	Capacity int
	Limit    int // units per person; 0: none
	Left     int
	Paused   bool
}

// Levels reads units left. It remembers what changes rarely, so that it answers while MySQL is away.
type Levels struct {
	ledger *Ledger
	store  *Store

	mu   sync.Mutex
	rows map[int64]remembered
}

type remembered struct {
	row Row
	at  time.Time
}

// rowsFresh is how old the remembered capacity, limit and reserved units of a show may be.
const rowsFresh = time.Second

// NewLevels returns a reader of levels.
func NewLevels(ledger *Ledger, store *Store) *Levels {
	return &Levels{ledger: ledger, store: store, rows: map[int64]remembered{}}
}

// Levels returns the levels of the shows that have a stock, in the order asked for, and the time by Redis's clock.
func (l *Levels) Levels(ctx context.Context, shows []int64) ([]Level, time.Time, error) {
	rows, err := l.remember(ctx, shows)
	if err != nil {
		return nil, time.Time{}, err
	}
	pipe := l.ledger.client.Pipeline()
	clock := pipe.Time(ctx)
	hashes := make([]*redis.SliceCmd, len(shows))
	for i, show := range shows {
		hashes[i] = pipe.HMGet(ctx, l.ledger.shards.Show(show), "state", "left")
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, time.Time{}, fmt.Errorf("read units left: %w", err)
	}
	levels := make([]Level, 0, len(shows))
	for i, show := range shows {
		row, ok := rows[show]
		if !ok {
			continue
		}
		level := Level{ShowID: show, Capacity: row.Capacity, Limit: row.Limit, Left: row.Capacity - row.Reserved}
		fields := answer(hashes[i].Val())
		if state := fields.text(0); fields[1] != nil && (state == "open" || state == "paused") {
			level.Left, level.Paused = int(fields.number(1)), state == "paused"
		}
		levels = append(levels, level)
	}
	return levels, clock.Val().UTC(), nil
}

// Forget drops what is remembered of a show, after its capacity or limit was changed here.
func (l *Levels) Forget(show int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.rows, show)
}

// remember returns the rows of the shows, read from MySQL where they are not fresh; old ones while it is away.
func (l *Levels) remember(ctx context.Context, shows []int64) (map[int64]Row, error) {
	rows := make(map[int64]Row, len(shows))
	var missing []int64
	now, complete := time.Now(), true
	l.mu.Lock()
	for _, show := range shows {
		known, ok := l.rows[show]
		if ok {
			rows[show] = known.row
		}
		if now.Sub(known.at) > rowsFresh {
			missing = append(missing, show)
			complete = complete && ok
		}
	}
	l.mu.Unlock()
	if len(missing) == 0 {
		return rows, nil
	}
	read, err := l.store.Rows(ctx, missing...)
	if err != nil {
		if complete {
			return rows, nil
		}
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for show, row := range read {
		rows[show] = row
		l.rows[show] = remembered{row, now}
	}
	return rows, nil
}
