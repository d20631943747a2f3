package simulation

import (
	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/protocol"
	"github.com/neticket/neticket/internal/stock"
)

// check looks at what must hold after every step.
func (w *World) check() {
	for i := range w.judge.stock {
		row := w.judge.stock[i]
		if confirmed := w.judge.confirmed(row.Show); row.Reserved != confirmed || row.Reserved < 0 || row.Reserved > row.Capacity {
			w.violate("I1: show %d has reserved %d, confirmed %d, capacity %d", row.Show, row.Reserved, confirmed, row.Capacity)
		}
		for _, n := range w.nodes {
			if n.up {
				w.checkUnits(n, row)
			}
		}
	}
}

// checkUnits is I2: within an epoch every unit is in one place. Where the hash is of another epoch than the stock, nothing that
// it sells can be confirmed, and it is not asked.
func (w *World) checkUnits(n *node, row stock.Row) {
	n.onSale(row.Show)
	h := n.server.Show(row.Show)
	if !h.Has("epoch") || !h.Has("left") || h.Number("epoch") != row.Epoch || n.broken[row.Show-1] {
		return
	}
	var queued, owed, entries int64
	var users [userCount]int64 // what the units per user must say
	for user := range users {
		users[user] = int64(w.judge.held(row.Show, int64(user)+1))
	}
	for _, e := range n.server.Entries() {
		if parse(e.Show) != row.Show || parse(e.Epoch) != row.Epoch {
			continue
		}
		entries++
		q, g, count := w.weigh(e)
		queued, owed = queued+q, owed+g
		users[parse(e.User)-1] += count
	}
	refused := w.refused(row)
	left, extra := h.Number("left"), n.extra[row.Show-1]
	if left+int64(row.Reserved)+queued+owed+refused != int64(row.Capacity)+extra {
		w.violate("I2: show %d on %s, epoch %d: left %d + reserved %d + queued %d + owed %d + refused %d is not capacity %d%+d",
			row.Show, n.name, row.Epoch, left, row.Reserved, queued, owed, refused, row.Capacity, extra)
	}
	if seq, settled := h.Number("seq"), h.Number("settled"); seq-settled != entries {
		w.violate("I9: show %d on %s, epoch %d: %d entries made, %d settled, %d in the stream", row.Show, n.name, row.Epoch, seq, settled, entries)
	}
	if row.Limit == 0 || n.hints[row.Show-1] {
		return
	}
	for user, units := range users {
		if counted := n.server.UsersOf(row.Show).Number(itoa(int64(user) + 1)); counted != units {
			w.violate("I2: show %d on %s, epoch %d: user %d is counted %d units, should be %d", row.Show, n.name, row.Epoch, user+1, counted, units)
		}
	}
}

// refused sums up the units that were sold too much in the stock's epoch, and are never given back.
func (w *World) refused(row stock.Row) int64 {
	units := 0
	for _, r := range w.judge.rows {
		if r != nil && r.Show == row.Show && r.Epoch == row.Epoch && r.Reason == booking.SoldOut {
			units += r.Units
		}
	}
	return int64(units)
}

// weigh returns the units of an unsettled entry that wait for a row, the units that its settlement gives back to left, and
// those that the user's count has beyond his confirmed units because of it.
func (w *World) weigh(e *protocol.Entry) (queued, owed, count int64) {
	row, units := w.judge.rows[w.index[e.Reservation]], parse(e.Units)
	own := row != nil && row.Epoch == parse(e.Epoch) && row.Seq == parse(e.Seq)
	switch {
	case e.Kind == "cancel":
		if row != nil && row.Status == booking.Cancelled && row.CancelEpoch == parse(e.Epoch) && row.CancelSeq == parse(e.Seq) {
			return 0, int64(row.Units), int64(row.Units)
		}
		return 0, 0, 0
	case row == nil:
		return units, 0, units
	case !own:
		return 0, units, units
	case row.Reason == booking.LimitReached || row.Reason == booking.Failed:
		return 0, units, units
	case row.Reason == booking.SoldOut:
		return 0, 0, units
	}
	return 0, 0, 0
}

// checkInsert looks at a row that is committed now.
func (w *World) checkInsert(row *booking.Row) {
	i := w.index[row.ID.String()]
	p, s := w.promises[i], w.judge.row(row.Show)
	if w.judge.rows[i] != nil {
		w.violate("I3: %s has a row already", w.about(i))
	}
	switch {
	case row.Reason == booking.Lost:
		if p.accepted && !p.forgiven {
			w.violate("I5: %s is recorded as lost, and nobody lost anything", w.about(i))
		}
	case row.Status == booking.Rejected:
	case row.Epoch != s.Epoch:
		w.violate("I12: %s is confirmed under epoch %d, the stock has %d", w.about(i), row.Epoch, s.Epoch)
	case w.lost[deed{'r', i, row.Epoch, row.Seq}]:
		w.violate("I4: %s was called lost and is confirmed", w.about(i))
	case row.Status == booking.Confirmed && s.Limit > 0 && w.judge.held(row.Show, row.User)+row.Units > s.Limit:
		w.violate("I8: user %d of show %d holds %d units and gets %d more, the limit is %d", row.User, row.Show,
			w.judge.held(row.Show, row.User), row.Units, s.Limit)
	}
	if row.Status == booking.Cancelled && !p.asked {
		w.violate("I4: %s is cancelled, and its owner did not ask for it", w.about(i))
	}
}

// checkCancel looks at a row that is cancelled now.
func (w *World) checkCancel(was, row *booking.Row) {
	i := w.index[row.ID.String()]
	switch {
	case was == nil || was.Status != booking.Confirmed:
		w.violate("I7: %s is cancelled, and was not confirmed", w.about(i))
	case !w.promises[i].asked:
		w.violate("I4: %s is cancelled, and its owner did not ask for it", w.about(i))
	case row.CancelEpoch != w.judge.row(row.Show).Epoch:
		w.violate("I12: %s is cancelled under epoch %d, the stock has %d", w.about(i), row.CancelEpoch, w.judge.row(row.Show).Epoch)
	}
}

// checkRemoved looks at an entry that was settled now.
func (w *World) checkRemoved(e booking.Entry) {
	if !w.decided[w.deedOf(e)] {
		w.violate("I9: entry %s (%s) left the stream before its row was committed", e.Entry, w.about(w.index[e.ID.String()]))
	}
}

// checkLost looks at a reservation without a row that is called lost.
func (w *World) checkLost(i int, marker stock.Marker) {
	w.lost[deed{'r', i, marker.Epoch, marker.Seq}] = true
	if row := w.judge.rows[i]; row != nil && row.Status != booking.Rejected {
		w.violate("I4: %s is %s and called lost", w.about(i), row.Status)
	}
}

// checkView looks at what an owner is told who knew that much when he asked.
func (w *World) checkView(i int, known promise, status booking.Status) {
	p := &w.promises[i]
	switch status {
	case booking.Confirmed, booking.Cancelling:
		p.confirmed = true
		return
	case booking.Cancelled:
		if !p.asked {
			w.violate("I4: %s looks cancelled, and its owner did not ask for it", w.about(i))
		}
		return
	case booking.Pending, booking.Rejected:
		if status == booking.Rejected && w.judge.rows[i] == nil && known.accepted && !p.forgiven {
			w.violate("I5: %s is called lost, and nobody lost anything", w.about(i))
		}
	default:
		if known.accepted && !p.forgiven && !p.blind {
			w.violate("I14: %s was accepted and is not found", w.about(i))
		}
	}
	if known.confirmed {
		w.violate("I4: %s was confirmed and is %q", w.about(i), status)
	}
}
