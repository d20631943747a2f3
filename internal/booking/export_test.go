package booking

import (
	"context"

	"github.com/google/uuid"
)

// Join returns a channel that gets a value whenever the reservation was settled, until leave is called.
func (w *Waiters) Join(id uuid.UUID) (woken <-chan struct{}, leave func()) { return w.join(id) }

// RereadEvery is how often a waiting request looks again by itself.
const RereadEvery = rereadEvery

// Commit records entries in one transaction, without settling them.
func (r *Recorder) Commit(ctx context.Context, entries []Entry) ([]Decision, error) {
	return r.commit(ctx, entries, false)
}
