package simulation

import (
	"flag"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var (
	seed      = flag.Uint64("seed", 0, "the first seed; 0: any, and for the mistakes always the same")
	schedules = flag.Int("schedules", 4000, "how many schedules of the protocol are lived through")
)

// firstSeed is the flag's, or else any: new schedules every time.
func firstSeed() uint64 {
	if *seed != 0 {
		return *seed
	}
	return rand.Uint64() >> 16 // short enough to type
}

// mustHappen is what the schedules are about; where it never happens, they prove nothing.
var mustHappen = []string{
	"reserve: ok", "reserve: repeat", "reserve: sold_out", "reserve: limit", "reserve: fenced", "reserve: paused", "reserve: unloaded",
	"cancel: ok", "cancel: repeat", "recorded: confirmed", "recorded: cancelled", "recorded: delivered_again", "recorded: rejected_lost",
	"recorded: rejected_sold_out", "recorded: rejected_error", "recorded: taken_twice", "raise: the epoch is another", "resume: bumped",
	"resume: ok", "resume: lost", "load: lost", "bump: lost", "beat: lost", "pause: running", "settle: not all", "sweep: taken", "joined", "reserve: failed",
}

// The protocol keeps its invariants in every schedule.
func TestProtocol(t *testing.T) {
	t.Parallel()
	first, began := firstSeed(), time.Now()
	s := New(Mistakes{})
	for i := range uint64(*schedules) {
		if v := s.Run(first + i); v != nil {
			t.Fatalf("schedule %d, again with -run TestProtocol -schedules 1 -seed %d: %v", i+1, v.Seed, v)
		}
	}
	for _, what := range mustHappen {
		if s.Seen[what] == 0 && *schedules >= 4000 {
			t.Errorf("never happened in %d schedules from seed %d: %s", *schedules, first, what)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(s.Seen)) {
		t.Logf("%9d %s", s.Seen[what], what)
	}
	t.Logf("%d schedules from seed %d, %.0f a second", *schedules, first, float64(*schedules)/time.Since(began).Seconds())
}
