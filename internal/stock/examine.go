package stock

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/neticket/neticket/internal/diagnosis"
)

// ExamineStore looks at what the deployment keeps in MySQL, and whether that takes writes. What it writes it takes back. The flusher
// writes back every interval.
func ExamineStore(ctx context.Context, s *Store, shards int, interval time.Duration) (d diagnosis.Diagnosis) {
	if err := s.tryWrite(ctx); err != nil {
		d.Fault("mysql.writes", "see the message: is the server read-only, its disk full, the user not allowed to?", "MySQL refuses a write: %v", err)
	} else {
		d.OK("mysql.writes", "MySQL takes a write")
	}
	switch stored, err := s.checkShards(ctx, shards); {
	case err != nil:
		d.Fault("settings.shards", "set NETICKET_SHARDS as it was when the deployment began, in every process", "%v", err)
	case !stored:
		d.OK("settings.shards", "the number of shards, %d, is stored by the first process that starts", shards)
	default:
		d.OK("settings.shards", "the deployment has %d shards", shards)
	}
	const mend = "start a flusher; if one runs, see its log, and whether it has another NETICKET_FLUSH_INTERVAL"
	switch ago, ever, err := s.sinceFlush(ctx); {
	case err != nil:
		d.Fault("flusher.write_back", mend, "%v", err)
	case !ever:
		d.Fault("flusher.write_back", mend, "the units left were never written back to MySQL")
	case ago > 3*interval+time.Second: // whole seconds are told
		d.Fault("flusher.write_back", mend, "the units left were last written back to MySQL %v ago", ago)
	default:
		d.OK("flusher.write_back", "the units left were written back to MySQL %v ago", ago)
	}
	return d
}

// Examine looks at the guardians of all shards and at the stock of all shows, and changes nothing. A resync that has been silent
// for takeOver is dead.
func (a *Auditor) Examine(ctx context.Context, takeOver time.Duration) (d diagnosis.Diagnosis) {
	const start = "start an api, a worker or a flusher; if one runs, see its log for the word fence"
	switch fenced, err := a.ledger.Fenced(ctx); {
	case err != nil:
		d.Fault("stock.guardians", "see Redis", "the guardians cannot be asked for: %v", err)
	case len(fenced) == a.ledger.shards.Len():
		d.Fault("stock.guardians", start, "no process runs: nothing can be booked or cancelled")
	case len(fenced) > 0:
		d.Fault("stock.guardians", start, "nobody vouches for the Redis server of %d of %d shards: nothing of them can be booked or cancelled", len(fenced), a.ledger.shards.Len())
	default:
		d.OK("stock.guardians", "all shards have a guardian")
	}
	cuts, err := a.Cuts(ctx)
	if err != nil {
		d.Fault("stock.drift", "see Redis and MySQL", "the stock cannot be looked at: %v", err)
		return d
	}
	drifting := which(cuts, func(c Cut) bool { return c.Conclusive && !c.Agrees() })
	if len(drifting) > 0 {
		d.Fault("stock.drift", "the flusher's audit resyncs them, or `neticket stock resync SHOW` does", "Redis and MySQL differ in the units left of %s", some(drifting))
	} else {
		d.OK("stock.drift", "Redis and MySQL agree about all shows at rest, of %d; `neticket stock check` looks at the reservations too", len(cuts))
	}
	if stuck, err := a.stuck(ctx, cuts, takeOver); err != nil {
		d.Fault("stock.stuck", "see Redis and MySQL", "the stock cannot be looked at: %v", err)
	} else if len(stuck) > 0 {
		d.Fault("stock.stuck", "start a flusher, which takes them over; or `neticket stock resync SHOW`", "resyncs died and left off sale %s", some(stuck))
	} else {
		d.OK("stock.stuck", "no show was left off sale by a resync that died")
	}
	return d
}

// stuck returns the shows that are stuck and stay so: the flusher may be about to take them over.
func (a *Auditor) stuck(ctx context.Context, cuts map[int64]Cut, takeOver time.Duration) ([]int64, error) {
	stuck := which(cuts, func(c Cut) bool { return c.Hash.Stuck(c.At, takeOver) })
	if len(stuck) == 0 || !sleep(ctx, 2*time.Second) {
		return stuck, ctx.Err()
	}
	again, err := a.Cuts(ctx, stuck...)
	if err != nil {
		return nil, err
	}
	return which(again, func(c Cut) bool { return c.Hash.Stuck(c.At, takeOver) }), nil
}

// which returns the shows whose cut is so, in order.
func which(cuts map[int64]Cut, so func(Cut) bool) []int64 {
	cuts = maps.Clone(cuts)
	maps.DeleteFunc(cuts, func(_ int64, c Cut) bool { return !so(c) })
	return slices.Sorted(maps.Keys(cuts))
}

// some names shows: the first of them, if they are many.
func some(shows []int64) string {
	const most = 10
	text := "show " + strings.Trim(strings.ReplaceAll(fmt.Sprint(shows[:min(most, len(shows))]), " ", ", "), "[]")
	if more := len(shows) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
