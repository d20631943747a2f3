package stock

import (
	"context"
	"time"
)

// CRC16 is the hash behind a key's cluster slot.
func CRC16(s string) uint16 { return crc16(s) }

// SetPatience sets how long a silent holder of a pause is respected and how long entries are waited for.
func (r *Resyncer) SetPatience(takeOver, drainFor time.Duration) {
	r.takeOver, r.drainFor = takeOver, drainFor
}

// SetPoll sets how often the server is asked who it is.
func (g *Guardian) SetPoll(poll time.Duration) { g.poll = poll }

// SetEvery sets how often a watch looks.
func (w *Watch) SetEvery(every time.Duration) { w.every = every }

// StepPause is pause.lua as a resync of that token runs it; it returns the hash's epoch.
func (r *Resyncer) StepPause(ctx context.Context, show int64, token, mode string) (int64, error) {
	held, err := r.pause(ctx, show, token, mode)
	return held.epoch, err
}

// StepRaise is step 4 of a resync; the row it returns is nil when the epoch is not the one read any more.
func (r *Resyncer) StepRaise(ctx context.Context, read Row, hashEpoch int64) (*Row, error) {
	fresh, _, err := newResync(r, read.Show).raise(ctx, read, hashEpoch, nil)
	return fresh, err
}

// StepBuild is the first half of step 5: the units per user, built under the token.
func (r *Resyncer) StepBuild(ctx context.Context, row Row, token string) (int, error) {
	return r.buildUsers(ctx, row, r.ledger.shards.Users(row.Show)+":"+token)
}

// StepLoad is all of step 5.
func (r *Resyncer) StepLoad(ctx context.Context, row Row, times SaleTimes, token string) error {
	s := newResync(r, row.Show)
	s.token = token
	_, err := s.load(ctx, row, times)
	return err
}
