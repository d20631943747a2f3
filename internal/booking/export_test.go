package booking

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Join returns a channel that gets a value whenever the reservation was settled, until leave is called.
func (w *Waiters) Join(id uuid.UUID) (woken <-chan struct{}, leave func()) { return w.join(id) }

// RereadEvery is how often a waiting request looks again by itself.
const RereadEvery = rereadEvery

// FindWithin sets how long a request waits for the servers that tell what became of its claim.
func (b *BoxOffice) FindWithin(d time.Duration) { b.findWithin = d }

// Commit records entries in one transaction, without settling them.
func (r *Recorder) Commit(ctx context.Context, entries []Entry) ([]Decision, error) {
	return r.commit(ctx, entries, false)
}
