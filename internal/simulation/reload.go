package simulation

import (
	"github.com/neticket/neticket/internal/protocol"
	"github.com/neticket/neticket/internal/stock"
)

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
	if w.judge.locked[r.show] > 0 {
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
	r.fresh, r.builds, r.loads = fresh, 0, 0
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

// loaded notes that a show was loaded.
func (w *World) loaded(n *node, l protocol.Loading) {
	if n == w.master && w.judge.row(l.Show).Epoch == l.Epoch {
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
	var answer protocol.Answer
	call := func(n *node) {
		before := n.server.Show(l.Show).Text("epoch")
		if answer = n.server.Load(l); answer.Word() == "ok" && before != itoa(l.Epoch) {
			n.loaded(l.Show)
			w.loaded(n, l)
		}
	}
	fate := w.send(&r.conn, "load of "+r.name, call)
	w.saw("load", answer, fate)
	note := r.told(answer, fate)
	switch {
	case fate != answered && !w.mistakes.LoadAnew: // the same call again: another would have another epoch
		if r.loads++; r.loads == 4 {
			r.fail()
		}
	case fate != answered:
		r.again()
	case answer.Word() == "stale":
		if r.again(); r.loads > 0 { // that call may still arrive, and find what another bump has cleared
			r.fail()
		}
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
