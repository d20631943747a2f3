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
	wanted map[int64]string // show -> cause
	wake   chan struct{}
	state  map[fault]healed
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
		wanted: map[int64]string{}, wake: make(chan struct{}, 1), state: map[fault]healed{}}
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
	f := fault{show, cause == CauseStuck}
	now, state := time.Now(), h.state[f]
	if now.Before(state.next) || !h.due(ctx, show, cause) {
		return // whoever sees the fault again asks again
	}
	if now.Sub(state.next) > time.Hour {
		state.delay = 0
	}
	_, err := h.resyncer.Resync(ctx, show, cause)
	switch {
	case errors.Is(err, ErrResyncRunning): // by somebody else
		return
	case err != nil && ctx.Err() == nil:
		h.log.Error("a show whose stock is wrong could not be resynced; it is tried again when the fault is seen again",
			"show", show, "cause", cause, "error", err)
	case f.stuck:
		delete(h.state, f)
		return
	}
	first := time.Minute
	if f.stuck {
		first = time.Second
	}
	state.delay = min(max(first, 2*state.delay), time.Hour)
	state.next = now.Add(state.delay)
	h.state[f] = state
}

// due reports whether what somebody saw is still so: since then a request may have had the show loaded.
func (h *Healer) due(ctx context.Context, show int64, cause string) bool {
	if cause == CauseSoldOut {
		return true
	}
	cuts, err := h.auditor.Cuts(ctx, show)
	cut, ok := cuts[show]
	if err != nil || !ok {
		return false // whoever sees it again asks again
	}
	switch cause {
	case CauseStuck:
		return cut.Hash.Stuck()
	case CauseEpoch: // none of what it sells could be confirmed
		return cut.Hash.State == "open" && cut.Hash.Epoch < cut.Row.Epoch
	}
	return !cut.Conclusive || !cut.Agrees()
}
