package account

import "time"

// rule says how often somebody may fail: so many times freely, then with a delay that doubles up to max. Failures are forgotten
// one by one.
type rule struct {
	free  int
	max   time.Duration // of a delay
	drain time.Duration // in which one failure is forgotten, so in the long run no more are possible
}

// maxTracked is how many keys a limits remembers: a few MB.
const maxTracked = 10_000

// limits are the attempts of each key, under one rule.
type limits[K comparable] struct {
	rule
	of map[K]attempts
}

type attempts struct {
	count   int       // that failed, or whose outcome is not known yet
	drained time.Time // until when the count is right
	until   time.Time // no attempt before
}

func newLimits[K comparable](r rule) limits[K] { return limits[K]{r, map[K]attempts{}} }

// wait returns how long key has to wait before its next attempt.
func (l limits[K]) wait(key K, now time.Time) time.Duration { return max(l.of[key].until.Sub(now), 0) }

// begin counts an attempt.
func (l limits[K]) begin(key K, now time.Time) {
	a, known := l.of[key]
	if !known {
		makeRoom(l.of)
	}
	a.count -= min(int(now.Sub(a.drained)/l.drain), a.count)
	if a.count == 0 {
		a.drained = now
	} else {
		a.drained = now.Add(-(now.Sub(a.drained) % l.drain))
	}
	a.count++
	a.until = now.Add(l.delay(a.count))
	l.of[key] = a
}

// takeBack undoes begin for an attempt that succeeded.
func (l limits[K]) takeBack(key K, now time.Time) {
	a, known := l.of[key]
	if !known {
		return
	}
	a.count, a.until = max(a.count-1, 0), now
	l.of[key] = a
}

func (l limits[K]) delay(count int) time.Duration {
	if count < l.free {
		return 0
	}
	return min(firstDelay<<min(count-l.free, 20), l.max)
}

// makeRoom drops an entry where there are too many: whichever comes first, as the order of a map is random.
func makeRoom[K comparable, V any](m map[K]V) {
	for key := range m {
		if len(m) < maxTracked {
			return
		}
		delete(m, key)
	}
}
