package simulation

import (
	"fmt"
	"math/rand/v2"

	"github.com/neticket/neticket/internal/protocol"
)

// World is one schedule: servers, processes, and what was promised to customers.
type World struct {
	*cast
	seen     map[string]int
	random   *rand.Rand
	mistakes Mistakes
	luck     luck
	weights  [9]int // of the kinds of steps
	clock    int64  // ms; all servers' clocks agree
	shows    int64

	nodes  []*node
	master *node // where new connections lead
	judge  *judge
	late   []late // calls and commits that are still on their way
	forced []int  // what happens to the next calls, in a directed schedule

	clients   []*client
	workers   []*worker
	resyncs   []*resync
	guardians []*guardian
	born      int // processes so far, for names

	promises []promise // by reservation
	decided  map[deed]bool
	lost     map[deed]bool // entries whose reservation was called lost to its owner, without a row
	wanted   []bool        // shows that somebody wants resynced
	// skewed: a show's epoch was raised by somebody who was not connected to the master, so what the master sells may be of an old
	// one until it is loaded.
	skewed []bool
	// hasty: somebody said bump without having drained, and whoever takes over does not drain any more.
	hasty []bool

	step     int
	tracing  bool
	trace    []string
	violated string
}

// deed is an entry, whichever history holds it.
type deed struct {
	kind        byte
	reservation int
	epoch, seq  int64
}

func newWorld(random *rand.Rand, s *Simulator) *World {
	cast, mistakes := s.cast, s.mistakes
	w := &World{cast: cast, seen: s.Seen, random: random, mistakes: mistakes, clock: 1000, shows: 1 + random.Int64N(3)/2,
		decided: map[deed]bool{}, lost: map[deed]bool{}}
	w.promises = make([]promise, int(w.shows)*userCount*keyCount)
	w.luck = drawLuck(random)
	w.weights = drawWeights(random)
	w.judge = newJudge(w)
	w.wanted, w.skewed, w.hasty = make([]bool, w.shows), make([]bool, w.shows), make([]bool, w.shows)
	server := protocol.NewServer(int(w.shows), userCount)
	server.Mistakes = mistakes.Scripts
	w.addNode(server)
	for range 3 {
		w.clients = append(w.clients, &client{w: w, name: w.name("client")})
	}
	for range 2 {
		w.workers = append(w.workers, &worker{w: w, name: w.name("worker")})
	}
	for range 1 + w.random.IntN(2) {
		w.guardians = append(w.guardians, &guardian{w: w, name: w.name("guardian")})
	}
	return w
}

// open verifies the server and puts all shows on sale.
func (w *World) open() {
	for range 8 {
		w.guardians[0].step()
	}
	for show := range w.shows {
		r := w.addResync(show+1, true, nil)
		for r.at != done {
			r.do()
		}
	}
	w.resyncs = nil
}

func (w *World) name(role string) string {
	w.born++
	return fmt.Sprint(role, " ", w.born)
}

// say notes a step for the trace.
func (w *World) say(who, format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf("%4d %7d ms  %-12s ", w.step, w.clock, who)+fmt.Sprintf(format, args...))
}

// violate notes the first invariant that does not hold.
func (w *World) violate(format string, args ...any) {
	if w.violated == "" {
		w.violated = fmt.Sprintf(format, args...)
		if w.tracing {
			w.say("VIOLATED", "%s", w.violated)
		}
	}
}

// chance is true once in n times.
func (w *World) chance(n int) bool { return w.random.IntN(n) == 0 }
