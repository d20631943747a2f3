package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
)

// Handler is what becomes of entries.
type Handler interface {
	// Handle returns nil when nothing is left to do for the entries. After an error those that are still in the stream are
	// handed out again, to this reader or another, once they have been idle for a while. It may be called again with
	// entries that it has handled before, for several shards at a time, and, while entries pile up, for two batches of a shard.
	Handle(ctx context.Context, shard int, entries []Entry) error
	// Vanished is told that a shard's stream or group is gone, or never was complete. It may be told again and again.
	Vanished(ctx context.Context, shard int)
}

// Options of a reader; zero values take the defaults.
type Options struct {
	Consumer   string        // unique among all readers; required
	Batch      int           // most entries of a call of Handle; 500
	ClaimAfter time.Duration // how long an entry must have been idle to be taken from its consumer; 5 s
	StopWithin time.Duration // how long the batch in hand may take once the context has ended; 10 s
}

// block is how long a read waits for new entries. Cancelling does not interrupt it (go-redis).
const block = time.Second

// The owner of a lost group is told so until it is there again, after tellFirst for the second time, then ever less often: where
// nobody asks for its shows, nobody makes it.
const (
	tellFirst = 2 * time.Second
	tellLast  = time.Minute
)

// Reader reads all shards of a group as one consumer.
type Reader struct {
	group   *Group
	handler Handler
	options Options
	log     *slog.Logger
	trimmed prometheus.Counter
}

// NewReader returns a reader. The group's client must have more connections than there are shards: each waits on its own.
func NewReader(group *Group, handler Handler, options Options, log *slog.Logger, registry prometheus.Registerer) *Reader {
	if options.Batch == 0 {
		options.Batch = 500
	}
	if options.ClaimAfter == 0 {
		options.ClaimAfter = 5 * time.Second
	}
	if options.StopWithin == 0 {
		options.StopWithin = 10 * time.Second
	}
	trimmed := prometheus.NewCounter(prometheus.CounterOpts{Name: "neticket_trimmed_entries_total",
		Help: "Entries that left a stream without being settled. Always 0, unless somebody trims the stream."})
	registry.MustRegister(trimmed)
	return &Reader{group: group, handler: handler, options: options, log: log, trimmed: trimmed}
}

// Run reads until the context ends; then the batches in hand are finished, bounded by StopWithin, before it returns.
func (r *Reader) Run(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(r.options.StopWithin, cancel) })
	defer stop()
	var shards sync.WaitGroup
	for shard := range r.group.shards {
		shards.Go(func() { r.shard(ctx, work, shard) })
	}
	shards.Wait()
	for shard := range r.group.shards {
		r.leave(work, shard)
	}
	return nil
}

// shard reads one shard: ctx ends the reading, work the handling.
func (r *Reader) shard(ctx, work context.Context, shard int) {
	var claimed time.Time
	var orphans map[string]bool
	var told time.Time // when its owner was told last that the group is gone
	tellAgain := tellFirst
	seen := false // the group has been there
	full := newOverlap()
	defer full.batches.Wait()
	for failures := 0; ctx.Err() == nil; {
		err := full.failure()
		if err == nil && time.Since(claimed) > r.options.ClaimAfter/5 {
			claimed = time.Now()
			if err = r.claim(ctx, work, shard, r.options.ClaimAfter); err == nil {
				orphans, err = r.sweep(work, shard, orphans)
			}
			if err == nil {
				err = r.showUp(work, shard)
			}
		}
		if err == nil {
			err = r.readAhead(work, shard, full)
		}
		if err == nil {
			seen, failures, told, tellAgain = true, 0, time.Time{}, tellFirst
			continue
		}
		failures++
		pause := min(50*time.Millisecond<<min(failures, 5), time.Second)
		switch {
		case redis.HasErrorPrefix(err, "NOGROUP"):
			if (seen || r.streamExists(ctx, shard)) && time.Since(told) > tellAgain {
				if !told.IsZero() {
					tellAgain = min(2*tellAgain, tellLast)
				}
				told = time.Now()
				r.handler.Vanished(work, shard)
			}
			pause = 200 * time.Millisecond // nothing was sold on this shard yet; the first sale makes the group
		case ctx.Err() != nil:
			return
		case failures == 1 || failures%50 == 0:
			r.log.Warn("entries cannot be read; tried again until they can", "shard", shard, "failures", failures, "error", err)
		}
		wait(ctx, pause/2+rand.N(pause)) //nolint:gosec // jitter
	}
}

