package stock

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// sweepShows are the shows that nobody asked for which are read in one poll: 100,000 take 20 s and cost Redis about 1 % of its time.
	sweepShows = 2000
	rowsEvery  = time.Second
	// rowsTimeout leaves room to read 100,000 rows.
	rowsTimeout = 20 * time.Second
)

// Run reads everything once, then polls Redis, and MySQL for what it alone knows, until ctx ends. The one never waits for the other.
func (l *Levels) Run(ctx context.Context) error {
	l.loop(ctx, rowsEvery, "not all shows have been read yet", func(ctx context.Context) (done bool, err error) {
		err = l.fill(ctx)
		return err == nil, err
	})
	var running errgroup.Group
	running.Go(func() error {
		l.loop(ctx, pollEvery, "Redis does not tell the units left", func(ctx context.Context) (bool, error) { return false, l.Poll(ctx) })
		return nil
	})
	running.Go(func() error {
		after := int64(0)
		l.loop(ctx, rowsEvery, "MySQL does not tell capacity and limit of shows", func(ctx context.Context) (_ bool, err error) {
			after, err = l.rows(ctx, after)
			return false, err
		})
		return nil
	})
	return running.Wait()
}

// loop calls do at once and then at every tick, until it is done or ctx ends. It logs when do begins to fail and when that is over.
func (l *Levels) loop(ctx context.Context, every time.Duration, what string, do func(context.Context) (done bool, err error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for failing := false; ; {
		done, err := do(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing:
			l.log.Warn(what, "error", err)
		case err == nil && failing:
			l.log.Info("no longer: " + what)
		}
		if done {
			return
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// fill reads every show.
func (l *Levels) fill(ctx context.Context) error {
	if err := l.readRows(ctx); err != nil {
		return err
	}
	l.sort()
	if err := l.poll(ctx, l.order); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.complete = true
	return nil
}

// Poll asks Redis for the shows that are followed and for the next ones of the sweep.
func (l *Levels) Poll(ctx context.Context) error {
	l.sort()
	l.swept %= max(1, len(l.order))
	part := l.order[l.swept:min(len(l.order), l.swept+sweepShows)]
	l.swept += len(part)

	shows := l.stillFollowed()
	now := time.Now()
	l.mu.RLock()
	for _, show := range part {
		if until, ok := l.followed[show]; !ok || until.Before(now) {
			shows = append(shows, show)
		}
	}
	l.mu.RUnlock()
	// Of a Redis that hangs every shard would have to time out: requests are to know sooner that there is no use in asking.
	limited, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	err := l.poll(limited, shows)

	l.mu.Lock()
	defer l.mu.Unlock()
	l.failing = err != nil
	close(l.polled)
	l.polled = make(chan struct{})
	return err
}

// poll asks Redis for the levels of shows, and for the time.
func (l *Levels) poll(ctx context.Context, shows []int64) error {
	sent := time.Now()
	if len(shows) == 0 {
		at, err := l.ledger.client.Time(ctx).Result()
		if err != nil {
			return fmt.Errorf("read the time of Redis: %w", err)
		}
		l.note(at.UTC())
		return nil
	}
	first := true
	err := l.ledger.eachHash(ctx, shows, func(show int64, hash Hash, at time.Time) {
		if first {
			l.note(at)
			first = false
		}
		l.put(show, hash, sent, at)
	})
	if err != nil {
		return fmt.Errorf("read units left: %w", err)
	}
	return nil
}

func (l *Levels) note(redis time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock = clock{redis, time.Now()}
}

// put notes a hash, unless a younger one is known. It locks for one show at a time, so that no request waits for a sweep.
func (l *Levels) put(show int64, hash Hash, sent, asOf time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known, ok := l.board[show]; ok && known.at.Before(sent) {
		known.hash, known.at, known.asOf = hash, sent, asOf
		l.board[show] = known
	}
}

// rows asks MySQL for the shows that are followed, and for the next ones after the given id, new ones too; it returns how far it is.
func (l *Levels) rows(ctx context.Context, after int64) (int64, error) {
	next, err := l.store.after(ctx, after, sweepShows)
	if err != nil {
		return after, err
	}
	if after = 0; len(next) == sweepShows {
		after = next[sweepShows-1]
	}
	for part := range slices.Chunk(append(l.stillFollowed(), next...), sweepShows) {
		if err := l.readRows(ctx, part...); err != nil {
			return after, err
		}
	}
	return after, nil
}

// readRows reads the stock of the shows that there are, or of all shows when none is named.
func (l *Levels) readRows(ctx context.Context, shows ...int64) error {
	ctx, cancel := context.WithTimeout(ctx, rowsTimeout)
	defer cancel()
	rows, err := l.store.Rows(ctx, shows...)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for show, row := range rows {
		known, ok := l.board[show]
		if !ok {
			l.added = append(l.added, show)
		}
		if known.row.Epoch <= row.Epoch { // every change of capacity or limit raises the epoch
			known.row = row
			l.board[show] = known
		}
	}
	return nil
}

// stillFollowed returns the shows that are followed, and forgets those that nobody has asked for.
func (l *Levels) stillFollowed() []int64 {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.followed, func(_ int64, until time.Time) bool { return until.Before(now) })
	return slices.Collect(maps.Keys(l.followed))
}

// sort brings the order of the sweep up to date when shows have come.
func (l *Levels) sort() {
	l.mu.Lock()
	added := l.added
	l.added = nil
	l.mu.Unlock()
	if len(added) > 0 {
		l.order = append(l.order, added...)
		slices.Sort(l.order)
		l.order = slices.Compact(l.order) // one that was forgotten comes again
	}
}
