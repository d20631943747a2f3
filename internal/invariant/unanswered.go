package invariant

import (
	"context"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/stock"
)

// compare checks markers against rows that were read after them.
func (c *checker) compare(ctx context.Context, claims []claim) error {
	if len(claims) == 0 {
		return nil
	}
	now, err := c.books(ctx, claims)
	if err != nil {
		return err
	}
	for _, m := range claims {
		row, ok := now.rows[m.id]
		if !ok || m.cancel {
			continue
		}
		// A repeat after the marker was gone has an entry of its own, and may ask for other units.
		same := row.Epoch == m.Epoch && row.Seq == m.Seq
		if row.User != m.user || row.Show != m.Show || same && row.Units != m.Units {
			c.found.add("I3", row.Show, "a marker and the row of its entry differ in user, show or units", m.id.String())
		}
	}
	return c.unanswered(ctx, slices.DeleteFunc(claims, func(m claim) bool { return !now.waits(m) }))
}

// waits reports whether a marker's entry can still change its row.
func (b books) waits(m claim) bool {
	row, ok := b.rows[m.id]
	if m.cancel {
		return ok && row.Status == booking.Confirmed && m.Epoch >= b.stock[row.Show].Epoch
	}
	return !ok && m.Epoch >= b.stock[m.Show].Epoch
}

// unanswered finds the markers among those that wait whose entry is gone although nothing came of it.
//
// A marker is written with its entry, and an entry leaves after its row is committed. So when the marker was read first, then
// the stream, then the row, and neither the entry nor the row was there, the row will never come. The only other way is a loss
// that is known: the show is not open then, or its shard fenced, or the marker is gone too.
func (c *checker) unanswered(ctx context.Context, claims []claim) error {
	if len(claims) == 0 {
		return nil
	}
	pipe := c.Redis.Pipeline()
	found := map[string]*redis.XMessageSliceCmd{}
	for _, m := range claims {
		found[m.field+m.text] = pipe.XRange(ctx, c.Shards.Entries(m.shard), m.Entry, m.Entry)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	claims = slices.DeleteFunc(claims, func(m claim) bool {
		for _, raw := range found[m.field+m.text].Val() { // at most one; ids repeat after a fail-over
			e, err := stock.ParseEntry(raw)
			if err == nil && e.Epoch == m.Epoch && e.Seq == m.Seq && e.ID == m.id {
				return true
			}
		}
		return false
	})
	if len(claims) == 0 {
		return nil
	}
	now, err := c.books(ctx, claims)
	if err != nil {
		return err
	}
	return c.abandoned(ctx, slices.DeleteFunc(claims, func(m claim) bool { return !now.waits(m) }), now)
}

// abandoned reports markers whose entry and row are missing, unless a loss is being dealt with.
func (c *checker) abandoned(ctx context.Context, claims []claim, now books) error {
	if len(claims) == 0 {
		return nil
	}
	fenced, err := c.Ledger.Fenced(ctx)
	if err != nil {
		return err
	}
	for i := range claims {
		if claims[i].cancel {
			claims[i].Show = now.rows[claims[i].id].Show
		}
	}
	hashes, err := c.hashes(ctx, showsOf(claims))
	if err != nil {
		return err
	}
	pipe := c.Redis.Pipeline()
	still := make([]*redis.SliceCmd, len(claims))
	for i, m := range claims {
		still[i] = pipe.HMGet(ctx, c.Shards.User(m.shard, m.user), m.field)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	for i, m := range claims {
		switch h := hashes[m.Show]; {
		case h.state != "open", h.epoch != strconv.FormatInt(m.Epoch, 10), fenced[m.shard], still[i].Val()[0] != m.text:
		case m.cancel:
			c.found.add("I9", m.Show, "a cancel entry left the stream, but the reservation stays cancelling", m.id.String())
		default:
			c.found.add("I5", m.Show, "pending for ever: the entry left the stream without a row", m.id.String())
		}
	}
	return nil
}

// books reads the rows of markers and the stock of their shows, at one instant.
func (c *checker) books(ctx context.Context, claims []claim) (b books, err error) {
	refs := make([]ref, len(claims))
	for i, m := range claims {
		refs[i] = ref{show: m.Show, user: m.user, id: m.id}
		if m.cancel { // its marker does not name the show
			refs[i].show = 0
		}
	}
	err = c.store.snapshot(ctx, func(s snapshot) error {
		if b.rows, err = s.reservations(ctx, refs); err != nil {
			return err
		}
		shows := showsOf(claims)
		for _, row := range b.rows {
			shows = append(shows, row.Show)
		}
		if len(shows) > 0 {
			slices.Sort(shows)
			b.stock, err = s.stock(ctx, slices.Compact(shows)...)
		}
		return err
	})
	return b, err
}

// showsOf returns the shows that markers name, each once.
func showsOf(claims []claim) []int64 {
	var shows []int64
	for _, m := range claims {
		if m.Show > 0 {
			shows = append(shows, m.Show)
		}
	}
	slices.Sort(shows)
	return slices.Compact(shows)
}