// readAhead reads a batch of new entries and hands it out: a full one beside what is read next, any other alone.
func (r *Reader) readAhead(work context.Context, shard int, full *overlap) error {
	entries, err := r.next(work, shard, block)
	if err != nil || len(entries) == 0 {
		return err
	}
	if len(entries) == r.options.Batch {
		full.handle(func() error { return r.handle(work, shard, entries) })
		return nil
	}
	full.batches.Wait()
	return errors.Join(full.failure(), r.handle(work, shard, entries))
}

// read hands out one batch of new entries, if there are any within the time.
func (r *Reader) read(work context.Context, shard int, wait time.Duration) error {
	entries, err := r.next(work, shard, wait)
	if err != nil {
		return err
	}
	return r.handle(work, shard, entries)
}

// next returns new entries, if there are any within the time: a batch at most.
func (r *Reader) next(work context.Context, shard int, wait time.Duration) ([]Entry, error) {
	streams, err := r.group.client.XReadGroup(work, &redis.XReadGroupArgs{
		Group: r.group.name, Consumer: r.options.Consumer,
		Streams: []string{r.group.shards[shard].Entries, ">"}, Count: int64(r.options.Batch), Block: wait,
	}).Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read shard %d: %w", shard, err)
	}
	return streams[0].Messages, nil
}

// behindAll is an id that no entry has, and no entry comes after.
const behindAll = "18446744073709551615-0"

// showUp has the group see this consumer while there is nothing to read, else it would look dead: Redis before 7.2 does not count a
// read that waits. It asks for the entries that it owns already, but behind all that there can be, so none is handed out.
func (r *Reader) showUp(work context.Context, shard int) error {
	err := r.group.client.XReadGroup(work, &redis.XReadGroupArgs{
		Group: r.group.name, Consumer: r.options.Consumer, Streams: []string{r.group.shards[shard].Entries, behindAll}, Count: 1, Block: -1,
	}).Err()
	if err != nil {
		return fmt.Errorf("show up in shard %d: %w", shard, err)
	}
	return nil
}

// claim hands out the entries that nobody has touched for idle.
func (r *Reader) claim(ctx, work context.Context, shard int, idle time.Duration) error {
	for start := "0-0"; ctx.Err() == nil; {
		entries, next, deleted, err := r.group.client.XAutoClaimWithDeleted(work, &redis.XAutoClaimArgs{
			Stream: r.group.shards[shard].Entries, Group: r.group.name, Consumer: r.options.Consumer,
			MinIdle: idle, Start: start, Count: int64(r.options.Batch),
		}).Result()
		if err != nil {
			return fmt.Errorf("claim entries of shard %d: %w", shard, err)
		}
		if len(deleted) > 0 {
			r.trimmed.Add(float64(len(deleted)))
			r.log.Error("entries were deleted from the stream before they were recorded; never trim it, and resync its shows",
				"stream", r.group.shards[shard].Entries, "entries", deleted)
		}
		if len(entries) > 0 {
			r.log.Info("took over entries of a silent consumer", "shard", shard, "entries", len(entries))
			if err := r.handle(work, shard, entries); err != nil {
				return err
			}
		}
		if start = next; start == "0-0" {
			return nil
		}
	}
	return nil
}

