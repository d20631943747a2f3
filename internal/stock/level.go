package stock

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Level is how many units of a show are left, for people to see. No decision is made on it.
type Level struct {
	ShowID   int64
	Capacity int
	Limit    int // units per person; 0: none
	Left     int
	Paused   bool
	AsOf     time.Time // by Redis's clock
}

// Levels holds the levels of all shows in memory, so that they can be told as often as anyone asks, also while MySQL is away. Run
// keeps it up to date: it alone asks Redis and MySQL, at a rate that depends neither on the number of shows nor on requests.
//
// How old a level is: of a show that is followed, which is one that somebody asked for in the last 30 s, at most 500 ms; of
// another, as long as the sweep takes, 400 ms for each 2,000 shows that there are. Capacity and limit may be a second older.
// While Redis is away, levels grow older for 10 s, then there are none.
type Levels struct {
	ledger *Ledger
	store  *Store
	log    *slog.Logger
	flight singleflight.Group

	mu       sync.RWMutex // held for a look or a batch, never while somebody is asked
	board    map[int64]line
	followed map[int64]time.Time // until when
	clock    clock
	failing  bool          // the last poll failed
	complete bool          // Run has read every show once
	polled   chan struct{} // closed at the end of a poll
	added    []int64       // to the board, not in the order yet

	order []int64 // of the board's shows, by id: what the sweep goes through; Run's own
	swept int     // how far it is
}

// line is what is known of a show.
type line struct {
	row  Row
	hash Hash
	at   time.Time // of this host, before Redis was asked; zero: the hash was not read yet
	asOf time.Time // by Redis's clock
}

// clock tells Redis's time from the last that was read, whatever happens to the time of this host. It is late by the time that
// an answer of Redis takes, and never early: no sale is shown as open before Redis opens it.
type clock struct{ redis, here time.Time }

func (c clock) now() time.Time { return c.redis.Add(time.Since(c.here)) }

const (
	pollEvery = 400 * time.Millisecond
	// fresh is the greatest age of a level that Level returns, while Redis answers.
	fresh = 500 * time.Millisecond
	// silence is how long levels are told without a word of Redis: a restart passes unseen, a long outage is told as such.
	silence = 10 * time.Second
	// followFor is how long a show stays followed, at least half of it.
	followFor = 30 * time.Second
	// maxFollowed shows cost Redis some 2 % of its time. Those beyond are swept, and read when they are asked for.
	maxFollowed = 5000
	readTimeout = 2 * time.Second
)

var errSilent = errors.New("the units left are not known: redis has not told them lately")

// NewLevels returns levels that know nothing yet.
func NewLevels(ledger *Ledger, store *Store, log *slog.Logger) *Levels {
	return &Levels{ledger: ledger, store: store, log: log, board: map[int64]line{}, followed: map[int64]time.Time{}, polled: make(chan struct{})}
}

// Level returns the level of a show, and the time by Redis's clock. It comes from memory, unless that holds none that is fresh:
// then the servers are asked, once for all who wait. It returns ErrNoShow where there is no stock.
func (l *Levels) Level(ctx context.Context, show int64) (Level, time.Time, error) {
	l.Follow(show)
	known, now, err := l.look(show, fresh)
	if err == nil {
		return known, now, nil
	}
	asked := l.flight.DoChan(strconv.FormatInt(show, 10), func() (any, error) {
		// Others wait for the answer too, so it must not end with the request that was first.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		defer cancel()
		return nil, l.read(ctx, show)
	})
	select {
	case result := <-asked:
		level, now, err := l.look(show, silence)
		if err != nil {
			err = errors.Join(err, result.Err)
		}
		if errors.Is(result.Err, ErrNoShow) {
			err = ErrNoShow
		}
		return level, now, err
	case <-ctx.Done():
		return Level{}, time.Time{}, ctx.Err()
	}
}

// look returns what is known of a show, if it is not older than that. While Redis fails, old is better than to wait for it.
func (l *Levels) look(show int64, age time.Duration) (Level, time.Time, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.failing {
		age = silence
	}
	known, ok := l.board[show]
	if !ok || time.Since(known.at) > age {
		return Level{}, time.Time{}, errSilent
	}
	now := l.clock.now()
	if now.Before(known.asOf) { // the answer that told it was faster than the one that told the time
		now = known.asOf
	}
	return known.level(), now, nil
}

// read asks the servers for one show.
func (l *Levels) read(ctx context.Context, show int64) error {
	if !l.holds(show) {
		if err := l.readRows(ctx, show); err != nil {
			return err
		}
		if !l.holds(show) {
			return ErrNoShow
		}
	}
	return l.poll(ctx, []int64{show})
}

func (l *Levels) holds(show int64) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	_, ok := l.board[show]
	return ok
}

// Last returns what memory holds of the shows, in their order, without those that it does not hold, and the time by Redis's clock.
// It asks nobody, and fails before Run has read everything once, or when Redis is silent.
func (l *Levels) Last(shows []int64) ([]Level, time.Time, error) {
	levels := make([]Level, 0, len(shows))
	var unknown []int64
	l.mu.RLock()
	now, silent := l.clock.now(), !l.complete || time.Since(l.clock.here) > silence
	for _, show := range shows {
		if known, ok := l.board[show]; ok && !known.at.IsZero() {
			levels = append(levels, known.level())
		} else {
			unknown = append(unknown, show)
		}
	}
	l.mu.RUnlock()
	if silent {
		return nil, time.Time{}, errSilent
	}
	l.Follow(unknown...) // they are new
	return levels, now, nil
}

// Follow keeps the levels of these shows fresh for a while.
func (l *Levels) Follow(shows ...int64) {
	now := time.Now()
	var missing []int64
	l.mu.RLock()
	for _, show := range shows {
		if until, ok := l.followed[show]; until.Sub(now) < followFor/2 && (ok || len(l.followed) < maxFollowed) {
			missing = append(missing, show)
		}
	}
	l.mu.RUnlock()
	if len(missing) == 0 {
		return // as for all requests but one in 15 s
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, show := range missing {
		l.followed[show] = now.Add(followFor)
	}
}

// Forget drops what is known of a show, after its capacity or limit was changed here.
func (l *Levels) Forget(show int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.board, show)
}

// Polled returns a channel that is closed when the next poll has ended.
func (l *Levels) Polled() <-chan struct{} {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.polled
}

func (k line) level() Level {
	level := Level{ShowID: k.row.Show, Capacity: k.row.Capacity, Limit: k.row.Limit, Left: k.row.Capacity - k.row.Reserved, AsOf: k.asOf}
	if k.hash.State == "open" || k.hash.State == "paused" {
		level.Left, level.Paused = k.hash.Left, k.hash.State == "paused"
	}
	return level
}
