package simulation

import "slices"

// live lives through a schedule and brings it to rest.
func (w *World) live() {
	if l := w.luck; !w.chance(6) { // most begin on sale
		w.luck = luck{}
		w.open()
		w.luck = l
	}
	for w.step = range steps {
		w.act()
		w.check()
		if w.violated != "" {
			return
		}
	}
	w.rest()
}

// act lets one of all who could act do one step.
func (w *World) act() {
	switch n := w.random.IntN(100); {
	case n < 30:
		w.clients[w.random.IntN(len(w.clients))].step()
	case n < 58:
		w.workers[w.random.IntN(len(w.workers))].step()
	case n < 74:
		w.actResync()
	case n < 82:
		w.guardians[w.random.IntN(len(w.guardians))].step()
	case n < 86:
		if len(w.late) > 0 {
			w.arrive(w.random.IntN(len(w.late)))
		}
	case n < 90:
		w.wait([]int64{1, 1, 1, 1000, 6000, 11000}[w.random.IntN(6)])
	case n < 92:
		if w.master.up {
			w.master.remember(w)
		}
	case n < 94:
		w.die()
	default:
		w.misfortune()
	}
}

// wait lets time pass, in which nobody does anything.
func (w *World) wait(ms int64) {
	w.clock += ms
	if w.tracing && ms > 1 {
		w.say("time", "%d ms pass", ms)
	}
}

func (w *World) actResync() {
	for show := range w.wanted {
		if w.wanted[show] {
			w.want(int64(show) + 1)
		}
	}
	if len(w.resyncs) == 0 || w.luck.resyncs && len(w.resyncs) < 3 && w.chance(12) {
		show := 1 + w.random.Int64N(w.shows)
		// Somebody looks after what is not on sale, as requests and the flusher do.
		if w.luck.resyncs && w.chance(4) || w.master.server.Show(show).Text("state") != "open" {
			var t *terms
			if w.luck.terms && w.chance(2) {
				t = &terms{3 + w.random.IntN(8), w.random.IntN(3) * 2}
			}
			w.addResync(show, !w.luck.impatient || w.chance(2), t)
		}
		return
	}
	r := w.resyncs[w.random.IntN(len(w.resyncs))]
	r.step()
	w.resyncs = slices.DeleteFunc(w.resyncs, func(r *resync) bool { return r.at == done })
}

// die ends a process, at whichever step it is, or has a resync give up.
func (w *World) die() {
	if !w.luck.crashes {
		return
	}
	who := ""
	switch w.random.IntN(4) {
	case 0:
		k := w.workers[w.random.IntN(len(w.workers))]
		who = k.name
		*k = worker{w: w, name: w.name("worker")}
	case 1:
		if len(w.resyncs) > 0 {
			i := w.random.IntN(len(w.resyncs))
			if r := w.resyncs[i]; w.chance(2) {
				if w.tracing {
					w.say(r.name, "gives up")
				}
				r.fail()
				return
			}
			who = w.resyncs[i].name
			w.resyncs = slices.Delete(w.resyncs, i, i+1)
		}
	case 2:
		g := w.guardians[w.random.IntN(len(w.guardians))]
		who = g.name
		g.die()
		w.guardians = append(w.guardians, &guardian{w: w, name: w.name("guardian")})
	default:
		c := w.clients[w.random.IntN(len(w.clients))]
		who = c.name
		*c = client{w: w, name: w.name("client")}
	}
	if w.tracing && who != "" {
		w.say(who, "dies")
	}
}
