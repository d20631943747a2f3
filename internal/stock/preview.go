package stock

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/neticket/neticket/internal/database"
)

// previewWithin is how long a dry run waits for an instant in which nothing of the show waits to be recorded.
const previewWithin = 2 * time.Second

// Preview tells what a resync would do to the units left, and changes nothing. It returns ErrNotDrained for a show that never
// stands still, and ErrResyncRunning for one that is paused: what it will have can be told by nobody then.
func (r *Resyncer) Preview(ctx context.Context, show int64) (Resynced, error) {
	result, err := r.preview(ctx, show)
	if err != nil {
		return Resynced{}, fmt.Errorf("dry run of a resync of show %d: %w", show, err)
	}
	return result, nil
}

func (r *Resyncer) preview(caller context.Context, show int64) (Resynced, error) {
	ctx, cancel := context.WithTimeout(caller, previewWithin)
	defer cancel()
	deadline, _ := ctx.Deadline() // a command that meets it may say so before ctx does
	for {
		result, still, err := r.lookAhead(ctx, show)
		if still || err != nil && time.Now().Before(deadline) && ctx.Err() == nil {
			return result, err
		}
		if !sleep(ctx, 50*time.Millisecond) {
			if err := caller.Err(); err != nil {
				return Resynced{}, err
			}
			return Resynced{}, ErrNotDrained
		}
	}
}

// lookAhead looks at Redis, MySQL and Redis again. still: nothing moved meanwhile, and nothing waits to be recorded.
func (r *Resyncer) lookAhead(ctx context.Context, show int64) (result Resynced, still bool, err error) {
	before, _, err := r.ledger.hashes(ctx, []int64{show})
	if err != nil {
		return Resynced{}, false, err
	}
	row, err := r.store.Row(ctx, show)
	if err != nil {
		return Resynced{}, false, err
	}
	err = database.Transact(ctx, r.db, func(tx *sql.Tx) (err error) {
		row.Reserved, err = r.confirmed.ConfirmedUnits(ctx, tx, show)
		return err
	})
	if err != nil {
		return Resynced{}, false, err
	}
	// As in a resync: the counts tell it cheaply, but not those of a hash or a stream that was lost.
	none := before[show].State != "" && before[show].Pending() == 0
	if !none {
		if none, err = r.noEntries(ctx, r.ledger.shards.Of(show), show); err != nil {
			return Resynced{}, false, err
		}
	}
	after, _, err := r.ledger.hashes(ctx, []int64{show})
	if err != nil {
		return Resynced{}, false, err
	}
	hash := after[show]
	if hash.State == "paused" {
		return Resynced{}, false, ErrResyncRunning
	}
	result = Resynced{After: row.Capacity - row.Reserved, Epoch: row.Epoch}
	if result.Before = result.After; hash.State != "" {
		result.Before, result.Drift = hash.Left, hash.Left-result.After
	}
	return result, none && hash == before[show], nil
}
