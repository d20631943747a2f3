package stock

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/neticket/neticket/internal/database"
)

var (
	// ErrResyncRunning: another resync holds the show and its holder is alive.
	ErrResyncRunning = errors.New("a resync of the show is running")
	// ErrNotDrained: entries of the show were not recorded in time, so it was left as it was.
	ErrNotDrained = errors.New("entries of the show are still being recorded")
	// errRobbed: another resync took the show over, because this one was silent for too long.
	errRobbed = errors.New("another resync took the show over")
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
	// ConfirmedUnits sums them up in the transaction that holds the lock on the show's stock.
	ConfirmedUnits(ctx context.Context, tx *sql.Tx, show int64) (int, error)
	// ConfirmedByUser calls each with every user who holds some.
	ConfirmedByUser(ctx context.Context, show int64, each func(user int64, units int) error) error
}

// Drainer records what lies in a shard's stream, for a time in which no worker lives.
type Drainer interface {
	Drain(ctx context.Context, shard int) error
}

// Resyncer sets a show's hash anew from MySQL, under a new epoch, while the show may be on sale. Its steps and why they are
// in this order stand in docs/architecture.md, "Resync".
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

// NewResyncer returns a resyncer. A silent holder of a pause is respected for 10 s, entries are waited for 5 s.
func NewResyncer(ledger *Ledger, db *sql.DB, calendar Calendar, confirmed Confirmed, drainer Drainer, o Observers) *Resyncer {
	return &Resyncer{
		ledger: ledger, db: db, store: NewStore(db), calendar: calendar, confirmed: confirmed, drainer: drainer,
		log: o.Log, metrics: newResyncMetrics(o.Registry), takeOver: 10 * time.Second, drainFor: 5 * time.Second,
	}
}

// Resynced is what a resync did to the units left.
type Resynced struct {
	Before int // in Redis; of a show that was not loaded: 0
	After  int
	Epoch  int64
}

// hold is what pause.lua knows of a show.
type hold struct {
	epoch        int64 // 0: the hash had none
	seq, settled int64
	made         bool // the stream or its group was missing
	bumped       bool // a new epoch may be in MySQL: there is no way back
}

// Resync runs all steps for one show. cause is a short word for the metrics, such as "unloaded". After ErrResyncRunning and
// ErrNotDrained the show is as it was; after any other error it may stay paused until somebody takes it over.
func (r *Resyncer) Resync(ctx context.Context, show int64, cause string) (Resynced, error) {
	result, err := r.resync(ctx, show)
	r.metrics.count(cause, err)
	if err != nil {
		return Resynced{}, fmt.Errorf("resync of show %d: %w", show, err)
	}
	r.log.Info("show loaded under a new epoch", "show", show, "cause", cause, "epoch", result.Epoch,
		"left_before", result.Before, "left", result.After)
	return result, nil
}

func (r *Resyncer) resync(ctx context.Context, show int64) (Resynced, error) {
	token := rand.Text()
	var stopBeat func()
	var failed error
	defer func() {
		if stopBeat == nil {
			return
		}
		stopBeat()
		if failed != nil { // resume.lua itself refuses where there is no way back
			if err := r.resume(ctx, show, token); err != nil {
				r.log.Warn("a failed resync could not put its show back; it is taken over in 10 s", "show", show, "error", err)
			}
		}
	}()
	for attempt := range 8 {
		if attempt > 0 && !sleep(ctx, time.Duration(attempt)*50*time.Millisecond) {
			break
		}
		row, err := r.store.Row(ctx, show) // before the pause: what is raised later is what was true before anything stopped
		if err != nil {
			if failed = err; stopBeat == nil || errors.Is(err, ErrNoShow) {
				break
			}
			continue
		}
		held, err := r.pause(ctx, show, token, "")
		if err != nil {
			// The answer may be what was lost, and not the call.
			if failed = err; stopBeat == nil && !errors.Is(err, ErrResyncRunning) && !errors.Is(err, errRobbed) {
				_ = r.resume(ctx, show, token) // at worst it is taken over in 10 s
			}
			break
		}
		if stopBeat == nil {
			ctx, stopBeat = r.beat(ctx, show, token)
		}
		if held.made {
			if err := r.distrustOthers(ctx, show); err != nil {
				failed = err
				break
			}
		}
		result, again, err := r.reload(ctx, row, held, token)
		if err == nil && !again {
			failed = nil
			return result, nil
		}
		if failed = err; !again {
			break
		}
	}
	if cause := context.Cause(ctx); failed == nil || errors.Is(cause, errRobbed) {
		failed = cause
	}
	if failed == nil {
		failed = errors.New("other resyncs came in between too often")
	}
	return Resynced{}, failed
}

