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
	seed      = flag.Uint64("seed", 0, "the first seed; 0: any")
	schedules = flag.Int("schedules", 3000, "how many schedules of the protocol are lived through")
)

func firstSeed() uint64 {
	if *seed != 0 {
		return *seed
	}
	return rand.Uint64() >> 16 //nolint:gosec // short ones are easier to type
}

// The protocol keeps its invariants in every schedule.
func TestProtocol(t *testing.T) {
	t.Parallel()
	first, began := firstSeed(), time.Now()
	s := New(Mistakes{})
	for i := range uint64(*schedules) {
		if v := s.Run(first + i); v != nil {
			t.Fatalf("schedule %d: %v", i+1, v)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(s.Seen)) {
		t.Logf("%9d %s", s.Seen[what], what)
	}
	t.Logf("%d schedules from seed %d, %.0f a second", *schedules, first, float64(*schedules)/time.Since(began).Seconds())
}
