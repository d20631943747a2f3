package invariant

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/stock"
)

// tries is how often a show is looked at that moves while it is.
const tries = 5

// hash is a show's hash as Redis holds it, "" for what is missing.
type hash struct{ state, epoch, left, seq, settled string }

// numbers returns the hash's figures, or an error that names what is garbled.
func (h hash) numbers() (stock.Hash, error) {
	var faults []error
	number := func(field, text string) int64 {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			faults = append(faults, fmt.Errorf("the hash's %s is %.40q", field, text))
		}
		return n
	}
	return stock.Hash{State: h.state, Epoch: number("epoch", h.epoch), Left: int(number("left", h.left)),
		Seq: number("seq", h.seq), Settled: number("settled", h.settled)}, errors.Join(faults...)
}

// hashes reads the hashes of shows, each at one instant.
func (c *checker) hashes(ctx context.Context, shows []int64) (map[int64]hash, error) {
	hashes := make(map[int64]hash, len(shows))
	for part := range slices.Chunk(shows, chunk) {
		pipe := c.Redis.Pipeline()
		replies := make([]*redis.SliceCmd, len(part))
		for i, show := range part {
			replies[i] = pipe.HMGet(ctx, c.Shards.Show(show), "state", "epoch", "left", "seq", "settled")
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, fmt.Errorf("read %d shows: %w", len(part), err)
		}
		for i, show := range part {
			text := func(field int) string { s, _ := replies[i].Val()[field].(string); return s }
			hashes[show] = hash{text(0), text(1), text(2), text(3), text(4)}
		}
	}
	return hashes, nil
}

// cuts compares the shows that Redis sells with MySQL, those that move again and again, for a while.
func (c *checker) cuts(ctx context.Context) error {
	shows := slices.Sorted(maps.Keys(c.stock))
	for try := range tries {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try) * 10 * time.Millisecond):
		}
		var err error
		if shows, err = c.cut(ctx, shows); err != nil {
			return err
		}
		if len(shows) == 0 {
			break
		}
	}
	c.report.Inconclusive = append([]int64{}, shows...)
	c.report.Loaded = c.report.Conclusive + len(shows)
	return nil
}

// cut looks at Redis, MySQL and Redis again, and returns the loaded shows of which this tells nothing.
//
// Where both hashes are equal, no script has run in between that takes or gives back units of the show's epoch: requests.lua
// raises seq, settle.lua raises settled, load.lua raises the epoch. So the stream held the same entries of that
// epoch all the time, also when MySQL was read, and every figure is of that one instant.
//
// The fence is looked at before the second hash: if it was open then, the server was verified by then, and a show whose hash
// had lost its end would be distrusted in the second, though it had not been in the first.
func (c *checker) cut(ctx context.Context, shows []int64) (moved []int64, err error) {
	before, err := c.hashes(ctx, shows)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(before, func(_ int64, h hash) bool { return h.state != "open" && h.state != "paused" })
	if len(before) == 0 {
		return nil, nil
	}
	loaded := slices.Sorted(maps.Keys(before))
	entries, err := c.entries(ctx, before)
	if err != nil {
		return nil, err
	}
	var books books
	err = c.store.snapshot(ctx, func(s snapshot) (err error) {
		if books.stock, err = s.stock(ctx, loaded...); err != nil {
			return err
		}
		books.rows, err = s.reservations(ctx, refsOf(entries))
		return err
	})
	if err != nil {
		return nil, err
	}
	fenced, err := c.Ledger.Fenced(ctx)
	if err != nil {
		return nil, err
	}
	after, err := c.hashes(ctx, loaded)
	if err != nil {
		return nil, err
	}
	for _, show := range loaded {
		if h := after[show]; h != before[show] || h.state != "open" || fenced[c.Shards.Of(show)] {
			moved = append(moved, show)
			continue
		}
		c.report.Conclusive++
		if c.balance(show, after[show], entries[show], books) {
			if err := c.holders(ctx, books.stock[show], after[show]); err != nil {
				return nil, err
			}
		}
	}
	return moved, nil
}

// balance checks the sum of a show that stood still, and reports whether it is at rest.
func (c *checker) balance(show int64, text hash, entries []stock.Entry, b books) (atRest bool) {
	h, err := text.numbers()
	row := b.stock[show]
	switch {
	case err != nil:
		c.found.add("I2", show, err.Error())
		return false
	case h.Epoch != row.Epoch:
		c.found.add("I2", show, fmt.Sprintf("Redis sells in epoch %d, MySQL is in epoch %d", h.Epoch, row.Epoch))
		return false
	}
	if pending := h.Pending(); pending != int64(len(entries)) {
		c.found.add("I9", show, fmt.Sprintf("%d entries wait to be settled, but the stream holds %d", pending, len(entries)))
	}
	atRest = h.Pending() == 0 && len(entries) == 0
	queued, owed := b.inFlight(entries)
	if drift := h.Left + row.Reserved + queued + owed - row.Capacity; drift != 0 {
		invariant := "I2"
		if atRest {
			invariant = "I6"
		}
		c.report.Drift += max(drift, -drift)
		c.found.add(invariant, show, fmt.Sprintf("left %d + reserved %d + queued %d + owed %d is %+d off the capacity of %d",
			h.Left, row.Reserved, queued, owed, drift, row.Capacity))
	}
	return atRest
}

func refsOf(entries map[int64][]stock.Entry) []ref {
	refs := map[ref]bool{}
	for show, list := range entries {
		for _, e := range list {
			refs[ref{show: show, id: e.ID}] = true
		}
	}
	return slices.Collect(maps.Keys(refs))
}
