package simulation

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/neticket/neticket/internal/protocol"
)

// directed is a world in which only that happens which a test writes down.
type directed struct {
	*World
	t *testing.T
	c *client
	r *resync
}

func direct(t *testing.T, mistakes Mistakes, shows int64) *directed {
	t.Helper()
	for seed := uint64(1); ; seed++ {
		w := newWorld(rand.New(rand.NewPCG(seed, 1)), New(mistakes))
		if w.shows != shows || len(w.guardians) != 1 {
			continue
		}
		w.luck, w.tracing = luck{}, true
		for i := range w.judge.stock {
			w.judge.stock[i].Capacity, w.judge.stock[i].Limit = 5, 0
		}
		w.open()
		return &directed{World: w, t: t, c: w.clients[0]}
	}
}

// book has a user reserve a unit over the first client's connection.
func (d *directed) book(user int64) int {
	d.t.Helper()
	return d.bookOf(1, user)
}

func (d *directed) bookOf(show, user int64) int {
	d.t.Helper()
	i := d.reservation(show, user, 0)
	if d.c.reserve(i, 1); !d.promises[i].accepted {
		d.t.Fatalf("not accepted:\n%s", strings.Join(d.trace, "\n"))
	}
	return i
}

// cancelIt has the owner of a confirmed reservation cancel it.
func (d *directed) cancelIt(i int) {
	d.t.Helper()
	d.c.cancel(i)
	for d.c.next != nil {
		d.c.step()
	}
	if !d.promises[i].cancel {
		d.t.Fatalf("the cancel is not accepted:\n%s", strings.Join(d.trace, "\n"))
	}
}

// commit has a worker read, commit what it got, and keep it in hand.
func (d *directed) commit(k *worker) {
	d.t.Helper()
	k.read()
	if len(k.batch) == 0 {
		k.claim()
	}
	if len(k.batch) == 0 {
		d.t.Fatalf("nothing to record:\n%s", strings.Join(d.trace, "\n"))
	}
	k.transact(len(k.batch))
}

func (d *directed) settleAll(k *worker) {
	for len(k.decisions) > 0 {
		k.settle()
		d.check()
	}
}

func (d *directed) record(k *worker) {
	d.t.Helper()
	d.commit(k)
	d.settleAll(k)
}

// begin starts a resync and goes on to a stage.
func (d *directed) begin(to stage) {
	d.t.Helper()
	d.r = d.addResync(1, true, nil)
	d.until(to)
}

func (d *directed) until(to stage) {
	d.t.Helper()
	for range 40 {
		if d.r.at == to {
			return
		}
		d.r.do()
		d.check()
	}
	d.t.Fatalf("the resync does not come to %s:\n%s", to, strings.Join(d.trace, "\n"))
}

// verify lets the guardian find the master and verify it.
func (d *directed) verify() {
	for range 9 {
		d.guardians[0].step()
	}
}

func (d *directed) restartAt(i int) {
	d.crash()
	d.cut(d.master, i)
	d.verify()
}

// A fail-over between drain and bump brings back a cancel that was settled; its units must not come back to the new epoch.
func settledTwice(d *directed) {
	i := d.book(1)
	d.record(d.workers[0])
	d.cancelIt(i)
	d.begin(drain)
	d.master.remember(d.World) // the cancel is not settled yet, the show is paused
	d.record(d.workers[0])
	d.until(bump)
	old := d.master
	d.failOver(old.past[0].server)
	old.up = false
	d.verify()
	d.until(done)
	d.wait(claimAfter)
	d.record(d.workers[1])
}

// A load whose answer was lost is sent again to a server that has forgotten the first one, before anybody has verified it. It opens the
// show with figures that are no longer true: nobody may sell by them, and who verifies the server unloads the show.
func loadedBehindTheFence(d *directed) {
	d.begin(load)
	d.master.remember(d.World)
	d.forced = []int{isLost}
	d.r.do()
	d.book(1)
	d.record(d.workers[0])
	d.crash()
	d.cut(d.master, 0)
	d.until(done)
	d.verify()
	d.check()
}

// A worker sleeps with a committed entry in hand; the server restarts without that entry, and gives its id to another one.
func idsRepeat(d *directed) {
	d.master.remember(d.World)
	d.book(1)
	sleeper, other := d.workers[0], d.workers[1]
	d.commit(sleeper)
	d.restartAt(0)
	d.begin(done)
	d.book(2)
	other.read()
	d.check()
	d.settleAll(sleeper)
	other.transact(len(other.batch))
	d.settleAll(other)
}

// A cancel is accepted by an old master after the new one was loaded; it must not count.
func staleCancel(d *directed) {
	i := d.book(1)
	d.record(d.workers[0])
	old := d.master
	d.failOver(old.server)
	d.verifyToo()
	d.begin(done)
	d.cancelIt(i) // over the client's old connection
	d.commit(d.workers[0])
	d.settleAll(d.workers[0])
}

// verifyToo has a second guardian verify the master, while the first stays where it was.
func (d *directed) verifyToo() {
	g := &guardian{w: d.World, name: d.name("guardian")}
	d.guardians = append(d.guardians, g)
	for range 9 {
		g.step()
	}
}

