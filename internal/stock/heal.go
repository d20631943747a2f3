package stock

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Healer has shows resynced that somebody found wrong: one at a time, and each at most once a minute, then after two
// minutes, four, and so on, so that a fault which a resync does not mend cannot keep a show paused.
type Healer struct {
	resyncer *Resyncer
	log      *slog.Logger

	mu     sync.Mutex
	wanted map[int64]string // show -> cause
	wake   chan struct{}
	state  map[int64]healed
}

type healed struct {
	next  time.Time
	delay time.Duration
}

// NewHealer returns a healer.
func NewHealer(resyncer *Resyncer, log *slog.Logger) *Healer {
	return &Healer{resyncer: resyncer, log: log, wanted: map[int64]string{}, wake: make(chan struct{}, 1), state: map[int64]healed{}}
}

// Want asks for a resync of a show. It returns at once.
func (h *Healer) Want(show int64, cause string) {
	h.mu.Lock()
	if h.wanted[show] != CauseSoldOut {
		h.wanted[show] = cause
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
		h.wanted = map[int64]string{}
		h.mu.Unlock()
		for show, cause := range wanted {
			h.heal(ctx, show, cause)
		}
	}
}

func (h *Healer) heal(ctx context.Context, show int64, cause string) {
	if !h.due(ctx, show, cause) {
		return
	}
	now, state := time.Now(), h.state[show]
	if now.Before(state.next) {
		return // whoever sees the fault again asks again
	}
	if now.Sub(state.next) > time.Hour {
		state.delay = 0
	}
	state.delay = max(time.Minute, 2*state.delay)
	state.next = now.Add(state.delay)
	h.state[show] = state
	_, err := h.resyncer.Resync(ctx, show, cause)
	if errors.Is(err, ErrResyncRunning) {
		state.next = now // nothing was done
		h.state[show] = state
		return
	}
	if err != nil && ctx.Err() == nil {
		h.log.Error("a show whose stock is wrong could not be resynced; it is tried again when the fault is seen again",
			"show", show, "cause", cause, "error", err)
	}
}

// due reports whether what somebody saw is still so: since then a request may have had the show loaded.
func (h *Healer) due(ctx context.Context, show int64, cause string) bool {
	if cause == CauseSoldOut {
		return true
	}
	row, err := h.resyncer.store.Row(ctx, show)
	if err != nil {
		return false // whoever sees it again asks again
	}
	hashes, _, err := h.resyncer.ledger.hashes(ctx, []int64{show})
	if err != nil {
		return false
	}
	if cause == CauseStuck {
		return hashes[show].Stuck()
	}
	return hashes[show].State == "open" && hashes[show].Epoch < row.Epoch // none of what it sells could be confirmed
}
