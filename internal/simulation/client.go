package simulation

import (
	"strings"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/protocol"
	"github.com/neticket/neticket/internal/stock"
)

// remember is how long requests are remembered, in seconds. Less than that passes in a schedule.
const remember = 48 * 3600

// client is one request at a time to the API, of any user.
type client struct {
	w    *World
	name string
	conn conn
	next func() // the next step of the request in hand; nil: none

	reservation int
	units       int
	known       promise // what its owner knew when the look-up began
}

// step goes on with the request in hand, or begins another.
func (c *client) step() {
	if next := c.next; next != nil {
		c.next = nil
		next()
		return
	}
	w := c.w
	reservation := w.reservation(1+w.random.Int64N(w.shows), 1+w.random.Int64N(userCount), w.random.IntN(keyCount))
	switch n := w.random.IntN(10); {
	case n < 6:
		units := 1 + reservation%2
		if w.chance(10) { // the same key with another body
			units = 3 - units
		}
		c.reserve(reservation, units)
	case n < 8:
		for range keyCount * userCount { // one that can be cancelled, if there is any
			if row := w.judge.rows[reservation]; row != nil && row.Status == booking.Confirmed {
				break
			}
			reservation = (reservation + 1) % len(w.promises)
		}
		c.cancel(reservation)
	default:
		c.find(reservation, nil)
	}
}

// bounds are what every call of requests.lua gets.
var bounds = protocol.Bounds{MaxBacklog: 6, Remember: remember}

func (c *client) request(kind string) protocol.Request {
	w := c.w
	return protocol.Request{Kind: kind, Reservation: w.names[c.reservation], User: w.userOf(c.reservation), Show: w.showOf(c.reservation),
		Units: int64(c.units)}
}

// reserve calls requests.lua.
func (c *client) reserve(reservation, units int) {
	c.reservation, c.units = reservation, units
	c.call(protocol.Reserve)
}

// call sends a request, and with it those of clients that wait for their turn: they share its fate.
func (c *client) call(kind string) {
	w := c.w
	members, kinds := []*client{c}, []string{kind}
	for _, other := range w.clients {
		if other != c && other.next == nil && w.chance(2) {
			other.reservation = w.reservation(1+w.random.Int64N(w.shows), 1+w.random.Int64N(userCount), w.random.IntN(keyCount))
			other.units = 1 + other.reservation%2
			members, kinds = append(members, other), append(kinds, protocol.Reserve)
		}
	}
	requests := make([]protocol.Request, len(members))
	for i, m := range members {
		requests[i] = m.request(kinds[i])
	}
	var answers []protocol.Text
	fate := w.send(&c.conn, "requests", func(n *node) { answers = n.server.Requests(bounds, requests...) })
	if w.mistakes.SwapAnswers && len(answers) > 1 {
		answers[0], answers[1] = answers[1], answers[0]
	}
	for i, m := range members {
		answer := protocol.Text("")
		if fate == answered {
			answer = answers[i]
			w.seen[kinds[i]+": "+answer.Word()]++
		}
		if w.tracing {
			w.say(m.name, "%s %d units, %s, one of %d -> %s %s%s", kinds[i], m.units, w.about(m.reservation), len(members), c.where(), answer, fate)
		}
		m.conn = c.conn
		m.replied(kinds[i], answer, fate)
	}
	if len(members) > 1 {
		w.seen["joined"]++
	}
}

// replied goes on after a call.
func (c *client) replied(kind string, answer protocol.Text, fate fate) {
	switch {
	case fate == unsent:
	case kind == protocol.Cancel:
		c.toldOfCancel(answer, fate)
	case fate == unanswered:
		c.next = c.reread
	default:
		c.told(answer.Word())
	}
}

// reread looks at the marker after a call that was not answered.
func (c *client) reread() {
	w := c.w
	var marker stock.Marker
	found := false
	fate := w.send(&c.conn, "read a marker", func(n *node) {
		text, _ := n.server.Marker(w.userOf(c.reservation), stock.ReserveField(w.names[c.reservation]))
		marker, found = stock.ParseMarker(text)
	})
	if w.tracing {
		w.say(c.name, "read the marker, %s -> %s %v%s", w.about(c.reservation), c.where(), found, fate)
	}
	if fate == answered && found && marker.Units == c.units {
		c.told("repeat")
	}
}

