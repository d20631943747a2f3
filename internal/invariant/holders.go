package invariant

import (
	"context"
	"fmt"
	"strconv"

	"github.com/neticket/neticket/internal/stock"
)

// holders compares the units that Redis counts per user with the confirmed ones, for a show with a limit that was at rest. It
// tells nothing when the show moves meanwhile. A chunk of users is in memory at a time.
func (c *checker) holders(ctx context.Context, row stock.Row, rest hash) error {
	if row.Limit == 0 {
		return nil
	}
	var faults []string
	differs := func(user int64) { faults = append(faults, strconv.FormatInt(user, 10)) }
	err := c.store.snapshot(ctx, func(s snapshot) error {
		confirmed, err := c.uncounted(ctx, s, row.Show, differs)
		if err != nil {
			return err
		}
		counted, err := c.Redis.HLen(ctx, c.Shards.Users(row.Show)).Result()
		if err != nil || counted == confirmed {
			return err
		}
		return c.unheld(ctx, s, row.Show, differs)
	})
	if err != nil {
		return fmt.Errorf("compare the users of show %d: %w", row.Show, err)
	}
	if len(faults) == 0 {
		return nil
	}
	now, err := c.hashes(ctx, []int64{row.Show})
	if err == nil && now[row.Show] == rest {
		c.found.add("I2", row.Show, "users: their counts in Redis are not their confirmed units; the ids are users", faults...)
	}
	return err
}

// uncounted names the users whose confirmed units are not what Redis counts, and returns how many users have some.
func (c *checker) uncounted(ctx context.Context, s snapshot, show int64, differs func(user int64)) (confirmed int64, err error) {
	for after := int64(-1); ; {
		holders, err := s.holders(ctx, show, after)
		if err != nil || len(holders) == 0 {
			return confirmed, err
		}
		fields := make([]string, len(holders))
		for i, h := range holders {
			fields[i] = strconv.FormatInt(h.user, 10)
		}
		counts, err := c.Redis.HMGet(ctx, c.Shards.Users(show), fields...).Result()
		if err != nil {
			return 0, err
		}
		for i, h := range holders {
			if counts[i] != strconv.Itoa(h.units) {
				differs(h.user)
			}
		}
		confirmed += int64(len(holders))
		after = holders[len(holders)-1].user
	}
}

// unheld names the users whom Redis counts units for and who have none confirmed.
func (c *checker) unheld(ctx context.Context, s snapshot, show int64, differs func(user int64)) error {
	for cursor := uint64(0); ; {
		fields, next, err := c.Redis.HScan(ctx, c.Shards.Users(show), cursor, "", chunk).Result()
		if err != nil {
			return err
		}
		var users []int64
		for i := 0; i < len(fields); i += 2 {
			user, err := strconv.ParseInt(fields[i], 10, 64)
			if err != nil {
				differs(0)
				continue
			}
			users = append(users, user)
		}
		if err := c.without(ctx, s, show, users, differs); err != nil || next == 0 {
			return err
		}
		cursor = next
	}
}

// without names those of the users who hold nothing.
func (c *checker) without(ctx context.Context, s snapshot, show int64, users []int64, differs func(user int64)) error {
	if len(users) == 0 {
		return nil
	}
	holders, err := s.holdersAmong(ctx, show, users)
	if err != nil {
		return err
	}
	holds := map[int64]bool{}
	for _, h := range holders {
		holds[h.user] = true
	}
	for _, user := range users {
		if !holds[user] {
			differs(user)
		}
	}
	return nil
}
