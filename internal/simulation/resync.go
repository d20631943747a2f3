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
	distrustOthers
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
	fresh     stock.Row
	users     int64
	raisedAt  int // step
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
	if r.holds && r.at < resume && r.w.chance(6) {
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
	case distrustOthers:
		note = r.distrustOthers()
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
			r.at = distrustOthers
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

func (r *resync) distrustOthers() string {
	fate := r.w.send(&r.conn, "distrust the others", func(n *node) {
		for other := int64(1); other <= r.w.shows; other++ {
			if other != r.show {
				n.server.Unload(other)
			}
		}
	})
	if fate != answered {
		r.fail()
		return fate.String()
	}
	r.toDrain()
	return ""
}

// drain looks whether entries of the show wait, and gives up at some time.
func (r *resync) drain() string {
	clean, lives := false, true
	look := r.hashEpoch == 0 || r.looks%3 == 2
	fate := r.w.send(&r.conn, "look at the counts", func(n *node) {
		h := n.server.Show(r.show)
		seq, hasSeq := h.Get("seq")
		settled, hasSettled := h.Get("settled")
		clean = seq == settled && hasSeq == hasSettled
		if look {
			clean = true
			for _, e := range n.server.Entries() {
				clean = clean && parse(e.Show) != r.show
			}
		}
		lives = n.server.ConsumerLives(workerFor)
	})
	r.looks++
	switch {
	case fate == answered && clean:
		r.at = check
		return "clean"
	case r.looks >= 12:
		r.fail()
		return "not drained"
	case fate == answered && !lives && len(r.w.workers) < 4:
		r.w.workers = append(r.w.workers, &worker{w: r.w, name: r.w.name("drainer")})
	}
	return "not yet"
}

func (r *resync) bump() string {
	if r.w.mistakes.NoBump {
		r.at = raise
		return "skipped"
	}
	var answer protocol.Answer
	fate := r.w.send(&r.conn, "bump of "+r.name, func(n *node) {
		if answer = n.server.Pause(r.show, r.token, takeOver, protocol.Bump); answer.Word() == "ok" && !r.kind {
			r.w.hasty[r.show-1] = true
		}
	})
	r.w.saw("bump", answer, fate)
	if (fate != answered || answer.Word() != "ok") && !r.w.mistakes.BlindBump {
		r.fail()
		return r.told(answer, fate)
	}
	if answer.Word() == "ok" {
		r.hashEpoch = parse(answer.Text(1))
	}
	r.at = raise
	return r.told(answer, fate)
}

func (r *resync) raise() string {
	w := r.w
	if w.judge.locked[r.show-1] > 0 {
		return "waits for the lock"
	}
	if w.mistakes.EpochAfterBump {
		r.read = w.judge.row(r.show).Epoch
	}
	read, hashEpoch, terms := r.read, r.hashEpoch, r.terms
	var fresh stock.Row
	raised, refused := false, false
	fate := w.judge.commit(r.name+" raises the epoch", []int64{r.show}, func() bool {
		if refused = terms != nil && w.judge.confirmed(r.show) > terms.capacity && !w.mistakes.TermsUnchecked; refused {
			return false // the table's own check
		}
		if fresh, raised = w.judge.raise(r.show, read, hashEpoch, terms); raised {
			w.raised(r)
		} else {
			w.seen["raise: the epoch is another"]++
		}
		return true
	})
	switch {
	case refused:
		r.terms = nil
		r.again()
		return "the terms do not fit any more"
	case fate != answered || !raised:
		r.again()
		return fate.String()
	}
	r.fresh, r.builds, r.raisedAt = fresh, 0, w.step
	r.at = build
	return "epoch " + itoa(fresh.Epoch)
}

// raised notes what may be lost by a new epoch.
func (w *World) raised(r *resync) {
	if r.conn.node != w.master {
		w.skewed[r.show-1] = true
	}
	if w.skewed[r.show-1] || w.hasty[r.show-1] {
		w.forgive(r.show)
	}
}

// loaded notes that a show was loaded, by a load that was sent in the resync's attempt of that number.
func (w *World) loaded(n *node, r *resync, l protocol.Loading, attempt int) {
	same := w.judge.row(l.Show).Epoch == l.Epoch
	overtaken := w.arriving && r.attempt > attempt && (r.at > bump || !same)
	restored := !same && n.lostAt >= r.raisedAt
	switch {
	case (overtaken || restored) && !w.mistakes.Unforgiving:
		w.skewed[l.Show-1] = true
		w.seen["load: under an older epoch"]++
	case n == w.master && same:
		w.skewed[l.Show-1], w.hasty[l.Show-1] = false, false
	}
}

// build builds the units per user anew.
func (r *resync) build() string {
	var users protocol.Hash
	if r.fresh.Limit > 0 {
		for user := int64(1); user <= userCount; user++ {
			if units := r.w.judge.held(r.show, user); units > 0 {
				users.Set(itoa(user), itoa(int64(units)))
			}
		}
	}
	r.users = int64(len(users))
	fate := r.w.send(&r.conn, "build the users of "+r.name, func(n *node) { n.server.BuildUsers(r.show, r.token, users) })
	if fate != answered {
		r.again()
		return fate.String()
	}
	r.at = load
	return ""
}

func (r *resync) load() string {
	w := r.w
	l := protocol.Loading{Show: r.show, Token: r.token, Epoch: r.fresh.Epoch, Left: int64(r.fresh.Capacity - r.fresh.Reserved),
		Limit: int64(r.fresh.Limit), Version: 1, Closes: 1 << 40, Starts: 1 << 40, Users: r.users}
	attempt := r.attempt
	var answer protocol.Answer
	call := func(n *node) {
		before := n.server.Show(l.Show).Text("epoch")
		if answer = n.server.Load(l); answer.Word() == "ok" && before != itoa(l.Epoch) {
			n.loaded(l.Show)
			w.loaded(n, r, l, attempt)
		}
	}
	fate := w.send(&r.conn, "load of "+r.name, call)
	w.saw("load", answer, fate)
	if fate == unanswered && w.mistakes.LoadRepeated {
		return "sent again" // with the same arguments, wherever the connection leads by then
	}
	note := r.told(answer, fate)
	switch {
	case fate != answered, answer.Word() == "stale":
		r.again()
	case answer.Word() == "ok":
		r.at = done
	case answer.Word() == "lost":
		r.fail()
	default: // "users"
		r.at = build
		if r.builds++; r.builds == 3 {
			r.again()
		}
	}
	return note
}
