package stock

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/neticket/neticket/internal/database"
)

const (
	// resyncWithin bounds all steps of a resync together.
	resyncWithin = 20 * time.Second
	// finishWithin bounds what a resync whose caller has gone still does once there is no way back.
	finishWithin = 5 * time.Second
)

// steps are one resync of one show, under a token of its own.
type steps struct {
	*Resyncer
	show       int64
	token      string
	change     *Change // nil: none, or refused
	refused    error   // why the change, or also, was not done: the show is resynced all the same, as it may be too late to give up
	unanswered bool    // a call of load.lua was not answered
	tries      int     // to store what belongs to it
	stored     bool    // the change is stored, or may be
	// also is done in the transaction that raises the epoch; it may return other sale times. nil: there is nothing to do, or it failed.
	also func(ctx context.Context, tx *sql.Tx, was Row, does Resynced) (*SaleTimes, error)
	// stopBeat ends the heartbeat; nil: there is none.
	stopBeat func()
	// commit has the caller's context count no more, as there is no way back from here. It returns false where that has ended.
	commit func() bool
}

func newResync(r *Resyncer, show int64) *steps {
	return &steps{Resyncer: r, show: show, token: rand.Text()}
}

// run goes through the steps until the show is loaded. The caller's context counts until the bump is said: from then on the
// show can only be loaded, and a caller who went away must not leave it paused.
func (s *steps) run(caller context.Context) (Resynced, error) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(caller), resyncWithin)
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil) // also ends what waits for the caller
	leave := context.AfterFunc(caller, func() { cancel(context.Cause(caller)) })
	defer func() { leave() }()
	s.commit = sync.OnceValue(func() bool {
		alive := leave()
		leave = context.AfterFunc(caller, func() {
			if sleep(ctx, finishWithin) {
				cancel(context.Cause(caller))
			}
		})
		return alive
	})
	paused := false
	var failed error
	defer func() {
		s.silence()
		if paused && failed != nil { // resume.lua itself refuses where there is no way back
			if err := s.resume(ctx, s.show, s.token); err != nil {
				s.log.Warn("a failed resync could not put its show back; it is taken over", "show", s.show, "error", err)
			}
		}
	}()
	for attempt := range 8 {
		if attempt > 0 && !sleep(ctx, time.Duration(attempt)*50*time.Millisecond) {
			break
		}
		row, err := s.store.Row(ctx, s.show) // before the pause: what is raised later is what was true before anything stopped
		if err != nil {
			if failed = err; !paused || errors.Is(err, ErrNoShow) {
				break
			}
			continue
		}
		held, err := s.pause(ctx, s.show, s.token, "")
		if err != nil {
			// The answer may be what was lost, and not the call.
			if failed = err; !paused && !errors.Is(err, ErrResyncRunning) {
				_ = s.resume(ctx, s.show, s.token) // at worst it is taken over
			}
			break
		}
		paused = true
		if s.stopBeat == nil {
			s.stopBeat = s.beat(ctx, s.show, s.token, cancel)
		}
		if held.lost {
			if err := s.makeAnew(ctx); err != nil {
				failed = err
				break
			}
		}
		result, again, err := s.reload(ctx, row, held)
		if err == nil && !again {
			failed = nil
			return result, s.refused
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
	if s.stored && errors.Is(failed, ErrResyncRunning) {
		failed = fmt.Errorf("the change may be stored: %v", failed) //nolint:errorlint // a caller who is told of another resync takes it that nothing was done
	}
	return Resynced{}, failed
}

// reload is steps 3 to 5 under the pause. again: begin once more at step 1.
func (s *steps) reload(ctx context.Context, row Row, held hold) (result Resynced, again bool, err error) {
	if !held.bumped {
		if err := s.drain(ctx, s.show, held); err != nil {
			return Resynced{}, false, err
		}
		if err := s.allowed(ctx); err != nil {
			return Resynced{}, false, err
		}
	}
	before, err := s.ledger.client.HGet(ctx, s.ledger.shards.Show(s.show), "left").Int()
	known := err == nil
	times, err := s.calendar.SaleTimes(ctx, s.show)
	if err != nil {
		return Resynced{}, true, err
	}
	if !s.commit() {
		return Resynced{}, false, context.Canceled
	}
	if held, err = s.pause(ctx, s.show, s.token, "bump"); err != nil {
		return Resynced{}, false, err
	}
	outcome := func(fresh Row) Resynced {
		after := fresh.Capacity - fresh.Reserved
		if !known {
			return Resynced{Before: after, After: after, Epoch: fresh.Epoch}
		}
		return Resynced{Before: before, After: after, Drift: before - (row.Capacity - fresh.Reserved), Epoch: fresh.Epoch}
	}
	fresh, changed, err := s.raise(ctx, row, held.epoch, outcome)
	s.stored = s.stored || s.change != nil && (fresh != nil || err != nil)
	if err != nil {
		return Resynced{}, true, err // perhaps committed: a second raise does no harm
	}
	if fresh == nil {
		return Resynced{}, true, nil
	}
	if changed != nil {
		times = *changed
	}
	again, err = s.load(ctx, *fresh, times)
	return outcome(*fresh), again, err
}

// makeAnew makes the shard's lost stream or group anew, once the shard's shows are distrusted: what they had in it is lost, so their
// counts never come to rest again, and whoever finds a stream has no way to know that it is another one.
func (s *steps) makeAnew(ctx context.Context) error {
	if _, err := s.ledger.Distrust(ctx, s.store, s.ledger.shards.Of(s.show)); err != nil {
		return err
	}
	_, err := s.pause(ctx, s.show, s.token, "make")
	return err
}

// silence ends the heartbeat.
func (s *steps) silence() {
	if s.stopBeat != nil {
		s.stopBeat()
		s.stopBeat = nil
	}
}

// allowed refuses a capacity below the confirmed units, while the show can still be put back to what it was.
func (s *steps) allowed(ctx context.Context) error {
	if s.change == nil {
		return nil
	}
	row, err := s.store.Row(ctx, s.show)
	if err == nil && s.change.Capacity < row.Reserved {
		err = &CapacityError{s.change.Capacity, row.Reserved}
	}
	return err
}

// raise commits the stock under a new epoch, with the change and what else there is, and returns it, or nil when the epoch is not
// the one read any more. What cannot be stored is dropped, and the caller begins again without it.
func (s *steps) raise(ctx context.Context, read Row, hashEpoch int64, outcome func(fresh Row) Resynced) (fresh *Row, changed *SaleTimes, err error) {
	var refused error
	err = database.Transact(ctx, s.db, func(tx *sql.Tx) error {
		fresh, changed, refused = nil, nil, nil
		rows, err := s.store.Lock(ctx, tx, []int64{s.show})
		if err != nil {
			return err
		}
		row, ok := rows[s.show]
		if !ok {
			return ErrNoShow
		}
		was := row
		if row.Reserved, err = s.confirmed.ConfirmedUnits(ctx, tx, s.show); err != nil {
			return err
		}
		if s.change != nil {
			if s.change.Capacity < row.Reserved {
				refused = &CapacityError{s.change.Capacity, row.Reserved}
				return refused
			}
			row.Capacity, row.Limit = s.change.Capacity, s.change.Limit
		}
		raised, err := s.store.raise(ctx, tx, read, hashEpoch, row)
		if err != nil || !raised {
			return err
		}
		row.Epoch = max(row.Epoch, hashEpoch) + 1
		if s.also != nil {
			if changed, err = s.also(ctx, tx, was, outcome(row)); err != nil {
				err = fmt.Errorf("store what belongs to it: %w", err)
				if s.tries++; s.tries == 3 { // whatever it is, it stays
					refused = err
				}
				return err
			}
		}
		fresh = &row
		return nil
	})
	if refused != nil {
		s.change, s.also, s.refused = nil, nil, refused
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return fresh, changed, nil
}
