package simulation

import (
	"fmt"
	"slices"

	"github.com/neticket/neticket/internal/protocol"
)

// node is a redis-server: the model, who it says it is, and earlier states of it that a fault may bring back.
type node struct {
	name   string
	server *protocol.Server
	up     bool
	run    int // which process it is; no two have the same
	past   []past

	// What the checks must forgive, by show, until the show is loaded.
	extra  []int64 // units added to left by hand
	broken []bool  // entries were lost while their hash was not
	hints  []bool  // the units per user were lost
	// fenced: the show was loaded while nobody subscribed, perhaps with figures of the history before. Nothing is sold then, and who opens
	// the fence unloads the show first; where it is open all the same, nothing is forgiven.
	fenced []bool
}

// past is an earlier state of a node.
type past struct {
	server *protocol.Server
	at     int64
}

func (w *World) addNode(server *protocol.Server) *node {
	w.born++
	n := &node{name: fmt.Sprintf("redis %d", w.born), server: server, up: true, run: w.born,
		extra: make([]int64, w.shows), broken: make([]bool, w.shows), hints: make([]bool, w.shows), fenced: make([]bool, w.shows)}
	w.nodes = append(w.nodes, n)
	w.master = n
	return n
}

// remember keeps the state as it is now, which a lagging replica or the part of an AOF that reached the disk may come back to.
func (n *node) remember(w *World) {
	if len(n.past) == 3 {
		n.past = slices.Delete(n.past, 0, 1)
	}
	n.past = append(n.past, past{n.server.Clone(), w.clock})
}

// restart makes a node another process with the data given. Every connection and subscription is gone.
func (n *node) restart(w *World, server *protocol.Server) {
	w.born++
	n.server, n.up, n.run = server, true, w.born
	n.server.Subscribers = 0
}

// forgive marks that a node's history is not the one that customers saw, for all shows.
func (n *node) forgive() {
	for i := range n.broken {
		n.broken[i], n.hints[i] = true, true
	}
}

// loaded marks that a show was loaded: nothing need be forgiven any more, unless the shard is fenced.
func (n *node) loaded(show int64) {
	n.extra[show-1], n.hints[show-1] = 0, false
	n.fenced[show-1] = n.broken[show-1] && n.server.Subscribers == 0
	n.broken[show-1] = n.fenced[show-1]
}

// onSale ends what the fence had forgiven, once somebody has opened it on a show that is open.
func (n *node) onSale(show int64) {
	if n.fenced[show-1] && n.server.Subscribers > 0 && n.server.Show(show).Text("state") == "open" {
		n.fenced[show-1], n.broken[show-1] = false, false
	}
}

// conn is a connection to a node.
type conn struct {
	node *node
	run  int
}

func (c conn) alive() bool { return c.node != nil && c.node.up && c.node.run == c.run }

// dial returns a live connection, the old one if that lives. A connection to a server that is not the master any more may stay
// in use for long.
func (w *World) dial(c *conn) bool {
	if c.alive() && (c.node == w.master || !w.luck.moves || !w.chance(12)) {
		return true
	}
	*c = conn{w.master, w.master.run}
	return c.alive()
}

// fate of a call or a commit.
type fate int

const (
	answered   fate = iota
	unanswered      // done, not done, or done later
	unsent          // certainly not done
)

func (f fate) String() string { return [...]string{"", " (no answer)", " (not sent)"}[f] }

// What may happen to a call; any other number: it is done, and the answer is lost.
const (
	notSent = iota
	isLate
	isLost
	isFine = -1
)

// late is a call that its server has not seen yet, or a commit.
type late struct {
	conn conn // node nil: a commit
	what string
	do   func(n *node)
}

// send makes a call on a connection. do runs once, now or later or never; who is not answered must not use what it found.
func (w *World) send(c *conn, what string, do func(n *node)) fate {
	if !w.dial(c) {
		return unsent
	}
	return w.sendOn(*c, what, do)
}

// sendOn is send without a new connection where that one broke.
func (w *World) sendOn(c conn, what string, do func(n *node)) fate {
	if !c.alive() {
		return unsent
	}
	harm := -1
	if w.luck.network && w.chance(12) {
		harm = w.random.IntN(5)
	}
	if len(w.forced) > 0 {
		harm, w.forced = w.forced[0], w.forced[1:]
	}
	if harm >= 0 {
		switch harm {
		case notSent:
			return unsent
		case isLate:
			w.late = append(w.late, late{c, what, do})
			return unanswered
		default:
			w.reach(c.node, do)
			return unanswered
		}
	}
	w.reach(c.node, do)
	return answered
}

func (w *World) reach(n *node, do func(n *node)) {
	n.server.Now = w.clock
	do(n)
}

// arrive lets something that is on its way arrive, if its server still lives.
func (w *World) arrive(i int) {
	l := w.late[i]
	w.late = slices.Delete(w.late, i, i+1)
	switch {
	case l.conn.node == nil:
		if w.tracing {
			w.say("mysql", "late: %s", l.what)
		}
		l.do(nil)
	case l.conn.alive():
		if w.tracing {
			w.say(l.conn.node.name, "late: %s", l.what)
		}
		w.reach(l.conn.node, l.do)
	}
}
