package simulation

import (
	"math/rand/v2"
	"slices"
)

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
	if !w.master.up && w.chance(5) {
		w.comeBack()
		return
	}
	if w.master.up && w.master.server.Subscribers == 0 && w.chance(4) {
		w.guardians[0].step()
		return
	}
	n := w.random.IntN(w.weights[len(w.weights)-1])
	who := 0
	for n >= w.weights[who] {
		who++
	}
	switch who {
	case 0:
		w.clients[w.random.IntN(len(w.clients))].step()
	case 1:
		if k := w.workers[w.random.IntN(len(w.workers))]; w.awake(&k.asleep, k.name, 8) {
			k.step()
		}
	case 2:
		w.actResync()
	case 3:
		if g := w.guardians[w.random.IntN(len(w.guardians))]; w.awake(&g.asleep, g.name, 8) {
			g.step()
		}
	case 4:
		if len(w.late) > 0 {
			w.arrive(w.random.IntN(len(w.late)))
		}
	case 5:
		w.wait([]int64{1, 1, 1, 1000, 6000, 11000, 11000}[w.random.IntN(7)])
	case 6:
		if w.master.up {
			w.master.remember(w)
		}
	case 7:
		w.die()
	default:
		w.misfortune()
	}
}

// drawWeights returns how often each kind of step comes, summed up. Schedules differ in what they have much of.
func drawWeights(random *rand.Rand) (weights [9]int) {
	sum, most := 0, random.IntN(len(weights)+2)
	for i, weight := range [9]int{24, 24, 16, 9, 4, 3, 3, 2, 4} {
		if random.IntN(3) == 0 {
			weight *= 2
		}
		if i == most || i == 2 && most >= len(weights) { // resyncs are what most things meet in
			weight *= 4
		}
		sum += weight
		weights[i] = sum
	}
	return weights
}

// awake reports whether a process does not sleep. In slow schedules it now and then falls asleep, between any two steps, while the
// others live on.
func (w *World) awake(until *int, name string, lazy int) bool {
	if w.step < *until {
		return false
	}
	if w.luck.slow && w.chance(lazy) {
		*until = w.step + 10 + w.random.IntN(70)
		if w.tracing {
			w.say(name, "sleeps")
		}
		if w.chance(2) { // long enough to be taken for dead
			w.wait(takeOver)
		}
		return false
	}
	return true
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
	if len(w.resyncs) == 0 || w.luck.resyncs && len(w.resyncs) < 3 && w.chance(6) {
		show := 1 + w.random.Int64N(w.shows)
		// Somebody looks after what is not on sale, as requests and the flusher do.
		if w.luck.resyncs && w.chance(2) || w.master.server.Show(show).Text("state") != "open" {
			var t *terms
			if w.luck.terms && w.chance(2) {
				t = &terms{3 + w.random.IntN(8), w.random.IntN(3) * 2}
			}
			w.addResync(show, !w.luck.impatient || w.chance(2), t)
		}
		return
	}
	from := w.random.IntN(len(w.resyncs))
	for i := range w.resyncs {
		r := w.resyncs[(from+i)%len(w.resyncs)]
		lazy := 8
		if r.at == raise || r.at == load { // where it does the most harm
			lazy = 2
		}
		if !w.awake(&r.asleep, r.name, lazy) {
			continue
		}
		if r.step(); r.at != done && w.luck.crashes && w.chance(16) {
			if w.tracing {
				w.say(r.name, "gives up")
			}
			r.fail()
		}
		break
	}
	w.resyncs = slices.DeleteFunc(w.resyncs, func(r *resync) bool { return r.at == done })
}

// die ends a process, at whichever step it is.
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