// sweep takes entries without an owner, which XAUTOCLAIM does not see: their consumer was deleted. The stream holds only what is
// not settled, so what was delivered and is pending with nobody is that, or was settled while we looked; so only what looked
// so in the pass before, too, is taken. It returns what looks so now. At most a batch is looked at, the oldest.
func (r *Reader) sweep(work context.Context, shard int, before map[string]bool) (orphans map[string]bool, err error) {
	key := r.group.shards[shard].Entries
	delivered, err := r.delivered(work, key)
	if err != nil || len(delivered) == 0 {
		return nil, err
	}
	pending, err := r.group.client.XPendingExt(work, &redis.XPendingExtArgs{Stream: key, Group: r.group.name, Start: "-",
		End: delivered[len(delivered)-1].ID, Count: int64(len(delivered))}).Result()
	if err != nil {
		return nil, fmt.Errorf("sweep shard %d: %w", shard, err)
	}
	owned := make(map[string]bool, len(pending))
	for _, p := range pending {
		owned[p.ID] = true
	}
	orphans = map[string]bool{}
	claim := []any{"XCLAIM", key, r.group.name, r.options.Consumer, 0}
	var taken []Entry
	for _, entry := range delivered {
		if owned[entry.ID] {
			continue
		}
		orphans[entry.ID] = true
		if before[entry.ID] {
			taken = append(taken, entry)
			claim = append(claim, entry.ID)
		}
	}
	if len(taken) == 0 {
		return orphans, nil
	}
	// go-redis has no FORCE, without which an entry that is pending with nobody cannot be claimed.
	if err := r.group.client.Do(work, append(claim, "FORCE", "JUSTID")...).Err(); err != nil {
		return nil, fmt.Errorf("sweep shard %d: %w", shard, err)
	}
	r.log.Warn("took over entries without an owner; was a consumer deleted by hand?", "shard", shard, "entries", len(taken))
	return nil, r.handle(work, shard, taken)
}

// delivered returns the oldest entries that were delivered to some consumer and are not settled.
func (r *Reader) delivered(work context.Context, key string) ([]Entry, error) {
	groups, err := r.group.client.XInfoGroups(work, key).Result()
	if err != nil {
		return nil, fmt.Errorf("read the groups of %s: %w", key, err)
	}
	for _, g := range groups {
		if g.Name == r.group.name {
			return r.group.client.XRangeN(work, key, "-", g.LastDeliveredID, int64(r.options.Batch)).Result()
		}
	}
	return nil, nil
}

// handle calls the handler and stays the entries' owner meanwhile, however long it takes.
func (r *Reader) handle(work context.Context, shard int, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	done := make(chan struct{})
	var keeping sync.WaitGroup
	keeping.Go(func() {
		ticker := time.NewTicker(r.options.ClaimAfter / 3)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				ids := make([]string, len(entries))
				for i, entry := range entries {
					ids[i] = entry.ID
				}
				// An error is not told: at worst another takes the entries over, which does no harm.
				r.group.client.XClaimJustID(work, &redis.XClaimArgs{Stream: r.group.shards[shard].Entries,
					Group: r.group.name, Consumer: r.options.Consumer, Messages: ids})
			}
		}
	})
	err := r.handler.Handle(work, shard, entries)
	close(done)
	keeping.Wait()
	return err
}

// Drain hands out everything that lies in a shard, also what a consumer has had for more than a second: for a time in which
// no reader runs.
func (r *Reader) Drain(ctx context.Context, shard int) error {
	defer r.leave(context.WithoutCancel(ctx), shard) // who does not read on must not look alive
	if err := r.claim(ctx, ctx, shard, time.Second); err != nil {
		return err
	}
	orphans, err := r.sweep(ctx, shard, nil)
	if err == nil {
		_, err = r.sweep(ctx, shard, orphans)
	}
	if err != nil {
		return err
	}
	for {
		before, err := r.group.client.XLen(ctx, r.group.shards[shard].Entries).Result()
		if err != nil || before == 0 {
			return err
		}
		if err := r.read(ctx, shard, -1); err != nil {
			return err
		}
		after, err := r.group.client.XLen(ctx, r.group.shards[shard].Entries).Result()
		if err != nil || after >= before {
			return err
		}
	}
}

func (r *Reader) streamExists(ctx context.Context, shard int) bool {
	n, err := r.group.client.Exists(ctx, r.group.shards[shard].Entries).Result()
	return err == nil && n == 1
}

// leave deletes the consumer from a shard's group if it owns nothing there; else that would orphan its entries.
func (r *Reader) leave(ctx context.Context, shard int) {
	entries := r.group.shards[shard].Entries
	// In one script: another drain of this process may read as the same consumer.
	if err := r.group.leave.Run(ctx, r.group.client, []string{entries}, r.group.name, r.options.Consumer).Err(); err != nil {
		r.log.Debug("the consumer stays in the group", "shard", shard, "error", err)
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
