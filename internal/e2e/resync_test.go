package e2e

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/system/systemtest"
)

var (
	rounds = flag.Int("rounds", 8, "rounds of TestTwoResyncs")
	seed   = flag.Uint64("seed", 0, "draws the rounds of TestTwoResyncs again as they were; 0: draws new ones")
)

// round is one of two resyncs at once.
type round struct {
	at   *step // where B's is held while A's is sent; nil: it is not, and the two meet as they will
	kill bool  // B is killed there
	fate systemtest.Fate
	late bool // what the dead B sent arrives after the show was taken over
	slow bool // it is held for longer than a dead holder would be respected, and is not robbed
}

// draw returns n rounds, in half of which B is killed. Many rounds have each step as often as any other.
func draw(n int, seed uint64) []round {
	rng := rand.New(rand.NewPCG(seed, 0))
	steps := rng.Perm(len(resyncSteps))
	all := make([]round, n)
	for i := range all {
		at := &resyncSteps[steps[i/2%len(steps)]]
		all[i].kill = i%2 == 1
		if all[i].kill || rng.IntN(2) == 0 {
			all[i].at = at
		}
		if all[i].kill && rng.IntN(2) == 0 {
			all[i].fate = systemtest.LoseRequest
		}
		// Not so in MySQL: the proxy would keep a dead process's connection, and with it its locks, alive.
		all[i].slow = !all[i].kill && all[i].at != nil && at.paused && !at.redis // for Redis, B itself has less patience
		all[i].late = all[i].kill && all[i].fate == systemtest.Deliver && at.redis && rng.IntN(2) == 0
	}
	rng.Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func (r round) String() string {
	if r.at == nil {
		return "both at once"
	}
	text := "held at: " + r.at.name
	if r.kill {
		text += map[systemtest.Fate]string{systemtest.Deliver: ", killed, delivered", systemtest.LoseRequest: ", killed, lost"}[r.fate]
	}
	if r.late {
		text += " late"
	}
	if r.slow {
		text += " for long"
	}
	return text
}

// TestTwoResyncs: two resyncs at once while 64 people book and cancel. One wins, the other is told that it runs; the sale goes
// on. In half of the rounds one of them is killed at some step.
func TestTwoResyncs(t *testing.T) {
	t.Parallel()
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("go test ./internal/e2e -run TestTwoResyncs -rounds %d -seed %d", *rounds, *seed)
	d := newDuel(t)
	for i, r := range draw(*rounds, *seed) {
		t.Logf("round %d: %v", i+1, r)
		d.play(t, r)
		if t.Failed() {
			t.Fatalf("round %d went wrong: %v", i+1, r)
		}
	}
	t.Logf("the slowest take-over took %v", d.slowest)
	// Not even where B died after the bump is a booking lost: entries are recorded before, and none can come in until the load.
	d.crowd.ended(t, d.deployment, "paused", "sold_out", "limit_reached", "pending")
	servertest.Eventually(t, 10*time.Second, "the show rests", func() bool { return d.cut(t, d.show).Conclusive })
	if cut := d.cut(t, d.show); !cut.Agrees() {
		t.Errorf("at the end: %+v", cut)
	}
	d.sound(t)
	for name, value := range d.flusher.metrics(t) {
		if strings.HasPrefix(name, `neticket_resyncs_total{cause="drift"`) && value > 0 {
			t.Errorf("the audits took a resync for a fault: %s %v", name, value)
		}
	}
}
