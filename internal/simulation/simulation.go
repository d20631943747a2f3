// Package simulation lives through the whole protocol with an unlucky scheduler: API clients, workers, resyncs and guardians,
// each as a machine of single steps, on the model of Redis in package protocol and a model of MySQL. What a step does is what
// the product does between two moments at which it may be interrupted; whose step is next, which answer is lost, who dies,
// wakes late or finds another server is drawn from a seed. The recorder's decisions are the product's own: booking.Plan.
//
// After every step the invariants are checked (invariants.go); at the end the faults stop, everything comes to rest, and what
// was promised must be kept (rest.go). The same seed gives the same schedule, for ever: no goroutines, no clock, and no map's
// order has any influence. The package owns no state of the product; only tests use it.
package simulation

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/booking"
)

// Size of the world: few of everything, so that they meet often.
const (
	mostShows = 2
	userCount = 3
	keyCount  = 3
	steps     = 160
)

// cast are the reservations that may ever be, by user, show and request key.
type cast struct {
	ids   []uuid.UUID
	names []string
	index map[string]int
}

func newCast() *cast {
	c := &cast{index: map[string]int{}}
	for show := range int64(mostShows) {
		for user := range int64(userCount) {
			for key := range keyCount {
				id := booking.NewID(user+1, show+1, fmt.Sprint(key))
				c.index[id.String()] = len(c.ids)
				c.ids, c.names = append(c.ids, id), append(c.names, id.String())
			}
		}
	}
	return c
}

// reservation returns the index of a reservation.
func (c *cast) reservation(show, user int64, key int) int {
	return (int(show-1)*userCount+int(user-1))*keyCount + key
}

func (c *cast) showOf(reservation int) int64 { return int64(reservation/(userCount*keyCount)) + 1 }
func (c *cast) userOf(reservation int) int64 { return int64(reservation/keyCount%userCount) + 1 }

// Simulator runs schedules of the protocol, or of one with mistakes. It is not safe for concurrent use.
type Simulator struct {
	// Seen counts what happened in all schedules so far, so that a test can tell that nothing important never does.
	Seen map[string]int

	cast     *cast
	mistakes Mistakes
}

// New returns a simulator; without mistakes, of the protocol as it is.
func New(mistakes Mistakes) *Simulator {
	return &Simulator{Seen: map[string]int{}, cast: newCast(), mistakes: mistakes}
}

// Violation is an invariant that a schedule broke.
type Violation struct {
	Seed  uint64
	What  string
	Trace []string // the steps that led there
}

func (v *Violation) Error() string {
	return fmt.Sprintf("seed %d: %s\n%s", v.Seed, v.What, strings.Join(v.Trace, "\n"))
}

// Run lives through the schedule of a seed and returns the first violation, or nil.
func (s *Simulator) Run(seed uint64) *Violation {
	w := s.world(seed)
	w.live()
	if w.violated == "" {
		return nil
	}
	again := s.world(seed) // only now, with every step noted
	again.tracing = true
	again.live()
	return &Violation{Seed: seed, What: again.violated, Trace: again.trace}
}

// Trace returns the steps of a seed's schedule.
func (s *Simulator) Trace(seed uint64) []string {
	w := s.world(seed)
	w.tracing = true
	w.live()
	return w.trace
}

func (s *Simulator) world(seed uint64) *World {
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a schedule must come again from its seed
	return newWorld(random, s)
}
