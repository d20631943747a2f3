package stock

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Healer has shows resynced that somebody found wrong, one at a time. One whose figures were wrong is resynced at most once a
// minute, then after two minutes, four, and so on, so that a fault which a resync does not mend cannot keep a show paused. One
// that is stuck is off sale as it is: it is tried each time somebody asks, and less often only while that fails.
type Healer struct {
	resyncer *Resyncer
	auditor  *Auditor
	log      *slog.Logger

	mu     sync.Mutex
	wanted map[int64]wish // by show
	wake   chan struct{}
	state  map[fault]healed
}

// wish is why a show should be resynced, and MySQL's epoch of it when that was seen.
type wish struct {
	cause string
	epoch int64
}

// fault is what a show is resynced for; those that are found by their figures are one.
type fault struct {
	show  int64
	stuck bool
}

type healed struct {
	next  time.Time
	delay time.Duration
}

// NewHealer returns a healer.
func NewHealer(resyncer *Resyncer, log *slog.Logger) *Healer {
	return &Healer{resyncer: resyncer, auditor: NewAuditor(resyncer.ledger, resyncer.store), log: log,
		wanted: map[int64]wish{}, wake: make(chan struct{}, 1), state: map[fault]healed{}}
}

// Want asks for a resync of a show. It returns at once. The epoch is MySQL's when the fault was seen: a show of which that is
// another by now was resynced since, perhaps by another process that saw the same. It counts for faults of figures alone.
func (h *Healer) Want(show int64, cause string, epoch int64) {
	h.mu.Lock()
	if known := h.wanted[show]; known.cause != CauseSoldOut || known.epoch < epoch {
		h.wanted[show] = wish{cause, epoch}
	}
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Run resyncs what is wanted until the context ends.
func (h *Healer) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.wake:
		}
		h.mu.Lock()
		wanted := h.wanted
		h.wanted = map[int64]wish{}
		h.mu.Unlock()
		for show, wish := range wanted {
			h.heal(ctx, show, wish)
		}
	}
}

func (h *Healer) heal(ctx context.Context, show int64, w wish) {
	f := fault{show, w.cause == CauseStuck}
	now, state := time.Now(), h.state[f]
	if now.Before(state.next) || !h.due(ctx, show, w) {
		return // whoever sees the fault again asks again
	}
	if now.Sub(state.next) > time.Hour {
		state.delay = 0
	}
	_, err := h.resyncer.Resync(ctx, show, w.cause)
	switch {
	case errors.Is(err, ErrResyncRunning): // by somebody else
		return
	case err != nil && ctx.Err() == nil:
		h.log.Error("a show whose stock is wrong could not be resynced; it is tried again when the fault is seen again",
			"show", show, "cause", w.cause, "error", err)
	case f.stuck:
		delete(h.state, f)
		return
	}
	first, most := time.Minute, time.Hour
	if f.stuck {
		first, most = time.Second, time.Minute // its reservations wait for an answer
	}
	state.delay = min(max(first, 2*state.delay), most)
	state.next = now.Add(state.delay)
	h.state[f] = state
}

// due reports whether what somebody saw is still so: since then a request may have had the show loaded.
func (h *Healer) due(ctx context.Context, show int64, w wish) bool {
	cuts, err := h.auditor.Cuts(ctx, show)
	cut, ok := cuts[show]
	if err != nil || !ok {
		return false // whoever sees it again asks again
	}
	switch w.cause {
	case CauseStuck:
		return cut.Hash.Stuck(cut.At, h.resyncer.takeOver)
	case CauseEpoch: // none of what it sells could be confirmed
		return cut.Hash.State == "open" && cut.Hash.Epoch < cut.Row.Epoch
	case CauseDrift:
		return cut.Row.Epoch == w.epoch && (!cut.Conclusive || !cut.Agrees())
	}
	return cut.Row.Epoch == w.epoch
}
