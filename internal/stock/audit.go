package stock

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// Hash is what Redis holds of a show.
type Hash struct {
	State        string // open, paused, unloaded, or "" where there is none
	Epoch        int64
	Left         int
	Seq, Settled int64
	PausedAt     int64 // ms, by Redis's clock: when the holder of the last pause gave a sign of life
}

// Pending is the number of entries that wait to be settled.
func (h Hash) Pending() int64 { return h.Seq - h.Settled }

// Stuck reports whether a show was taken off sale and not put back, though that should not wait for the next request: a holder
// has been silent for takeOver, or reservations wait for an outcome.
func (h Hash) Stuck(at time.Time, takeOver time.Duration) bool {
	if h.State == "paused" {
		return at.Sub(time.UnixMilli(h.PausedAt)).Abs() >= takeOver // the server's clock may have been set back
	}
	return h.State == "unloaded" && h.Pending() != 0
}

// Cut is one look at both sides of a show's stock.
type Cut struct {
	Row  Row
	Hash Hash
	// Conclusive: nothing moved while looking and nothing waits to be recorded, so that the figures must agree.
	Conclusive bool
	At         time.Time // by Redis's clock
}

// Drift is by how much the units left in Redis exceed what MySQL says; it means something only in a conclusive cut.
func (c Cut) Drift() int { return c.Hash.Left - (c.Row.Capacity - c.Row.Reserved) }

// Agrees reports whether a conclusive cut is as it must be.
func (c Cut) Agrees() bool { return c.Drift() == 0 && c.Hash.Epoch == c.Row.Epoch }

// Auditor compares the ledger with MySQL.
type Auditor struct {
	ledger *Ledger
	store  *Store
}

// NewAuditor returns an auditor.
func NewAuditor(ledger *Ledger, store *Store) *Auditor { return &Auditor{ledger, store} }

// Cuts looks at the given shows, or at all where none is given: Redis, then MySQL, then Redis again.
func (a *Auditor) Cuts(ctx context.Context, shows ...int64) (map[int64]Cut, error) {
	ids := shows
	if len(ids) == 0 {
		var err error
		if ids, err = a.store.after(ctx, 0, math.MaxInt64); err != nil || len(ids) == 0 {
			return nil, err
		}
	}
	before, now, err := a.ledger.hashes(ctx, ids)
	if err != nil {
		return nil, err
	}
	rows, err := a.store.Rows(ctx, shows...)
	if err != nil {
		return nil, err
	}
	// Before the second look: a fence that opens again after a restart has the shows distrusted first, which that look sees.
	fenced, err := a.ledger.Fenced(ctx)
	if err != nil {
		return nil, err
	}
	open := slices.DeleteFunc(slices.Clone(ids), func(show int64) bool { return before[show].State != "open" }) // of others nothing is concluded
	after, at, err := a.ledger.hashes(ctx, open)
	if err != nil {
		return nil, err
	}
	cuts := make(map[int64]Cut, len(rows))
	for show, row := range rows {
		hash, ok := after[show]
		if !ok {
			cuts[show] = Cut{Row: row, Hash: before[show], At: now}
			continue
		}
		cuts[show] = Cut{Row: row, Hash: hash, At: at, Conclusive: hash == before[show] && hash.Pending() == 0 &&
			!fenced[a.ledger.shards.Of(show)]}
	}
	return cuts, nil
}

// forsaken returns those of the given shows whose entries are lost: by their hash some wait to be recorded, and the stream has
// none, while nothing moved.
func (a *Auditor) forsaken(ctx context.Context, shows []int64) (map[int64]bool, error) {
	before, _, err := a.ledger.hashes(ctx, shows)
	if err != nil {
		return nil, err
	}
	missing := map[int]map[int64]bool{} // shows without an entry, by shard
	for show, hash := range before {
		if hash.State != "open" || hash.Pending() == 0 {
			continue
		}
		shard := a.ledger.shards.Of(show)
		if missing[shard] == nil {
			missing[shard] = map[int64]bool{}
		}
		missing[shard][show] = true
	}
	for shard, none := range missing {
		err := a.ledger.EachEntry(ctx, shard, func(entry redis.XMessage) bool {
			delete(none, showOf(entry))
			return len(none) > 0
		})
		if err != nil {
			return nil, err
		}
	}
	fenced, err := a.ledger.Fenced(ctx)
	if err != nil {
		return nil, err
	}
	after, _, err := a.ledger.hashes(ctx, shows)
	if err != nil {
		return nil, err
	}
	lost := map[int64]bool{}
	for shard, none := range missing {
		for show := range none {
			lost[show] = after[show] == before[show] && !fenced[shard]
		}
	}
	return lost, nil
}

// hashes reads the hashes of shows, and the time by Redis's clock before the last of them was read. Those of one shard and one
// chunk are read at one instant.
func (l *Ledger) hashes(ctx context.Context, shows []int64) (map[int64]Hash, time.Time, error) {
	snapshots := map[int64]Hash{}
	var now time.Time
	err := l.eachHash(ctx, shows, func(show int64, hash Hash, at time.Time) {
		snapshots[show] = hash
		now = at
	})
	return snapshots, now, err
}

// eachHash calls each with a show's hash and the instant, by Redis's clock, at which it was so. A shard that cannot be read does not
// hinder the others; the error names it.
func (l *Ledger) eachHash(ctx context.Context, shows []int64, each func(show int64, hash Hash, at time.Time)) error {
	var faults []error
	byShard := make([][]int64, l.shards.Len())
	for _, show := range shows {
		shard := l.shards.Of(show)
		byShard[shard] = append(byShard[shard], show)
	}
	for shard, shows := range byShard {
		for part := range slices.Chunk(shows, 500) {
			if err := l.look(ctx, shard, part, each); err != nil {
				faults = append(faults, fmt.Errorf("read the shows of shard %d: %w", shard, err))
				break
			}
		}
	}
	return errors.Join(faults...)
}

// look is eachHash for some shows of one shard.
func (l *Ledger) look(ctx context.Context, shard int, shows []int64, each func(show int64, hash Hash, at time.Time)) error {
	node, err := masterOf(ctx, l.client, l.shards.Entries(shard))
	if err != nil {
		return err
	}
	keys := make([]string, len(shows))
	for i, show := range shows {
		keys[i] = l.shards.Show(show)
	}
	reply, err := run(ctx, node, l.scripts.look, keys)
	if err != nil {
		return err
	}
	at := time.Unix(reply.number(0), reply.number(1)*1000).UTC()
	for i, show := range shows {
		values, _ := reply[i+2].([]any)
		fields := list(values)
		var hash Hash
		if len(fields) == 6 && fields[0] != nil && (fields[2] != nil || fields.text(0) == "paused") { // one that is being made has no units yet
			hash = Hash{State: fields.text(0), Epoch: fields.number(1), Left: int(fields.number(2)), Seq: fields.number(3), Settled: fields.number(4), PausedAt: fields.number(5)}
		}
		each(show, hash, at)
	}
	return nil
}
