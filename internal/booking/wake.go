package booking

import (
	"context"
	"log/slog"
	"sync"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// wakeChannel is where an API instance hears which of its reservations were settled.
func wakeChannel(instance string) string { return "nt:wake:" + instance }

// Waker tells API instances what was settled, in one message per batch and instance: the ids, 16 bytes each.
type Waker struct {
	client redis.UniversalClient
	log    *slog.Logger
}

// NewWaker returns a waker.
func NewWaker(client redis.UniversalClient, log *slog.Logger) *Waker { return &Waker{client, log} }

// Wake publishes what was decided. A lost message costs whoever waits a re-read, so an error is only noted.
func (w *Waker) Wake(ctx context.Context, decisions []Decision) {
	messages := map[string][]byte{}
	for _, d := range decisions {
		if d.Entry.From != "" {
			messages[d.Entry.From] = append(messages[d.Entry.From], d.Entry.ID[:]...)
		}
	}
	if len(messages) == 0 {
		return
	}
	pipe := w.client.Pipeline()
	for instance, ids := range messages {
		pipe.Publish(ctx, wakeChannel(instance), ids)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		w.log.Debug("waiting requests were not woken; they look again by themselves", "error", err)
	}
}

// Waiters are the requests of this instance that wait for reservations to be settled.
type Waiters struct {
	Instance string // name of this API instance, unique

	mu      sync.Mutex
	waiting map[uuid.UUID]map[chan struct{}]bool
}

// NewWaiters returns the waiters of an instance.
func NewWaiters(instance string) *Waiters {
	return &Waiters{Instance: instance, waiting: map[uuid.UUID]map[chan struct{}]bool{}}
}

// Run wakes waiters until the context ends.
func (w *Waiters) Run(ctx context.Context, client redis.UniversalClient) error {
	sub := client.Subscribe(ctx, wakeChannel(w.Instance)) // subscribes again by itself after a lost connection
	defer sub.Close()                                     // nothing is lost with it
	messages := sub.Channel(redis.WithChannelSize(1000))
	for {
		select {
		case <-ctx.Done():
			return nil
		case message := <-messages:
			if message != nil {
				w.wake([]byte(message.Payload))
			}
		}
	}
}

func (w *Waiters) wake(ids []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ; len(ids) >= 16; ids = ids[16:] {
		for waiter := range w.waiting[uuid.UUID(ids[:16])] {
			select {
			case waiter <- struct{}{}:
			default: // it is awake
			}
		}
	}
}

// join returns a channel that gets a value whenever the reservation was settled, until leave is called.
func (w *Waiters) join(id uuid.UUID) (woken <-chan struct{}, leave func()) {
	waiter := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting[id] == nil {
		w.waiting[id] = map[chan struct{}]bool{}
	}
	w.waiting[id][waiter] = true
	return waiter, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.waiting[id], waiter)
		if len(w.waiting[id]) == 0 {
			delete(w.waiting, id)
		}
	}
}
