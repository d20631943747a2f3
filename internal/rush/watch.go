package rush

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/neticket/neticket/internal/system"
)

const (
	lookEvery  = 100 * time.Millisecond
	drainEvery = 10 * time.Millisecond
	// stuckAfter is how long nothing may be recorded before the backlog counts as stuck. The entries of a dead worker are taken
	// over after 5 s.
	stuckAfter = 30 * time.Second
)

// watch follows how many of the bookings are recorded.
type watch struct {
	system *system.System
	show   int64
	began  time.Time

	recorded atomic.Int64 // confirmed units in MySQL
	waiting  atomic.Int64 // entries

	recordedAfter time.Duration // from began until nothing waited; 0: that never was
}

// errStuck says that bookings are not recorded. What that means is for the checks to say.
var errStuck = errors.New("nothing is recorded any more")

// look follows until ctx ends. What cannot be read is read again: a rush may be what keeps the servers busy.
func (w *watch) look(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			_, _ = w.once(ctx)
		}
	}
}

// once looks once, and returns how many entries wait.
func (w *watch) once(ctx context.Context) (waiting int64, err error) {
	cuts, err := w.system.Auditor.Cuts(ctx, w.show)
	if err != nil {
		return 0, err
	}
	cut, ok := cuts[w.show]
	if !ok {
		return 0, fmt.Errorf("show %d has no stock", w.show)
	}
	w.recorded.Store(int64(cut.Row.Reserved))
	w.waiting.Store(cut.Hash.Pending())
	return cut.Hash.Pending(), nil
}

// drain waits until every entry is settled, or nothing is recorded for stuckAfter: then it returns errStuck.
func (w *watch) drain(ctx context.Context) error {
	moved, last := time.Now(), int64(-1)
	for {
		waiting, err := w.once(ctx)
		switch {
		case err == nil && waiting == 0:
			w.recordedAfter = time.Since(w.began)
			return nil
		case err == nil && waiting != last:
			moved, last = time.Now(), waiting
		case time.Since(moved) > stuckAfter:
			return errors.Join(errStuck, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(drainEvery):
		}
	}
}

// progress is for people.
func (w *watch) progress() string {
	return Thousands(int(w.recorded.Load())) + " recorded, " + Thousands(int(w.waiting.Load())) + " to go"
}
