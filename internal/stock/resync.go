package stock

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

var (
	// ErrResyncRunning: another resync holds the show and its holder is alive.
	ErrResyncRunning = errors.New("a resync of the show is running")
	// ErrNotDrained: entries of the show were not recorded in time, so it was left as it was.
	ErrNotDrained = errors.New("entries of the show are still being recorded")
	// errRobbed: another resync took the show over, because this one was silent for too long.
	errRobbed = fmt.Errorf("%w: it took the show over", ErrResyncRunning)
)

// CapacityError says that a capacity is below the units that are confirmed.
type CapacityError struct{ Capacity, Reserved int }

func (e *CapacityError) Error() string {
	return fmt.Sprintf("a capacity of %d is below the %d confirmed units", e.Capacity, e.Reserved)
}

// Why a show is resynced, as the metrics call it.
const (
	CauseUnloaded = "unloaded" // a request met it so
	CauseSoldOut  = "sold_out" // more units were sold than there are
	CauseEpoch    = "epoch"    // an entry of an older epoch was met: its show may still be sold under that
	CauseStuck    = "stuck"    // it stays paused, or unloaded with entries that were never recorded
	CauseDrift    = "drift"    // an audit found it wrong
	CauseUsers    = "users"    // an audit found its units per user wrong
	CauseAdmin    = "admin"    // somebody asked for it
	CauseTerms    = "terms"    // its capacity or limit changes
)

// SaleTimes is when a show can be booked and cancelled. Of two, the higher version is the newer one.
type SaleTimes struct {
	Version               int64
	Opens, Closes, Starts time.Time
}

// Calendar knows the sale times of shows.
type Calendar interface {
	// SaleTimes reads them from the database, not from a memory of it.
	SaleTimes(ctx context.Context, show int64) (SaleTimes, error)
}

// Confirmed knows the confirmed units of shows.
type Confirmed interface {
	// ConfirmedUnits sums them up in a transaction; where that holds the lock on the show's stock, they stay so.
	ConfirmedUnits(ctx context.Context, tx *sql.Tx, show int64) (int, error)
	// ConfirmedByUser calls each with every user who holds some.
	ConfirmedByUser(ctx context.Context, show int64, each func(user int64, units int) error) error
}

// Drainer records what lies in a shard's stream, for a time in which no worker lives.
type Drainer interface {
	Drain(ctx context.Context, shard int) error
}

// Resyncer sets a show's hash anew from MySQL, under a new epoch, while the show may be on sale. Its steps and why they are
// in this order stand in docs/architecture.md, "Load and resync".
type Resyncer struct {
	ledger    *Ledger
	db        *sql.DB
	store     *Store
	calendar  Calendar
	confirmed Confirmed
	drainer   Drainer
	log       *slog.Logger
	metrics   *resyncMetrics
	// takeOver is how long a silent holder of a pause is respected. drainFor is how long entries are waited for.
	takeOver, drainFor time.Duration
}

// NewResyncer returns a resyncer. A silent holder of a pause is respected for takeOver, entries are waited for 5 s.
func NewResyncer(ledger *Ledger, db *sql.DB, calendar Calendar, confirmed Confirmed, drainer Drainer, takeOver time.Duration, o Observers) *Resyncer {
	return &Resyncer{
		ledger: ledger, db: db, store: NewStore(db), calendar: calendar, confirmed: confirmed, drainer: drainer,
		log: o.Log, metrics: newResyncMetrics(o.Registry), takeOver: takeOver, drainFor: 5 * time.Second,
	}
}

// Resynced is what a resync did to the units left.
type Resynced struct {
	Before int // in Redis; of a show that Redis did not know: as After
	After  int
	// Drift is by how many units Redis was above what the show's capacity and confirmed units leave.
	Drift int
	Epoch int64
}

// Change is what a resync carries into the transaction that raises the epoch.
type Change struct {
	Capacity int
	Limit    int // units per person; 0: none
	// Also writes what belongs to the change, in that transaction, and returns the sale times that it leaves. It is told the row that
	// was. Where the answer of the commit was lost, it is done once more.
	Also func(ctx context.Context, tx *sql.Tx, was Row) (SaleTimes, error)
}

// Note writes down what a resync does, in the transaction that raises the epoch. Where the answer of the commit was lost, or Redis
// was ahead, it is done once more.
type Note func(ctx context.Context, tx *sql.Tx, does Resynced) error

// Resync runs all steps for one show. After ErrResyncRunning and ErrNotDrained the show is as it was; after any other error
// it may stay paused until somebody takes it over.
func (r *Resyncer) Resync(ctx context.Context, show int64, cause string) (Resynced, error) {
	return r.run(ctx, newResync(r, show), cause)
}

// ResyncNoted is Resync for somebody who is to be held to it. Where the note cannot be written, it is too late to give up: the show
// is loaded all the same, and the error returned.
func (r *Resyncer) ResyncNoted(ctx context.Context, show int64, cause string, note Note) (Resynced, error) {
	s := newResync(r, show)
	s.also = func(ctx context.Context, tx *sql.Tx, _ Row, does Resynced) (*SaleTimes, error) {
		return nil, note(ctx, tx, does)
	}
	return r.run(ctx, s, cause)
}

// Change resyncs a show under another capacity and limit. It returns a *CapacityError where more units are confirmed than the
// new capacity; after that the show is on sale as before. Else see Resync.
func (r *Resyncer) Change(ctx context.Context, show int64, change Change) (Resynced, error) {
	s := newResync(r, show)
	s.change = &change
	if change.Also != nil {
		s.also = func(ctx context.Context, tx *sql.Tx, was Row, _ Resynced) (*SaleTimes, error) {
			times, err := change.Also(ctx, tx, was)
			return &times, err
		}
	}
	return r.run(ctx, s, CauseTerms)
}

func (r *Resyncer) run(ctx context.Context, s *steps, cause string) (Resynced, error) {
	result, err := s.run(ctx)
	r.metrics.count(cause, err)
	if err != nil {
		return Resynced{}, fmt.Errorf("resync of show %d: %w", s.show, err)
	}
	r.log.Info("show loaded under a new epoch", "show", s.show, "cause", cause, "epoch", result.Epoch,
		"left_before", result.Before, "left", result.After, "drift", result.Drift)
	return result, nil
}