// told does what the API does after an answer to a reservation.
func (c *client) told(word string) {
	w, show := c.w, c.w.showOf(c.reservation)
	switch word {
	case "ok":
		w.accept(c.reservation, c.conn)
	case "repeat":
		w.accept(c.reservation, c.conn)
		c.find(c.reservation, nil)
	case "unloaded", "bad_state":
		w.want(show)
	case "paused":
		if w.luck.slow || w.chance(3) {
			w.want(show)
		}
	}
}

// find looks a reservation up: the markers, then the row and the epoch at one instant.
func (c *client) find(reservation int, then func(booking.Status, int)) {
	c.reservation, c.known = reservation, c.w.promises[reservation]
	switch {
	case c.w.mistakes.RowThenMarkers:
		row := c.w.judge.rows[reservation]
		c.next = func() { c.readMarkers(func(r, m *stock.Marker) { c.view(row, r, m, then) }) }
	case c.w.mistakes.RowThenEpoch:
		c.readMarkers(func(r, m *stock.Marker) {
			row := c.w.judge.rows[reservation]
			c.next = func() { c.view(row, r, m, then) }
		})
	default:
		c.readMarkers(func(r, m *stock.Marker) {
			c.next = func() { c.view(c.w.judge.rows[reservation], r, m, then) }
		})
	}
}

func (c *client) readMarkers(then func(reserve, cancel *stock.Marker)) {
	w := c.w
	var texts [2]string
	user, name := w.userOf(c.reservation), w.names[c.reservation]
	fate := w.send(&c.conn, "read markers", func(n *node) {
		texts[0], _ = n.server.Marker(user, stock.ReserveField(name))
		texts[1], _ = n.server.Marker(user, stock.CancelField(name))
	})
	if w.tracing {
		w.say(c.name, "read the markers, %s -> %s %q%s", w.about(c.reservation), c.where(), texts, fate)
	}
	if fate != answered {
		return
	}
	var markers [2]*stock.Marker
	for i, text := range texts {
		if marker, ok := stock.ParseMarker(text); ok {
			markers[i] = &marker
		}
	}
	then(markers[0], markers[1])
}

// view tells the owner what became of a reservation, and checks that it may be told.
func (c *client) view(row *booking.Row, reserve, cancel *stock.Marker, then func(booking.Status, int)) {
	w := c.w
	epoch := w.judge.row(w.showOf(c.reservation)).Epoch
	status, units := booking.Status(""), 0
	switch {
	case row != nil:
		status, units = row.Status, row.Units
		if status == booking.Confirmed && cancel != nil && cancel.Epoch == epoch {
			status = booking.Cancelling
		}
	case reserve != nil && reserve.Epoch < epoch:
		status = booking.Rejected
		w.checkLost(c.reservation, *reserve)
	case reserve != nil:
		status = booking.Pending
	}
	if w.tracing {
		w.say(c.name, "find, %s: %q under epoch %d", w.about(c.reservation), status, epoch)
	}
	w.checkView(c.reservation, c.known, status)
	if then != nil {
		then(status, units)
	}
}

// cancel looks a reservation up and, if it is confirmed, asks for its cancel.
func (c *client) cancel(reservation int) {
	c.find(reservation, func(status booking.Status, units int) {
		if status == booking.Confirmed {
			c.units = units
			c.next = c.sendCancel
		}
	})
}

func (c *client) sendCancel() {
	c.w.promises[c.reservation].asked = true
	c.call(protocol.Cancel)
}

// toldOfCancel does what the API does after an answer to a cancel. Without one it knows nothing.
func (c *client) toldOfCancel(answer protocol.Text, fate fate) {
	w := c.w
	if fate != answered {
		return
	}
	switch answer.Word() {
	case "ok", "repeat":
		w.acceptCancel(c.reservation, c.conn)
	case "unloaded", "bad_state":
		w.want(w.showOf(c.reservation))
	}
}

func (c *client) where() string {
	if c.conn.node == nil {
		return "nowhere"
	}
	return c.conn.node.name
}

// about names a reservation in the trace.
func (w *World) about(reservation int) string {
	return strings.Join([]string{"show " + itoa(w.showOf(reservation)), "user " + itoa(w.userOf(reservation)),
		"key " + itoa(int64(reservation%keyCount))}, " ")
}
