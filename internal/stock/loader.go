package stock

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Loader loads shows that a request found unloaded or stuck: once at a time for each show, whoever asks.
type Loader struct {
	resyncer *Resyncer
	flight   singleflight.Group
	running  sync.WaitGroup
	ending   context.Context // ends soon after Wait is called
	end      context.CancelFunc

	mu   sync.Mutex
	last map[int64]time.Time // when a show was last taken in hand without being asked for it by its state
}

// NewLoader returns a loader.
func NewLoader(resyncer *Resyncer) *Loader {
	ending, end := context.WithCancel(context.Background())
	return &Loader{resyncer: resyncer, ending: ending, end: end, last: map[int64]time.Time{}}
}

// Load returns when the show is loaded, by this process or another, or with an ErrUnloaded at the context's end; loading goes on.
// garbled: its hash says that it is open, and a script could not read it.
func (l *Loader) Load(ctx context.Context, show int64, garbled bool) error {
	if garbled && !l.due(show) {
		return ErrUnloaded // mended a moment ago, or being mended
	}
	key := strconv.FormatInt(show, 10)
	l.running.Add(1) // here, by everyone who waits: in the flight it might come after Wait has looked
	done := l.flight.DoChan(key, func() (any, error) {
		ctx, cancel := l.within(ctx, loadWithin)
		defer cancel()
		err := l.load(ctx, show, garbled)
		if err != nil && !errors.Is(err, ErrNoShow) && !errors.Is(err, ErrResyncRunning) { // once, not for each who waits
			l.resyncer.log.Warn("a show could not be loaded; the next request tries again", "show", show, "error", err)
		}
		return nil, err
	})
	select {
	case <-ctx.Done():
		go func() { <-done; l.running.Done() }() // Wait waits for it
		return ErrUnloaded
	case result := <-done:
		l.running.Done()
		switch {
		case result.Err == nil, errors.Is(result.Err, ErrNoShow):
			return result.Err
		case errors.Is(result.Err, ErrResyncRunning):
			return ErrPaused
		}
		return ErrUnloaded
	}
}

func (l *Loader) load(ctx context.Context, show int64, garbled bool) error {
	if !garbled {
		ready, err := l.ready(ctx, show)
		if ready || err != nil {
			return err
		}
	}
	_, err := l.resyncer.Resync(ctx, show, CauseUnloaded)
	for errors.Is(err, ErrResyncRunning) { // by another process: its work is ours
		if !sleep(ctx, 20*time.Millisecond) {
			return err
		}
		ready, readyErr := l.ready(ctx, show)
		if readyErr != nil {
			return readyErr
		}
		if ready {
			return nil
		}
		_, err = l.resyncer.Resync(ctx, show, CauseUnloaded)
	}
	return err
}

// ready reports whether a show is open and its stream is there.
func (l *Loader) ready(ctx context.Context, show int64) (bool, error) {
	ledger := l.resyncer.ledger
	pipe := ledger.client.Pipeline()
	state := pipe.HGet(ctx, ledger.shards.Show(show), "state")
	stream := pipe.Exists(ctx, ledger.shards.Entries(ledger.shards.Of(show)))
	if _, err := pipe.Exec(ctx); err != nil && state.Val() == "" && stream.Err() != nil {
		return false, err
	}
	return state.Val() == "open" && stream.Val() == 1, nil
}

// loadWithin bounds the loading of a show, whoever waits for it.
const loadWithin = 20 * time.Second

// within is for work that goes on without its caller, for a time, or until the loader ends.
func (l *Loader) within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d)
	stop := context.AfterFunc(l.ending, cancel)
	return ctx, func() { stop(); cancel() }
}

// reopenWait is how long a request waits for a paused show. Loading one that nothing happens on takes a tenth of it, so the
// crowd that comes while a show is loaded gets in; a resync in the middle of a sale drains first and may take longer.
const reopenWait = 300 * time.Millisecond

// Reopened waits for a moment and reports whether a show that was found paused is open again. Where it is not, and its
// holder is dead, it is taken over in the background.
func (l *Loader) Reopened(ctx context.Context, show int64) bool {
	l.running.Add(1)
	done := l.flight.DoChan("reopened "+strconv.FormatInt(show, 10), func() (any, error) {
		ctx, cancel := l.within(ctx, reopenWait)
		defer cancel()
		for sleep(ctx, 10*time.Millisecond) {
			if ready, err := l.ready(ctx, show); ready || err != nil {
				return ready, err
			}
		}
		l.takeOver(ctx, show)
		return false, nil
	})
	select {
	case <-ctx.Done():
		go func() { <-done; l.running.Done() }() // Wait waits for it
		return false
	case result := <-done:
		l.running.Done()
		return result.Err == nil && result.Val == true
	}
}

// takeOver looks after a show that stays paused: where its holder is dead, it is loaded. It returns at once and does nothing
// when it did so within the last second.
func (l *Loader) takeOver(ctx context.Context, show int64) {
	if !l.due(show) {
		return
	}
	l.running.Go(func() {
		ctx, cancel := l.within(ctx, loadWithin)
		defer cancel()
		ledger := l.resyncer.ledger
		if hashes, at, err := ledger.hashes(ctx, []int64{show}); err != nil || !hashes[show].Stuck(at, l.resyncer.takeOver) {
			return // its holder is alive, or done in the meantime
		}
		_, err := l.resyncer.Resync(ctx, show, CauseStuck)
		if err != nil && !errors.Is(err, ErrResyncRunning) {
			l.resyncer.log.Warn("a paused show could not be taken over; the next request tries again", "show", show, "error", err)
		}
	})
}

// waitGrace is how long a process that ends lets shows be loaded as if it did not.
const waitGrace = time.Second

// Wait returns when nothing is being loaded; from then on nothing can be. What takes long is given up, where that is possible.
func (l *Loader) Wait() {
	defer time.AfterFunc(waitGrace, l.end).Stop()
	defer l.end()
	l.running.Wait()
}

func (l *Loader) due(show int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.last[show]) < time.Second {
		return false
	}
	if len(l.last) > 10000 {
		clear(l.last)
	}
	l.last[show] = now
	return true
}
