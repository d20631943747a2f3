package simulation

import (
	"strconv"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/protocol"
)

// promise is what the owner of a reservation was told.
type promise struct {
	accepted  bool // answered 202, or 200
	forgiven  bool // Redis lost history before it was recorded: it may end as lost, or as 404
	blind     bool // its marker was deleted: it may look like 404 until it is recorded
	confirmed bool // seen as confirmed
	asked     bool // its owner sent a cancel
	cancel    bool // the cancel was answered 202
	voidable  bool // Redis lost history since the cancel: it may be void
}

// accept notes a 202 that came over a connection.
func (w *World) accept(reservation int, c conn) {
	p := &w.promises[reservation]
	p.accepted = true
	if c.node != w.master || w.skewed[w.showOf(reservation)-1] {
		p.forgiven = true
	}
}

// acceptCancel is accept for a cancel.
func (w *World) acceptCancel(reservation int, c conn) {
	p := &w.promises[reservation]
	p.cancel, p.voidable = true, p.voidable || c.node != w.master || w.skewed[w.showOf(reservation)-1]
}

// forgive allows all that is not recorded to be lost: Redis lost history. With a show, only that show's.
func (w *World) forgive(shows ...int64) {
	for i := range w.promises {
		if len(shows) > 0 && w.showOf(i) != shows[0] {
			continue
		}
		p := &w.promises[i]
		if w.judge.rows[i] == nil {
			p.forgiven = true
		}
		if row := w.judge.rows[i]; p.asked && (row == nil || row.Status != booking.Cancelled) {
			p.voidable = true
		}
	}
}

// deedOf names an entry.
func (w *World) deedOf(e booking.Entry) deed {
	return deed{e.Kind[0], w.index[e.ID.String()], e.Epoch, e.Seq}
}

// entry reads an entry of the stream, as the recorder does.
func (w *World) entry(e *protocol.Entry) booking.Entry {
	i := w.index[e.Reservation]
	decoded := booking.Entry{Entry: e.ID.String(), Kind: booking.Kind(e.Kind), ID: w.ids[i], Show: w.showOf(i),
		Units: int(parse(e.Units)), Epoch: parse(e.Epoch), Seq: parse(e.Seq)}
	decoded.User = parse(e.User)
	return decoded
}

func parse(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}
