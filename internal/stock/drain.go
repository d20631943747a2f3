package stock

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// workerSeen is how recently a consumer must have asked for entries to count as alive: workers ask at least every second.
const workerSeen = 4 * time.Second

// drain waits until no entry of a paused show is left to record. The epoch alone keeps the sums right: an entry that is left
// over ends as "lost", and draining is there so that none does.
func (r *Resyncer) drain(ctx context.Context, show int64, held hold) error {
	ctx, cancel := context.WithTimeout(ctx, r.drainFor)
	defer cancel()
	shard := r.ledger.shards.Of(show)
	for tries := 0; ; tries++ {
		done, err := r.drained(ctx, shard, show, held, tries%20 == 10)
		if done {
			return nil
		}
		if err == nil && tries%20 == 10 && !r.workerLives(ctx, shard) {
			err = r.drainer.Drain(ctx, shard)
		}
		if err != nil && ctx.Err() == nil {
			r.log.Warn("draining a show for its resync", "show", show, "error", err)
		}
		if !sleep(ctx, min(time.Duration(tries+1)*5*time.Millisecond, 100*time.Millisecond)) {
			break
		}
	}
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer stop()
	none, err := r.drained(last, shard, show, held, true)
	if err != nil {
		return err
	}
	if !none {
		return ErrNotDrained
	}
	return nil
}

// drained looks once. The counts tell it cheaply, but those of a hash that was lost prove nothing, and those of a lost stream
// never agree: look has the stream itself read.
func (r *Resyncer) drained(ctx context.Context, shard int, show int64, held hold, look bool) (bool, error) {
	if held.epoch == 0 || look {
		return r.noEntries(ctx, shard, show)
	}
	counts, err := r.ledger.client.HMGet(ctx, r.ledger.shards.Show(show), "seq", "settled").Result()
	if err != nil {
		return false, fmt.Errorf("drain: %w", err)
	}
	return counts[0] == counts[1], nil
}

// noEntries reports whether the shard's stream holds no entry of a show.
func (r *Resyncer) noEntries(ctx context.Context, shard int, show int64) (bool, error) {
	found := false
	err := r.ledger.EachEntry(ctx, shard, func(entry redis.XMessage) bool {
		found = showOf(entry) == show
		return !found
	})
	return err == nil && !found, err
}

// EachEntry calls each with the entries of a shard's stream, oldest first, until it returns false.
func (l *Ledger) EachEntry(ctx context.Context, shard int, each func(redis.XMessage) bool) error {
	const chunk = 1000
	start := "-"
	for {
		entries, err := l.client.XRangeN(ctx, l.shards.Entries(shard), start, "+", chunk).Result()
		if err != nil {
			return fmt.Errorf("read the stream of shard %d: %w", shard, err)
		}
		for _, entry := range entries {
			if !each(entry) {
				return nil
			}
		}
		if len(entries) < chunk {
			return nil
		}
		start = "(" + entries[len(entries)-1].ID
	}
}

// workerLives reports whether a consumer of the shard has asked for entries lately; when in doubt, it does.
func (r *Resyncer) workerLives(ctx context.Context, shard int) bool {
	consumers, err := r.ledger.client.XInfoConsumers(ctx, r.ledger.shards.Entries(shard), r.ledger.options.Group).Result()
	if err != nil {
		return true
	}
	for _, consumer := range consumers {
		if consumer.Idle < workerSeen {
			return true
		}
	}
	return false
}
