package invariant

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/stock"
)

// entry is one of a stream, as far as its units are concerned.
type entry struct {
	cancel bool
	id     uuid.UUID // of the reservation
	show   int64
	units  int
	epoch  int64
	seq    int64
	at     time.Time
}

// parseEntry reads an entry; ok is false for bytes that were not appended by reserve.lua or cancel.lua.
func parseEntry(raw redis.XMessage) (e entry, ok bool) {
	text := func(field string) string { s, _ := raw.Values[field].(string); return s }
	ok = text("v") == "1"
	number := func(field string) int64 {
		n, err := strconv.ParseInt(text(field), 10, 64)
		ok = ok && err == nil && n > 0
		return n
	}
	e = entry{cancel: text("kind") == "cancel", show: number("show"), units: int(number("units")),
		epoch: number("epoch"), seq: number("seq"), at: stock.EntryTime(raw.ID)}
	var err error
	e.id, err = uuid.Parse(text("id"))
	return e, ok && err == nil && (e.cancel || text("kind") == "reserve")
}

// entries returns the entries of open shows that are of the epoch of their hash, and notes the age of the oldest.
func (c *checker) entries(ctx context.Context, hashes map[int64]hash) (map[int64][]entry, error) {
	shards := map[int]bool{}
	for show := range hashes {
		shards[c.Shards.Of(show)] = true
	}
	now, err := c.Redis.Time(ctx).Result()
	if err != nil {
		return nil, err
	}
	found := map[int64][]entry{}
	for shard := range shards {
		err := c.Ledger.EachEntry(ctx, shard, func(raw redis.XMessage) bool {
			e, ok := parseEntry(raw)
			if ok && strconv.FormatInt(e.epoch, 10) == hashes[e.show].epoch {
				found[e.show] = append(found[e.show], e)
				c.report.OldestEntry = max(c.report.OldestEntry, now.Sub(e.at).Seconds())
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
