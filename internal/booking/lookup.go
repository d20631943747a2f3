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
	gate   gate
}

// NewLookup returns a lookup.
func NewLookup(client redis.UniversalClient, shards stock.Shards, db *sql.DB) *Lookup {
	return &Lookup{client: client, shards: shards, store: NewStore(db)}
}

// Find returns a user's reservation. Where MySQL cannot be read within 2 s it is what its marker says, and Provisional. Errors:
// ErrNotFound, also where the show is another than ref's; ErrUnreadable where Redis cannot be read, or MySQL and there is no marker.
//
// It reads the markers, then the row and its show's epoch at one instant: in this order a reservation that is confirmed in
// between cannot look lost.
func (l *Lookup) Find(ctx context.Context, user int64, ref Ref) (Reservation, error) {
	found, err := l.markersOf(ctx, user, ref)
	if err != nil {
		return Reservation{}, fmt.Errorf("%w: read markers: %w", ErrUnreadable, err)
	}
	show, within := ref.Show, unmarkedWithin
	if found.reserve != nil {
		show, within = found.reserve.Show, markedWithin
	}
	var row *Row
	var epoch int64
	err = l.gate.read(ctx, within, func(ctx context.Context) (err error) {
		if show != 0 {
			row, epoch, err = l.store.WithEpoch(ctx, show, ref.ID)
		} else {
			row, epoch, err = l.store.ByID(ctx, user, ref.ID)
		}
		return err
	})
	switch {
	case err != nil && found.reserve != nil && ctx.Err() == nil:
		return provisional(ref.ID, user, *found.reserve, found.cancel, found.asOf), nil
	case err != nil:
		return Reservation{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	case row != nil && row.User == user && (ref.Show == 0 || row.Show == ref.Show):
		return asSeen(row, found.cancel, epoch, found.asOf), nil
	case row == nil && found.reserve != nil:
		return withoutRow(ref.ID, user, *found.reserve, epoch, found.asOf), nil
	}
	return Reservation{}, ErrNotFound
}

// pair is the markers of one reservation: of its booking and of a cancel. Either may be nil.
type pair struct {
	reserve, cancel *stock.Marker
	asOf            time.Time // by Redis's clock
}

// markersOf reads the markers of one reservation in one round trip (on a cluster, one for each node that has a shard to ask).
func (l *Lookup) markersOf(ctx context.Context, user int64, ref Ref) (pair, error) {
	pipe := l.client.Pipeline()
	clock := pipe.Time(ctx)
	var replies []*redis.SliceCmd
	for _, shard := range l.shardsOf(ref) {
		key := l.shards.User(shard, user)
		replies = append(replies, pipe.HMGet(ctx, key, stock.ReserveField(ref.ID.String()), stock.CancelField(ref.ID.String())))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return pair{}, err
	}
	found := pair{asOf: clock.Val().UTC()}
	for _, reply := range replies {
		marker := orMarker(reply.Val()[0], nil)
		if marker != nil && (ref.Show == 0 || marker.Show == ref.Show) {
			found.reserve = marker
		}
		found.cancel = orMarker(reply.Val()[1], found.cancel)
	}
	return found, nil
}

// shardsOf returns the shards that may hold the markers of a reservation.
func (l *Lookup) shardsOf(ref Ref) []int {
	if ref.Show != 0 {
		return []int{l.shards.Of(ref.Show)}
	}
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

// provisional is what markers say while MySQL cannot be read: that the request was accepted, not whether it is recorded. After a
// cancel was accepted the reservation goes on to read as cancelling.
func provisional(id uuid.UUID, user int64, marker stock.Marker, cancel *stock.Marker, now time.Time) Reservation {
	r := withoutRow(id, user, marker, marker.Epoch, now)
	r.Provisional = true
	if cancel != nil {
		r.Status = Cancelling
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
