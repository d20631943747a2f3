package booking

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/stock"
)

// Page is a part of a user's reservations, newest first.
type Page struct {
	Reservations []Reservation
	Next         Position // where the next page begins; zero: this is the last one
}

// List returns at most limit of a user's reservations after a position: those with rows, and those that are not recorded yet.
func (l *Lookup) List(ctx context.Context, user int64, after Position, limit int) (Page, error) {
	page, err := l.list(ctx, user, after, limit)
	if err != nil {
		return Page{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return page, nil
}

func (l *Lookup) list(ctx context.Context, user int64, after Position, limit int) (Page, error) {
	pipe := l.client.Pipeline()
	clock := pipe.Time(ctx)
	hashes := make([]*redis.MapStringStringCmd, l.shards.Len())
	for shard := range hashes {
		hashes[shard] = pipe.HGetAll(ctx, l.shards.User(shard, user))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return Page{}, fmt.Errorf("read markers: %w", err)
	}
	m := newMarkers()
	for _, hash := range hashes {
		m.add(hash.Val())
	}
	// The epochs before the rows, else a reservation that is confirmed in between would look lost.
	epochs := map[int64]int64{}
	if err := l.epochs(ctx, epochs, m.shows()); err != nil {
		return Page{}, err
	}
	known, err := l.store.known(ctx, m.refs())
	if err != nil {
		return Page{}, err
	}
	rows, err := l.store.ofUser(ctx, user, after, limit+1)
	if err != nil {
		return Page{}, err
	}
	for _, row := range rows { // recorded in between
		known[row.ID] = true
	}
	if err := l.epochs(ctx, epochs, m.cancelled(rows)); err != nil {
		return Page{}, err
	}
	now := clock.Val().UTC()
	var list []Reservation
	for _, row := range rows {
		list = append(list, asSeen(row, m.cancels[row.ID], epochs[row.Show], now))
	}
	for id, marker := range m.reserves {
		r := withoutRow(id, user, *marker, epochs[marker.Show], now)
		if !known[id] && follows(r, after) {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, newestFirst)
	page := Page{Reservations: list}
	if len(list) > limit {
		page.Reservations = list[:limit]
		last := list[limit-1]
		page.Next = Position{BookedAt: last.BookedAt, ID: last.ID}
	}
	return page, nil
}

// epochs adds the epochs of shows to those that are known.
func (l *Lookup) epochs(ctx context.Context, known map[int64]int64, shows map[int64]bool) error {
	maps.DeleteFunc(shows, func(show int64, _ bool) bool { return known[show] > 0 })
	if len(shows) == 0 {
		return nil
	}
	rows, err := l.stock.Rows(ctx, slices.Collect(maps.Keys(shows))...)
	for show, row := range rows {
		known[show] = row.Epoch
	}
	return err
}

func newestFirst(a, b Reservation) int {
	if c := b.BookedAt.Compare(a.BookedAt); c != 0 {
		return c
	}
	return bytes.Compare(b.ID[:], a.ID[:])
}

func follows(r Reservation, after Position) bool {
	return after.BookedAt.IsZero() || newestFirst(Reservation{BookedAt: after.BookedAt, ID: after.ID}, r) < 0
}

// markers of one user, by reservation.
type markers struct{ reserves, cancels map[uuid.UUID]*stock.Marker }

func newMarkers() markers {
	return markers{map[uuid.UUID]*stock.Marker{}, map[uuid.UUID]*stock.Marker{}}
}

func (m markers) add(fields map[string]string) {
	for field, text := range fields {
		kind, name, _ := strings.Cut(field, ":")
		id, err := uuid.Parse(name)
		marker := orMarker(text, nil)
		if err != nil || marker == nil {
			continue
		}
		switch kind {
		case "r":
			m.reserves[id] = marker
		case "c":
			m.cancels[id] = marker
		}
	}
}

// shows are those whose entries may not be recorded yet.
func (m markers) shows() map[int64]bool {
	shows := map[int64]bool{}
	for _, marker := range m.reserves {
		shows[marker.Show] = true
	}
	return shows
}

// cancelled are the shows of rows that a cancel entry may wait for.
func (m markers) cancelled(rows []*Row) map[int64]bool {
	shows := map[int64]bool{}
	for _, row := range rows {
		if m.cancels[row.ID] != nil {
			shows[row.Show] = true
		}
	}
	return shows
}

func (m markers) refs() []Ref {
	refs := make([]Ref, 0, len(m.reserves))
	for id, marker := range m.reserves {
		refs = append(refs, Ref{Show: marker.Show, ID: id})
	}
	return refs
}
