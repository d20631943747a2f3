package stock

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
)

// Ledger takes units and settles entries in Redis. It is safe for concurrent use.
type Ledger struct {
	client  redis.UniversalClient
	shards  Shards
	scripts scripts
	options LedgerOptions
	queues  queues
}

// LedgerOptions bound what the ledger accepts.
type LedgerOptions struct {
	MaxBacklog int                   // unsettled entries of a show before ErrBacklog
	MaxWaiting int                   // requests of this process that may wait for their turn before ErrQueueFull; 0: no bound
	MaxWait    time.Duration         // how long a request may wait for its turn before ErrQueueWait; 0: no bound
	Remember   time.Duration         // how long a request key is remembered after a user's last request; whole seconds
	Group      string                // consumer group of the streams
	Registry   prometheus.Registerer // of the queues' metrics; may be nil
}

// NewLedger returns a ledger over a client made by Connect.
func NewLedger(client redis.UniversalClient, shards Shards, options LedgerOptions) *Ledger {
	l := &Ledger{client: client, shards: shards, scripts: newScripts(), options: options}
	l.queues = newQueues(shards.Len(), options, l.call)
	return l
}

// Request is one wish for units, or one to cancel them.
type Request struct {
	Kind  Kind   // set by Reserve and Cancel
	ID    string // of the reservation: a UUID, lower case
	User  int64
	Show  int64
	Units int
	From  string // the API instance to wake when it is settled, or ""; without "|"
	Trace string // trace context, or ""
}

// Receipt says that the ledger has an entry for a request.
type Receipt struct {
	Marker   Marker
	Repeated bool // the entry, or its marker, was there before
}

// Reserve takes units and appends the entry, at one instant, or does neither and returns one of the package's errors. With
// ErrUnknown it may have done so: the same request again tells. Requests of a shard that come while a call to Redis is under way
// share the next call, so a request waits for its turn: the context's error means that it ended before that.
func (l *Ledger) Reserve(ctx context.Context, r Request) (Receipt, error) {
	r.Kind = Reserve
	receipt, err := l.ask(ctx, r)
	if err != nil {
		return Receipt{}, fmt.Errorf("reserve: %w", err)
	}
	return receipt, nil
}

// Cancel appends a cancel entry for a confirmed reservation of the user, as Reserve does; units come back when it is settled.
func (l *Ledger) Cancel(ctx context.Context, r Request) (Receipt, error) {
	r.Kind = Cancel
	receipt, err := l.ask(ctx, r)
	if err != nil {
		return Receipt{}, fmt.Errorf("cancel: %w", err)
	}
	return receipt, nil
}

// ask waits for the request's turn and returns what became of it.
func (l *Ledger) ask(ctx context.Context, r Request) (Receipt, error) {
	reply := l.queues.do(ctx, l.shards.Of(r.Show), r)
	if reply.err != nil {
		return Receipt{}, reply.err
	}
	return reply.answer.receipt(r)
}

// call asks Redis for all requests of a batch at once and returns a reply for each.
func (l *Ledger) call(shard int, batch []*turn) []reply {
	keys := make([]string, 1, 1+3*len(batch))
	args := make([]any, 0, 2+6*len(batch))
	keys[0] = l.shards.Entries(shard)
	args = append(args, l.options.MaxBacklog, int64(l.options.Remember/time.Second))
	for _, t := range batch {
		r := &t.request
		keys = append(keys, l.shards.Show(r.Show), l.shards.User(shard, r.User), l.shards.Users(r.Show))
		args = append(args, string(r.Kind), r.ID, r.User, r.Units, r.Show, r.From+"|"+r.Trace)
	}
	// Each request may lose its own client; the call is everybody's. The client's time-outs bound it.
	ctx := context.Background()
	answers, err := l.scripts.requests.Run(ctx, l.client, keys, args...).StringSlice()
	if err == nil && len(answers) != len(batch) {
		err = fmt.Errorf("requests.lua gave %d answers to %d requests", len(answers), len(batch))
	}
	if err != nil {
		return l.lookAgain(ctx, shard, batch, err)
	}
	replies := make([]reply, len(batch))
	for i := range replies {
		replies[i].answer = answer(answers[i])
	}
	return replies
}

// lookAgain decides what a call that failed did: one read of all markers, where it may have reached Redis. A marker of a cancel
// proves nothing: one of an older epoch looks the same. The same request again is harmless.
func (l *Ledger) lookAgain(ctx context.Context, shard int, batch []*turn, cause error) []reply {
	err := errors.Join(ErrUnknown, cause)
	if neverSent(cause) || refused(cause) {
		err = errors.Join(ErrUnavailable, cause)
	}
	markers := make([]*redis.StringCmd, len(batch))
	if errors.Is(err, ErrUnknown) {
		pipe := l.client.Pipeline()
		for i, t := range batch {
			if t.request.Kind == Reserve {
				markers[i] = pipe.HGet(ctx, l.shards.User(shard, t.request.User), t.request.field())
			}
		}
		_, _ = pipe.Exec(ctx) // each reply has its own error
	}
	replies := make([]reply, len(batch))
	for i, found := range markers {
		replies[i].err = err
		if found == nil || found.Err() != nil {
			continue
		}
		if answer, ok := answerOf(found.Val(), batch[i].request); ok {
			replies[i] = reply{answer: answer}
		}
	}
	return replies
}

// Edit sets the sale times of a show that is loaded, unless it has this version or a newer one.
func (l *Ledger) Edit(ctx context.Context, show int64, times SaleTimes) error {
	return l.edits(ctx, map[int64]SaleTimes{show: times})
}

// edits is Edit for many shows.
func (l *Ledger) edits(ctx context.Context, shows map[int64]SaleTimes) error {
	const chunk = 500
	for part := range slices.Chunk(slices.Collect(maps.Keys(shows)), chunk) {
		pipe := l.client.Pipeline()
		for _, show := range part {
			times := shows[show]
			// By its source: a pipeline cannot send it after the server has said that it does not know the script.
			l.scripts.edit.Eval(ctx, pipe, []string{l.shards.Show(show)}, times.Version,
				times.Opens.UnixMilli(), times.Closes.UnixMilli(), times.Starts.UnixMilli())
		}
		replies, _ := pipe.Exec(ctx) // each has its own error
		for _, reply := range replies {
			if err := reply.Err(); err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") { // what is no hash sells nothing, at any time
				return fmt.Errorf("set the sale times of %d shows: %w", len(part), err)
			}
		}
	}
	return nil
}
