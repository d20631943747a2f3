package booking

import (
	"time"

	"github.com/google/uuid"
)

// Join returns a channel that gets a value whenever the reservation was settled, until leave is called.
func (w *Waiters) Join(id uuid.UUID) (woken <-chan struct{}, leave func()) { return w.join(id) }

// RereadEvery is how often a waiting request looks again by itself.
const RereadEvery = rereadEvery

// FindWithin sets how long a request waits for the servers that tell what became of its claim.
func (b *BoxOffice) FindWithin(d time.Duration) { b.findWithin = d }
