package simulation

import "github.com/neticket/neticket/internal/protocol"

// misfortune has one of the schedule's misfortunes happen, or a server come back.
func (w *World) misfortune() {
	if !w.master.up {
		w.comeBack()
		return
	}
	show := 1 + w.random.Int64N(w.shows)
	l := w.luck
	var may []func()
	for _, m := range []struct {
		allowed bool
		do      func()
	}{
		{l.consumers, w.deleteConsumer},
		{l.appends, w.failAppend},
		{l.byHand, func() { w.meddle(w.master, show, w.random.Int64N(9)-4) }},
		{l.keys, func() { w.deleteKey(show) }},
		{l.flush, w.flushAll},
		{l.restarts || l.cuts, w.crash},
		{l.failOvers, w.moveMaster},
	} {
		if m.allowed {
			may = append(may, m.do)
		}
	}
	if len(may) > 0 {
		may[w.random.IntN(len(may))]()
	}
}

func (w *World) fault(format string, args ...any) {
	if w.tracing {
		w.say("FAULT", format, args...)
	}
}

// crash ends the master's process. Its subscribers are gone with it.
func (w *World) crash() {
	w.fault("%s crashes", w.master.name)
	w.master.up = false
	w.master.server.Subscribers = 0
}

// comeBack restarts the master, with all its data or without the end of its history, or has a replica take over.
func (w *World) comeBack() {
	n := w.master
	switch {
	case w.luck.failOvers && w.chance(3):
		w.moveMaster()
	case w.luck.cuts && len(n.past) > 0:
		w.cut(n, w.random.IntN(len(n.past)))
	default:
		w.fault("%s restarts with all its data", n.name)
		n.restart(w, n.server.Clone())
	}
}

// cut restarts a node as it was at some time.
func (w *World) cut(n *node, i int) {
	w.fault("%s restarts as it was at %d ms", n.name, n.past[i].at)
	n.restart(w, n.past[i].server.Clone())
	n.past = n.past[:i+1]
	n.forgive()
	w.forgive()
}

// moveMaster makes a lagging replica the master, or an old master that still lives. Who holds a connection to the old one may go
// on to use it.
func (w *World) moveMaster() {
	old := w.master
	for _, n := range w.nodes {
		if n != old && n.up && w.chance(2) {
			w.fault("%s is the master again", n.name)
			w.master = n
			w.moved()
			return
		}
	}
	if len(w.nodes) == 4 {
		return
	}
	server := old.server
	if len(old.past) > 0 && w.chance(2) {
		server = old.past[w.random.IntN(len(old.past))].server
	}
	w.failOver(server)
	if w.chance(3) {
		w.fault("%s dies", old.name)
		old.up = false
	}
}

// failOver makes a replica with the data given the master.
func (w *World) failOver(server *protocol.Server) {
	old := w.master
	n := w.addNode(server.Clone())
	n.forgive()
	w.fault("%s, a copy of %s, is the master", n.name, old.name)
	w.moved()
}

// moved forgives what the change of the master may lose.
func (w *World) moved() {
	w.forgive()
	for i := range w.skewed {
		w.skewed[i] = true
	}
}

func (w *World) flushAll() {
	w.fault("FLUSHALL on %s", w.master.name)
	w.master.server.FlushAll()
	w.forgive()
}

// deleteKey deletes one key.
func (w *World) deleteKey(show int64) {
	n := w.master
	switch w.random.IntN(6) {
	case 0:
		w.fault("DEL of the hash of show %d", show)
		*n.server.Show(show) = nil
	case 1:
		w.deleteStream(n)
	case 2:
		w.fault("the group is deleted")
		n.server.DestroyGroup()
	case 3:
		w.fault("DEL of the users of show %d", show)
		*n.server.UsersOf(show) = nil
		n.hints[show-1] = true
	case 4:
		if len(n.server.Built) > 0 {
			w.fault("DEL of a built hash")
			n.server.Built = n.server.Built[1:]
		}
	default:
		w.deleteMarkers(n, 1+w.random.Int64N(userCount))
	}
}

func (w *World) deleteStream(n *node) {
	w.fault("DEL of the stream")
	n.server.Stream = nil
	for i := range n.broken {
		n.broken[i], n.hints[i] = true, true
	}
	w.forgive()
}

func (w *World) deleteMarkers(n *node, user int64) {
	w.fault("DEL of the markers of user %d", user)
	n.server.Markers[user-1] = protocol.Markers{}
	for i := range w.promises {
		if w.userOf(i) == user && w.judge.rows[i] == nil {
			w.promises[i].blind = true
		}
	}
}

// failAppend has one of the next appends fail.
func (w *World) failAppend() {
	w.master.server.FailAt = 1 + w.random.IntN(3)
	w.fault("append %d from now on will fail", w.master.server.FailAt)
}

// deleteConsumer deletes a worker's consumer; what it had belongs to nobody.
func (w *World) deleteConsumer() {
	k := w.workers[w.random.IntN(len(w.workers))]
	pending := w.master.server.DeleteConsumer(k.name)
	w.fault("the consumer of %s is deleted; %d entries have no owner", k.name, pending)
}

// meddle changes left by hand.
func (w *World) meddle(n *node, show, by int64) {
	h := n.server.Show(show)
	if !h.Has("left") {
		return
	}
	left := h.Number("left")
	by = max(by, -left)
	w.fault("left of show %d is set to %d, from %d", show, left+by, left)
	h.Set("left", itoa(left+by))
	n.extra[show-1] += by
}
