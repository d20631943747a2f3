package invariant

import (
	"context"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/stock"
)

// entries returns the entries of open shows that are of the epoch of their hash, and notes the age of the oldest.
func (c *checker) entries(ctx context.Context, hashes map[int64]hash) (map[int64][]stock.Entry, error) {
	shards := map[int]bool{}
	for show := range hashes {
		shards[c.Shards.Of(show)] = true
	}
	now, err := c.Redis.Time(ctx).Result()
	if err != nil {
		return nil, err
	}
	found := map[int64][]stock.Entry{}
	for shard := range shards {
		err := c.Ledger.EachEntry(ctx, shard, func(raw redis.XMessage) bool {
			e, err := stock.ParseEntry(raw)
			if err == nil && strconv.FormatInt(e.Epoch, 10) == hashes[e.Show].epoch {
				found[e.Show] = append(found[e.Show], e)
				c.report.OldestEntry = max(c.report.OldestEntry, now.Sub(e.At).Seconds())
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