// reload is steps 3 to 5 under a pause that token holds. again: begin once more at step 1.
func (r *Resyncer) reload(ctx context.Context, row Row, held hold, token string) (result Resynced, again bool, err error) {
	if !held.bumped {
		if err := r.drain(ctx, row.Show, held); err != nil {
			return Resynced{}, false, err
		}
	}
	before, err := r.ledger.client.HGet(ctx, r.ledger.shards.Show(row.Show), "left").Int()
	if err != nil {
		before = 0
	}
	times, err := r.calendar.SaleTimes(ctx, row.Show)
	if err != nil {
		return Resynced{}, true, err
	}
	if held, err = r.pause(ctx, row.Show, token, "bump"); err != nil {
		return Resynced{}, false, err
	}
	fresh, err := r.raise(ctx, row, held.epoch)
	if err != nil {
		return Resynced{}, true, err // perhaps committed: a second raise does no harm
	}
	if fresh == nil {
		return Resynced{}, true, nil
	}
	again, err = r.load(ctx, *fresh, times, token)
	return Resynced{Before: before, After: fresh.Capacity - fresh.Reserved, Epoch: fresh.Epoch}, again, err
}

// pause calls pause.lua; mode is "", "beat" or "bump".
func (r *Resyncer) pause(ctx context.Context, show int64, token, mode string) (hold, error) {
	keys := []string{r.ledger.shards.Show(show), r.ledger.shards.Entries(r.ledger.shards.Of(show))}
	reply, err := run(ctx, r.ledger.client, r.ledger.scripts.pause, keys, token, r.ledger.options.Group, r.takeOver.Milliseconds(), mode)
	if err != nil {
		return hold{}, fmt.Errorf("pause: %w", err)
	}
	switch reply.word() {
	case "ok":
		return hold{epoch: reply.number(1), seq: reply.number(2), settled: reply.number(3), bumped: reply.text(4) == "1", made: reply.text(5) == "1"}, nil
	case "running":
		return hold{}, ErrResyncRunning
	}
	return hold{}, errRobbed
}

// beat stays the holder of a pause until the returned function is called. The context ends with errRobbed when another took it.
func (r *Resyncer) beat(ctx context.Context, show int64, token string) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for sleep(ctx, r.takeOver/10) {
			if _, err := r.pause(ctx, show, token, "beat"); errors.Is(err, errRobbed) {
				cancel(errRobbed)
				return
			}
		}
	}()
	return ctx, func() { cancel(nil); <-done }
}

// resume gives a resync up: the show is again what it was, unless a new epoch may be in MySQL already.
func (r *Resyncer) resume(ctx context.Context, show int64, token string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	_, err := run(ctx, r.ledger.client, r.ledger.scripts.resume, []string{r.ledger.shards.Show(show)}, token)
	return err
}

// raise commits the stock under a new epoch and returns it, or nil when the epoch is not the one read any more.
func (r *Resyncer) raise(ctx context.Context, read Row, hashEpoch int64) (*Row, error) {
	var fresh *Row
	err := database.Transact(ctx, r.db, func(tx *sql.Tx) error {
		rows, err := r.store.Lock(ctx, tx, []int64{read.Show})
		if err != nil {
			return err
		}
		row, ok := rows[read.Show]
		if !ok {
			return ErrNoShow
		}
		row.Reserved, err = r.confirmed.ConfirmedUnits(ctx, tx, read.Show)
		if err != nil {
			return err
		}
		raised, err := r.store.raise(ctx, tx, read, hashEpoch, row.Reserved, row.Capacity, row.Limit)
		if err != nil || !raised {
			return err
		}
		row.Epoch = max(row.Epoch, hashEpoch) + 1
		fresh = &row
		return nil
	})
	if err != nil {
		return nil, err
	}
	return fresh, nil
}

// sleep waits and reports whether the context is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// distrustOthers unloads the other shows of a show's shard, whose stream was lost: what they had in it is gone, so their counts
// never come to rest again.
func (r *Resyncer) distrustOthers(ctx context.Context, show int64) error {
	rows, err := r.store.Rows(ctx)
	if err != nil {
		return err
	}
	shards := r.ledger.shards
	for other := range rows {
		if other == show || shards.Of(other) != shards.Of(show) {
			continue
		}
		if err := r.ledger.scripts.unload.Run(ctx, r.ledger.client, []string{shards.Show(other)}).Err(); err != nil {
			return fmt.Errorf("distrust show %d, whose stream was lost: %w", other, err)
		}
	}
	return nil
}
