package stock

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// countedFields is about how many users are counted in one audit: some 0.1 s of Redis's time. One show is counted in any case.
const countedFields = 200_000

// holders counts the units per user of shows with a limit. Nothing else notices when they are lost or damaged: MySQL refuses what is
// above the limit, but only after the units were taken.
type holders struct {
	ledger  *Ledger
	auditor *Auditor
	right   map[int64]counted // as what a show's units were found right
}

// counted says since when nothing happened to a show that could change its units per user, and how many users it had.
type counted struct{ epoch, seq, users int64 }

// wrong returns those of the shows of which the units per user are wrong: in sum they must be the reserved ones of a show at rest,
// since each is counted for somebody. It counts those that changed since it last did, not too many at a time.
func (h *holders) wrong(ctx context.Context, cuts map[int64]Cut) (shows []int64, err error) {
	var rest []int64
	for show, cut := range cuts {
		if cut.Conclusive && cut.Agrees() && cut.Row.Limit > 0 {
			rest = append(rest, show)
		} else {
			delete(h.right, show)
		}
	}
	fields := 0
	for part := range slices.Chunk(rest, 500) { // in the map's order, so that each has its turn in time
		users, err := h.users(ctx, part)
		if err != nil {
			return nil, err
		}
		for i, show := range part {
			cut := cuts[show]
			now := counted{cut.Hash.Epoch, cut.Hash.Seq, users[i]}
			if h.right[show] == now || fields > 0 && fields+int(users[i]) > countedFields {
				continue
			}
			fields += int(users[i])
			units, err := h.units(ctx, show)
			if err != nil {
				return nil, err
			}
			if units == cut.Row.Reserved {
				h.right[show] = now
				continue
			}
			again, err := h.auditor.Cuts(ctx, show)
			if err != nil {
				return nil, err
			}
			if after := again[show]; after.Conclusive && after.Hash == cut.Hash && after.Row == cut.Row {
				shows = append(shows, show)
			}
		}
	}
	return shows, nil
}

// users returns how many users each show has.
func (h *holders) users(ctx context.Context, shows []int64) ([]int64, error) {
	pipe := h.ledger.client.Pipeline()
	lengths := make([]*redis.IntCmd, len(shows))
	for i, show := range shows {
		lengths[i] = pipe.HLen(ctx, h.ledger.shards.Users(show))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("count the users of %d shows: %w", len(shows), err)
	}
	users := make([]int64, len(shows))
	for i, length := range lengths {
		users[i] = length.Val()
	}
	return users, nil
}

// units sums up the units of a show's users, or returns -1 where one of them is not a number above 0.
func (h *holders) units(ctx context.Context, show int64) (sum int, err error) {
	seen := map[string]bool{} // HSCAN may tell a field twice
	for cursor := uint64(0); ; {
		var pairs []string
		if pairs, cursor, err = h.ledger.client.HScan(ctx, h.ledger.shards.Users(show), cursor, "", 1000).Result(); err != nil {
			return 0, fmt.Errorf("sum up the units per user of show %d: %w", show, err)
		}
		for pair := range slices.Chunk(pairs, 2) {
			units, err := strconv.Atoi(pair[1])
			if err != nil || units < 1 {
				return -1, nil
			}
			if !seen[pair[0]] {
				seen[pair[0]] = true
				sum += units
			}
		}
		if cursor == 0 {
			return sum, nil
		}
	}
}
