package simulation

import (
	"slices"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/stock"
)

// rest ends all faults and all processes, starts new ones, and lets them work until nothing is left to do. Then everything that
// was promised must be kept, and every show be on sale with exactly what MySQL says is left.
func (w *World) rest() {
	w.calm()
	for round := 0; ; round++ {
		w.record()
		busy := false
		for show := int64(1); show <= w.shows; show++ {
			if w.sick(show) {
				busy = true
				w.heal(show)
			}
		}
		w.check()
		if !busy || w.violated != "" {
			break
		}
		if round == 20 {
			w.violate("I15: it never comes to rest")
			return
		}
	}
	for show := int64(1); show <= w.shows && w.violated == ""; show++ {
		w.checkShow(show)
	}
	for i := range w.promises {
		if w.violated == "" {
			w.checkPromise(i)
		}
	}
}

// calm ends what goes on: processes die, what is on its way arrives or does not, servers that are not the master are gone.
func (w *World) calm() {
	if w.tracing {
		w.say("REST", "all processes restart, and nothing goes wrong any more")
	}
	w.luck = luck{}
	for _, g := range slices.Clone(w.guardians) {
		g.die()
	}
	for len(w.late) > 0 {
		w.arrive(0)
	}
	for _, n := range w.nodes {
		if n == w.master && !n.up {
			n.restart(w, n.server.Clone())
		}
		n.up = n == w.master
	}
	w.resyncs, w.clients = nil, nil
	clear(w.wanted)
	w.workers = []*worker{{w: w, name: w.name("worker")}}
	w.guardians = []*guardian{{w: w, name: w.name("guardian")}}
	w.clock += 2 * takeOver
	for range 8 {
		w.guardians[0].step()
	}
	if w.master.server.Subscribers != 1 {
		w.violate("the fence: %d guardians, at rest", w.master.server.Subscribers)
	}
}

// record has the worker do all that there is to do.
func (w *World) record() {
	k := w.workers[0]
	// Entries without an owner are seen twice before they are taken, so two rounds without progress do not mean that it is done.
	for idle, before := 0, -1; idle < 3; {
		for _, look := range []func(){k.read, k.claim, k.sweep} {
			look()
			for range 100 {
				if k.idle() {
					break
				}
				k.step()
			}
		}
		w.clock += 2 * claimAfter
		idle++
		if left := len(w.master.server.Entries()); left != before {
			idle, before = 0, left
		}
	}
	if !k.idle() {
		w.violate("I9: the worker cannot finish what it has in hand")
	}
}

// sick reports whether somebody has to look after a show, as a request, the flusher or the audit would find. What no declared
// fault explains is a violation.
func (w *World) sick(show int64) bool {
	n, row := w.master, w.judge.row(show)
	h := n.server.Show(show)
	entries := 0
	for _, e := range n.server.Entries() {
		if parse(e.Show) == show {
			entries++
		}
	}
	switch {
	case h.Text("state") != "open", n.server.Stream == nil, n.server.Stream.Group == nil:
		return true
	case h.Number("epoch") != row.Epoch:
		if !w.skewed[show-1] && !n.broken[show-1] {
			w.violate("I15: show %d is open under epoch %d, the stock has %d", show, h.Number("epoch"), row.Epoch)
		}
		w.seen["rest: open under an older epoch"]++
		return true
	case entries > 0:
		w.violate("I9: %d entries of show %d stay in the stream", entries, show)
		return true
	case h.Text("seq") != h.Text("settled"):
		if !n.broken[show-1] {
			w.violate("I9: show %d has made %s entries, settled %s, and none is in the stream", show, h.Text("seq"), h.Text("settled"))
		}
		w.seen["rest: only the audit sees entries that are gone"]++
		return true
	case h.Number("left") != int64(row.Capacity-row.Reserved):
		if !n.broken[show-1] && n.extra[show-1] == 0 && w.refused(row) == 0 {
			w.violate("I6: show %d has %d units left, should have %d", show, h.Number("left"), row.Capacity-row.Reserved)
		}
		w.seen["rest: only the audit sees the drift"]++
		return true
	}
	return false
}

// heal resyncs a show from beginning to end, the worker draining it.
func (w *World) heal(show int64) {
	r := w.addResync(show, true, nil)
	for range 60 {
		if r.do(); r.at == done {
			break
		}
		if r.at == drain {
			w.record()
		}
	}
	w.resyncs = nil
}

func (w *World) checkShow(show int64) {
	n, row := w.master, w.judge.row(show)
	h := n.server.Show(show)
	if h.Text("state") != "open" || h.Number("epoch") != row.Epoch {
		w.violate("I15: show %d is %q under epoch %s, the stock has %d", show, h.Text("state"), h.Text("epoch"), row.Epoch)
	}
	if left := h.Number("left"); left != int64(row.Capacity-row.Reserved) || h.Text("seq") != h.Text("settled") {
		w.violate("I6: show %d has %d units left, should have %d", show, left, row.Capacity-row.Reserved)
	}
	for user := int64(1); user <= userCount; user++ {
		counted := n.server.UsersOf(show).Number(itoa(user))
		if row.Limit > 0 && !n.hints[show-1] && counted != int64(w.judge.held(show, user)) {
			w.violate("I6: user %d of show %d is counted %d units, holds %d", user, show, counted, w.judge.held(show, user))
		}
	}
}

// checkPromise looks at what became of a reservation.
func (w *World) checkPromise(i int) {
	p, row, user := w.promises[i], w.judge.rows[i], w.userOf(i)
	epoch := w.judge.row(w.showOf(i)).Epoch
	marker := func(field string) (stock.Marker, bool) {
		text, _ := w.master.server.Marker(user, field)
		return stock.ParseMarker(text)
	}
	if row != nil {
		w.checkView(i, p, row.Status)
		if m, ok := marker(stock.CancelField(w.names[i])); ok && row.Status == booking.Confirmed && m.Epoch == epoch {
			w.violate("I5: %s is cancelling for ever", w.about(i))
		}
		if p.cancel && !p.voidable && row.Status != booking.Cancelled {
			w.violate("I5: the cancel of %s was accepted, and it is %s", w.about(i), row.Status)
		}
		return
	}
	switch m, ok := marker(stock.ReserveField(w.names[i])); {
	case ok && m.Epoch >= epoch:
		w.violate("I5: %s is pending for ever", w.about(i))
	case p.accepted && !p.forgiven:
		w.violate("I5: %s was accepted and has no row, and nobody lost anything", w.about(i))
	case p.confirmed:
		w.violate("I4: %s was confirmed and has no row", w.about(i))
	}
}