// The answer of load is lost, units are sold, and a restart forgets both: the very same load, sent again, would sell them again.
func loadAgain(d *directed) {
	d.begin(load)
	d.master.remember(d.World)
	d.forced = []int{isLost}
	d.r.do()
	d.book(1)
	d.commit(d.workers[0])
	d.restartAt(0)
	d.until(done)
	d.c.reserve(d.reservation(1, 2, 0), 1) // if it is let
}

// A load arrives late, while the resync holds the show again after a newer load of its own, whose answer was lost.
func oldLoad(d *directed) {
	d.begin(load)
	d.forced = []int{isLate}
	d.r.do()
	d.until(load)
	d.forced = []int{isLost}
	d.r.do()
	d.book(1)
	d.record(d.workers[0])
	d.until(check)
	d.arrive(0)
	d.until(done)
}

// The first load comes to the server late: when a second attempt has said bump, if there is one.
func lateLoad(d *directed) {
	d.begin(load)
	d.forced = []int{isLate}
	d.r.do()
	for d.r.at != raise && d.r.at != done {
		d.r.do()
	}
	d.arrive(0)
	d.until(done)
}

// A lost history brings back a token: a resync sleeps before its load and is robbed; the server restarts as it was when the sleeper held the show, and
// the robber, who has said bump, raises the epoch; then the sleeper wakes.
func tokenComesBack(d *directed) {
	d.begin(load)
	sleeper := d.r
	d.master.remember(d.World)
	d.wait(takeOver)
	d.begin(raise)
	d.step++
	d.restartAt(0)
	d.until(build)
	sleeper.do()
	d.until(done)
}

// Directed schedules for what random ones seldom meet: each is kept by the protocol and broken by the mistake.
func TestDirected(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		mistakes Mistakes
		lives    func(*directed)
		finds    string
		base     Mistakes // what is kept
	}{
		"settle in any epoch":        {Mistakes{Scripts: protocol.Mistakes{SettleAnyEpoch: true}}, settledTwice, "I2", Mistakes{}},
		"settle whatever has the id": {Mistakes{Scripts: protocol.Mistakes{SettleAnyEntry: true}}, idsRepeat, "I9", Mistakes{}},
		"a stale cancel is allowed":  {Mistakes{StaleCancel: true}, staleCancel, "I12", Mistakes{}},
		"load though distrusted":     {Mistakes{Scripts: protocol.Mistakes{LoadDistrusted: true}}, tokenComesBack, "I15", Mistakes{}},
		"load is sent again":         {Mistakes{Scripts: protocol.Mistakes{LoadDistrusted: true}}, loadAgain, "I2", Mistakes{}},
		"nobody verifies":            {Mistakes{NoVerify: true}, loadedBehindTheFence, "I2", Mistakes{}},
		"load begins again":          {Mistakes{LoadAnew: true}, lateLoad, "I15", Mistakes{}},
		"load over a newer epoch": {Mistakes{LoadAnew: true, Scripts: protocol.Mistakes{LoadAnyEpoch: true}}, oldLoad, "I15",
			Mistakes{LoadAnew: true}}, // only who begins again with a load under way meets it
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lives := func(mistakes Mistakes) *directed {
				d := direct(t, mistakes, 1)
				test.lives(d)
				if d.violated == "" {
					d.check()
				}
				if d.violated == "" {
					d.rest()
				}
				return d
			}
			if d := lives(test.base); d.violated != "" {
				t.Errorf("the protocol itself: %s\n%s", d.violated, strings.Join(d.trace, "\n"))
			}
			d := lives(test.mistakes)
			if !strings.HasPrefix(d.violated, test.finds) {
				t.Errorf("with the mistake: %q, want %s\n%s", d.violated, test.finds, strings.Join(d.trace, "\n"))
			}
			t.Log(d.violated)
		})
	}
}

// Who finds a stream or a group lost distrusts what was in it before it is made anew, so whoever gives up or dies leaves nobody on
// sale with counts that can never come to rest. A pause that makes it at once leaves that to the audit.
func TestStreamLost(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		show    int64
		ends    func(*directed)
		audited bool // where the stream is made at once
	}{
		"he gives up":                            {1, func(d *directed) { d.until(check); d.r.fail(); d.until(done) }, false},
		"he dies before he distrusts the others": {2, func(d *directed) { d.r.do(); d.resyncs = nil }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, atOnce := range []bool{false, true} {
				d := direct(t, Mistakes{Scripts: protocol.Mistakes{MakeAtOnce: atOnce}}, 2)
				i := d.bookOf(test.show, 1)
				d.deleteStream(d.master)
				d.begin(pause)
				test.ends(d)
				if d.rest(); d.violated != "" {
					t.Errorf("%s\n%s", d.violated, strings.Join(d.trace, "\n"))
				}
				if audits := d.seen["rest: only the audit sees entries that are gone"]; (atOnce && test.audited) != (audits > 0) {
					t.Errorf("made at once %v: %d shows left to the audit\n%s", atOnce, audits, strings.Join(d.trace, "\n"))
				}
				if row := d.judge.rows[i]; row != nil {
					t.Errorf("the lost booking has a row: %+v", row)
				}
			}
		})
	}
}
