package simulation

import "slices"

// guardian is package stock's Guardian: it subscribes where it has verified that the server kept its history.
type guardian struct {
	w          *World
	name       string
	conn       conn // the one it verifies on, then the one that it subscribes with
	at         int  // the next step, as in step
	locks      bool // it holds the lock of the row of verified servers
	subscribed bool
	asleep     int // until that step
}

// step does the next step: 0 connect and ask who it is, 1 compare, 2 lock, 3 distrust, 4 store, 5 connect anew, 6 subscribe,
// 7 look whether it is still the same.
func (g *guardian) step() {
	w := g.w
	was, note := g.at, ""
	switch g.at {
	case 0:
		if g.conn = (conn{w.master, w.master.run}); g.conn.alive() {
			g.at = 1
		}
		if w.mistakes.NoVerify {
			g.at = 5
		}
		if w.mistakes.SubscribeFirst && g.conn.alive() {
			g.subscribe()
		}
	case 1:
		if g.at = 2; w.judge.verified == g.conn.run {
			g.at = 5
		}
	case 2:
		if w.judge.fence || w.judge.locked[verifiedServers] > 0 {
			note = "waits for the lock"
			break
		}
		if w.judge.verified == g.conn.run {
			g.at = 5
			break
		}
		w.judge.fence, g.locks, g.at = true, true, 3
	case 3:
		fate := w.sendOn(g.conn, "distrust all shows", func(n *node) {
			for show := int64(1); show <= w.shows; show++ {
				n.server.Unload(show)
			}
		})
		if g.at = 4; fate != answered {
			g.restart()
		}
		note = g.conn.node.name + fate.String()
	case 4:
		run := g.conn.run
		fate := w.judge.commit(g.name+" stores the server", []int64{verifiedServers}, func() bool { w.judge.verified = run; return true })
		g.unlock()
		if g.at = 5; fate != answered {
			g.restart()
		}
		note = fate.String()
	case 5:
		run := g.conn.run
		if w.mistakes.NoVerify {
			run = w.master.run
		}
		g.leave()
		g.conn = conn{w.master, w.master.run}
		if g.at = 6; !g.conn.alive() || g.conn.run != run {
			g.restart()
		}
	case 6:
		if !g.conn.alive() {
			g.restart()
			break
		}
		g.subscribe()
		g.at = 7
		note = g.conn.node.name
	default:
		if w.master.up && w.master.run != g.conn.run || !g.conn.alive() {
			g.restart()
			note = "another server"
		}
	}
	if w.tracing && (was != 7 || note != "") {
		w.say(g.name, "%s %s", [...]string{"connect", "compare", "lock", "distrust", "store", "connect anew", "subscribe", "look"}[was], note)
	}
}

func (g *guardian) subscribe() {
	if !g.subscribed {
		g.subscribed = true
		g.conn.node.server.Subscribers++
	}
}

// leave ends the subscription, as every end of the connection does.
func (g *guardian) leave() {
	if g.subscribed && g.conn.alive() {
		g.conn.node.server.Subscribers--
	}
	g.subscribed = false
}

func (g *guardian) unlock() {
	if g.locks {
		g.w.judge.fence, g.locks = false, false
	}
}

func (g *guardian) restart() {
	g.leave()
	g.unlock()
	g.at = 0
}

// die ends the process.
func (g *guardian) die() {
	g.restart()
	g.w.guardians = slices.DeleteFunc(g.w.guardians, func(other *guardian) bool { return other == g })
}
