package stock

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"time"
)

// Edits knows which shows were changed.
type Edits interface {
	// ChangedSince returns the sale times of the shows that were changed at t or later, and the database's time before it
	// looked. A change whose transaction was open at that time may be missing.
	ChangedSince(ctx context.Context, t time.Time) (map[int64]SaleTimes, time.Time, error)
}

// Watch looks every second for what is stuck and would wait for the next request, which may never come: shows that were left
// paused, or unloaded with reservations that wait for an outcome; streams and groups that are gone; sale times that an API
// stored and died before it told Redis. (Entries without an owner are seen by every worker as often.) Two do no harm.
type Watch struct {
	ledger *Ledger
	store  *Store
	healer *Healer
	edits  Edits
	log    *slog.Logger
	every  time.Duration

	after  int64           // the last show that was looked at
	edited time.Time       // how far changes were read
	told   map[int64]int64 // the version of a show's sale times that Redis was told
}

const (
	// watched is how many shows are looked at in a second, so that 100,000 cost Redis no more: below 1 % of its time. One
	// that is asked for does not wait for its turn: the request has it taken over.
	watched = 2000
	// editOverlap is how much longer than its stamp a change's transaction may be open.
	editOverlap = 10 * time.Second
)

// NewWatch returns a watch that looks every second.
func NewWatch(ledger *Ledger, store *Store, healer *Healer, edits Edits, log *slog.Logger) *Watch {
	return &Watch{ledger: ledger, store: store, healer: healer, edits: edits, log: log, every: time.Second,
		told: map[int64]int64{}}
}

// Run looks until the context ends.
func (w *Watch) Run(ctx context.Context) error {
	for failures := 0; sleep(ctx, w.every); {
		err := w.Look(ctx)
		if failures++; err == nil {
			failures = 0
		} else if failures%60 == 1 && ctx.Err() == nil {
			w.log.Warn("nobody looks after stuck shows; tried again every second", "failures", failures, "error", err)
		}
	}
	return nil
}

// Look looks once.
func (w *Watch) Look(ctx context.Context) error {
	shows, err := w.store.after(ctx, w.after, watched)
	if err != nil {
		return err
	}
	w.after = 0
	if len(shows) == watched {
		w.after = shows[watched-1]
	}
	open := map[int]bool{} // shards
	faults := []error{w.ledger.eachHash(ctx, shows, func(show int64, hash Hash, at time.Time) {
		if hash.Stuck(at, w.healer.resyncer.takeOver) {
			w.healer.Want(show, CauseStuck, 0)
		}
		if hash.State == "open" {
			open[w.ledger.shards.Of(show)] = true
		}
	})}
	for shard := range open {
		faults = append(faults, w.stream(ctx, shard))
	}
	return errors.Join(append(faults, w.edit(ctx))...)
}

// stream distrusts the shows of a shard that sells, though its stream or group is gone.
func (w *Watch) stream(ctx context.Context, shard int) error {
	shows, err := w.ledger.DistrustLost(ctx, w.store, shard)
	if err == nil && shows > 0 {
		w.log.Warn("a shard's stream or group is gone; its shows are loaded anew", "shard", shard, "shows", shows)
	}
	return err
}

// edit tells Redis the sale times of shows that were changed lately; it ignores those that it has.
func (w *Watch) edit(ctx context.Context) error {
	changed, asOf, err := w.edits.ChangedSince(ctx, w.edited)
	if err != nil {
		return err
	}
	maps.DeleteFunc(changed, func(show int64, times SaleTimes) bool { return w.told[show] == times.Version })
	if err := w.ledger.edits(ctx, changed); err != nil {
		return err
	}
	for show, times := range changed {
		w.told[show] = times.Version
	}
	w.edited = asOf.Add(-editOverlap)
	return nil
}
