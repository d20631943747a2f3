package booking

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/stock"
)

// Lookup tells what became of a reservation: its row where there is one, else its marker.
type Lookup struct {
	client redis.UniversalClient
	shards stock.Shards
	store  *Store
	stock  *stock.Store
}

// NewLookup returns a lookup.
func NewLookup(client redis.UniversalClient, shards stock.Shards, db *sql.DB) *Lookup {
	return &Lookup{client, shards, NewStore(db), stock.NewStore(db)}
}

// Find returns a user's reservation, or ErrNotFound.
func (l *Lookup) Find(ctx context.Context, user int64, id uuid.UUID) (Reservation, error) {
	return l.find(ctx, user, id, l.allShards())
}

// findMarked is Find for a reservation whose show is known.
func (l *Lookup) findMarked(ctx context.Context, user int64, id uuid.UUID, show int64) (Reservation, error) {
	return l.find(ctx, user, id, []int{l.shards.Of(show)})
}

// find reads the markers, then the row and its show's epoch at one instant: in this order a reservation that is confirmed in
// between cannot look lost.
func (l *Lookup) find(ctx context.Context, user int64, id uuid.UUID, shards []int) (Reservation, error) {
	pipe := l.client.Pipeline()
	clock := pipe.Time(ctx)
	fields := make([]*redis.SliceCmd, len(shards))
	for i, shard := range shards {
		fields[i] = pipe.HMGet(ctx, l.shards.User(shard, user), stock.ReserveField(id.String()), stock.CancelField(id.String()))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return Reservation{}, fmt.Errorf("%w: read markers: %w", ErrUnreadable, err)
	}
	var marker, cancelMarker *stock.Marker
	for _, reply := range fields {
		marker = orMarker(reply.Val()[0], marker)
		cancelMarker = orMarker(reply.Val()[1], cancelMarker)
	}
	var row *Row
	var epoch int64
	var err error
	if marker != nil {
		row, epoch, err = l.store.WithEpoch(ctx, marker.Show, id)
	} else {
		row, epoch, err = l.store.ByID(ctx, id)
	}
	if err != nil {
		return Reservation{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	now := clock.Val().UTC()
	switch {
	case row != nil && row.User == user:
		return asSeen(row, cancelMarker, epoch, now), nil
	case row == nil && marker != nil:
		return withoutRow(id, user, *marker, epoch, now), nil
	}
	return Reservation{}, ErrNotFound
}

func (l *Lookup) allShards() []int {
	all := make([]int, l.shards.Len())
	for i := range all {
		all[i] = i
	}
	return all
}

// asSeen is a row with what the marker of a cancel adds to it.
func asSeen(row *Row, cancelMarker *stock.Marker, epoch int64, now time.Time) Reservation {
	r := row.Reservation
	r.AsOf = now
	if r.Status == Confirmed && cancelMarker != nil && cancelMarker.Epoch == epoch {
		r.Status = Cancelling
	}
	return r
}

// withoutRow is what a marker alone tells: its entry can still be recorded, unless the show has a newer epoch.
func withoutRow(id uuid.UUID, user int64, marker stock.Marker, epoch int64, now time.Time) Reservation {
	r := Reservation{ID: id, Show: marker.Show, User: user, Units: marker.Units, Status: Pending, BookedAt: marker.At(), AsOf: now}
	if marker.Epoch < epoch {
		r.Status, r.Reason = Rejected, Lost
	}
	return r
}

func orMarker(value any, otherwise *stock.Marker) *stock.Marker {
	if text, ok := value.(string); ok {
		if marker, ok := stock.ParseMarker(text); ok {
			return &marker
		}
	}
	return otherwise
}
