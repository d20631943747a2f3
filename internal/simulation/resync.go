package simulation

import (
	"github.com/neticket/neticket/internal/protocol"
	"github.com/neticket/neticket/internal/stock"
)

// Of package stock's resyncer.
const (
	takeOver  = 10_000 // ms
	attempts  = 8
	workerFor = 4000 // ms
)

// terms are what an admin wants to change.
type terms struct{ capacity, limit int }

// stage is the next step of a resync.
type stage int

const (
	readEpoch stage = iota
	pause
	distrustShard
	makeAnew
	drain
	check // the terms
	bump
	raise
	build
	load
	resume
	done
)

// resync is package stock's Resyncer at work on one show. Each step is one call, after which it may die, sleep or be robbed.
type resync struct {
	w     *World
	name  string
	conn  conn
	show  int64
	token string
	terms *terms
	kind  bool // it drains

	at        stage
	attempt   int
	holds     bool // it got a pause once, and has a heartbeat since
	read      int64
	hashEpoch int64
	bumped    bool
	looks     int // of the drain
	builds    int
	loads     int // that were not answered
	fresh     stock.Row
	users     int64
	asleep    int // until that step
}

// want has a show resynced, unless enough are at it.
func (w *World) want(show int64) {
	at := 0
	for _, r := range w.resyncs {
		if r.show == show {
			at++
		}
	}
	if at >= 2 {
		w.wanted[show-1] = true
		return
	}
	w.wanted[show-1] = false
	w.addResync(show, !w.luck.impatient || w.chance(2), nil)
}

func (w *World) addResync(show int64, kind bool, terms *terms) *resync {
	r := &resync{w: w, name: w.name("resync"), show: show, kind: kind, terms: terms}
	r.token = r.name
	w.resyncs = append(w.resyncs, r)
	return r
}

// step does the next step, or the heartbeat.
func (r *resync) step() {
	if r.holds && r.at < load && r.w.chance(6) {
		r.beat()
		return
	}
	r.do()
}

func (r *resync) do() {
	w := r.w
	was := r.at
	note := ""
	switch r.at {
	case readEpoch:
		r.read = w.judge.row(r.show).Epoch
		r.at = pause
	case pause:
		note = r.pause()
	case distrustShard:
		note = r.distrustShard()
	case makeAnew:
		note = r.makeAnew()
	case drain:
		note = r.drain()
	case check:
		if w.mistakes.EpochAfterPause {
			r.read = w.judge.row(r.show).Epoch
		}
		r.at = bump
		if r.terms != nil && w.judge.confirmed(r.show) > r.terms.capacity && !w.mistakes.TermsUnchecked {
			note = "refused"
			r.fail()
		}
	case bump:
		note = r.bump()
	case raise:
		note = r.raise()
	case build:
		note = r.build()
	case load:
		note = r.load()
	case resume:
		var answer protocol.Answer
		fate := w.send(&r.conn, "resume", func(n *node) { answer = n.server.Resume(r.show, r.token) })
		w.saw("resume", answer, fate)
		note = r.told(answer, fate)
		r.at = done
	case done:
	}
	if w.tracing {
		w.say(r.name, "show %d: %s %s", r.show, was, note)
	}
}

func (r *resync) told(answer protocol.Answer, fate fate) string {
	if !r.w.tracing {
		return ""
	}
	where := "nowhere"
	if r.conn.node != nil {
		where = r.conn.node.name
	}
	return "-> " + where + " " + sprint(answer) + fate.String()
}

// fail gives up: a show that may be held is put back, where that is still allowed.
func (r *resync) fail() {
	if r.at = done; r.holds {
		r.at = resume
	}
}

// again begins once more with the same token.
func (r *resync) again() {
	if r.attempt++; r.attempt == attempts {
		r.fail()
		return
	}
	r.at = readEpoch
}

func (r *resync) beat() {
	var answer protocol.Answer
	fate := r.w.send(&r.conn, "beat of "+r.name, func(n *node) { answer = n.server.Pause(r.show, r.token, takeOver, protocol.Beat) })
	r.w.saw("beat", answer, fate)
	if r.w.tracing {
		r.w.say(r.name, "show %d: beat %s", r.show, r.told(answer, fate))
	}
	if fate == answered && answer.Word() == "lost" {
		r.fail()
	}
}

func (r *resync) pause() string {
	var answer protocol.Answer
	fate := r.w.send(&r.conn, "pause of "+r.name, func(n *node) { answer = n.server.Pause(r.show, r.token, takeOver, protocol.Stop) })
	r.w.saw("pause", answer, fate)
	switch {
	case fate != answered:
		r.at = resume // the answer may be what was lost, and not the call
	case answer.Word() != "ok":
		r.fail()
	default:
		r.holds = true
		r.hashEpoch, r.bumped = parse(answer.Text(1)), answer.Text(4) == "1"
		r.looks = 0
		switch {
		case answer.Text(5) == "1":
			r.at = distrustShard
		default:
			r.toDrain()
		}
	}
	return r.told(answer, fate)
}

func (r *resync) toDrain() {
	if r.at = drain; r.bumped || !r.kind || r.w.mistakes.ForgetDrain {
		r.at = check
	}
}

// distrustShard distrusts the shows of a shard whose stream or group is lost, before it is made anew.
func (r *resync) distrustShard() string {
	fate := r.w.send(&r.conn, "distrust the shard", func(n *node) {
		for show := int64(1); show <= r.w.shows; show++ {
			n.server.Unload(show)
		}
	})
	if r.at = makeAnew; fate != answered {
		r.fail()
	}
	return fate.String()
}

func (r *resync) makeAnew() string {
	var answer protocol.Answer
	fate := r.w.send(&r.conn, "make of "+r.name, func(n *node) { answer = n.server.Pause(r.show, r.token, takeOver, protocol.Make) })
	r.w.saw("make", answer, fate)
	if r.toDrain(); fate != answered || answer.Word() != "ok" {
		r.fail()
	}
	return r.told(answer, fate)
}
