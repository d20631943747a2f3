package booking

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/stock"
)

// markers are all of one user, by reservation.
type markers struct {
	reserves, cancels map[uuid.UUID]stock.Marker
	asOf              time.Time // by Redis's clock
}

// markers reads a user's markers in one round trip (on a cluster, one for each node).
func (l *Lookup) markers(ctx context.Context, user int64) (markers, error) {
	pipe := l.client.Pipeline()
	clock := pipe.Time(ctx)
	hashes := make([]*redis.MapStringStringCmd, l.shards.Len())
	for shard := range hashes {
		hashes[shard] = pipe.HGetAll(ctx, l.shards.User(shard, user))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return markers{}, err
	}
	fields := 0
	for _, hash := range hashes {
		fields += len(hash.Val())
	}
	m := markers{reserves: make(map[uuid.UUID]stock.Marker, fields), cancels: map[uuid.UUID]stock.Marker{}, asOf: clock.Val().UTC()}
	for _, hash := range hashes {
		m.add(hash.Val())
	}
	return m, nil
}

// add reads a hash. What is no marker of ours is left out.
func (m markers) add(hash map[string]string) {
	for field, text := range hash {
		kind, name, _ := strings.Cut(field, ":")
		id, err := uuid.Parse(name)
		marker, ok := stock.ParseMarker(text)
		if err != nil || !ok {
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

// cancel returns the marker of a reservation's cancel, or nil.
func (m markers) cancel(id uuid.UUID) *stock.Marker {
	if marker, ok := m.cancels[id]; ok {
		return &marker
	}
	return nil
}

// open returns the reservations of a page that are known by their markers alone so far.
func (m markers) open(rows []*Row, part section) (open []uuid.UUID) {
	known := make(map[uuid.UUID]bool, len(rows))
	for _, row := range rows {
		known[row.ID] = true
	}
	for id, marker := range m.reserves {
		if !known[id] && part.has(Reservation{ID: id, BookedAt: marker.At()}) {
			open = append(open, id)
		}
	}
	return open
}

// shows returns those whose epoch matters: it tells whether what is open is lost, and whether a cancel is void.
func (m markers) shows(open []uuid.UUID, rows []*Row) []int64 {
	var shows []int64
	seen := map[int64]bool{}
	add := func(show int64) {
		if !seen[show] {
			seen[show] = true
			shows = append(shows, show)
		}
	}
	for _, id := range open {
		add(m.reserves[id].Show)
	}
	for _, row := range rows {
		if row.Status == Confirmed && m.cancel(row.ID) != nil {
			add(row.Show)
		}
	}
	return shows
}

// alone returns what the markers say by themselves of the reservations of a page, and of all that follow it.
func (m markers) alone(user int64, part section) (list []Reservation) {
	for id, marker := range m.reserves {
		if part.has(Reservation{ID: id, BookedAt: marker.At()}) {
			list = append(list, provisional(id, user, marker, m.cancel(id), m.asOf))
		}
	}
	return list
}

// refs names reservations of markers with their shows.
func (m markers) refs(ids []uuid.UUID) []Ref {
	refs := make([]Ref, len(ids))
	for i, id := range ids {
		refs[i] = Ref{Show: m.reserves[id].Show, ID: id}
	}
	return refs
}
