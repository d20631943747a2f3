package web

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// burst is how much of its rate someone may use at once, after a pause: two seconds' worth of requests.
	burst       = 2 * time.Second
	limitShards = 32   // so that requests seldom wait for each other
	sweepFrom   = 1024 // entries of a shard below which a sweep is not worth it
)

// limiter lets each key make so many requests per second (GCRA: one time per key, no timers). An entry matters for two
// seconds at most, and a shard is swept whenever it has doubled, so memory is bounded by the requests of two seconds.
type limiter[K comparable] struct {
	interval time.Duration // between two requests at the allowed rate; 0: no limit
	now      func() time.Time
	start    time.Time // entries are nanoseconds since then
	shed     prometheus.Counter
	seed     maphash.Seed
	shards   [limitShards]limitShard[K]
}

type limitShard[K comparable] struct {
	mu sync.Mutex
	// used holds until when a key has used its rate up; one that lies in the past is as good as none.
	used    map[K]time.Duration
	sweepAt int
}

// newLimiter lets each key make rate requests per second; 0 means no limit. What it refuses is counted in shed.
func newLimiter[K comparable](rate int, now func() time.Time, shed prometheus.Counter) *limiter[K] {
	l := &limiter[K]{now: now, start: now(), shed: shed, seed: maphash.MakeSeed()}
	if rate > 0 {
		l.interval = time.Second / time.Duration(rate)
	}
	for i := range l.shards {
		l.shards[i] = limitShard[K]{used: map[K]time.Duration{}, sweepAt: sweepFrom}
	}
	return l
}

// take counts one request, or returns a *tooManyRequestsError, which costs the key nothing.
func (l *limiter[K]) take(key K) error {
	if l.interval == 0 {
		return nil
	}
	now := l.now().Sub(l.start)
	wait := l.shards[maphash.Comparable(l.seed, key)%limitShards].take(key, now, l.interval)
	if wait > 0 {
		l.shed.Inc()
		return &tooManyRequestsError{wait}
	}
	return nil
}

func (s *limitShard[K]) take(key K, now, interval time.Duration) (wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, known := s.used[key]
	used := max(before, now) + interval
	if used > now+burst {
		return used - now - burst
	}
	if !known && len(s.used) >= s.sweepAt {
		s.sweep(now)
	}
	s.used[key] = used
	return 0
}

// sweep copies what still matters, because a map never gives memory back.
func (s *limitShard[K]) sweep(now time.Duration) {
	live := map[K]time.Duration{}
	for key, used := range s.used {
		if used > now {
			live[key] = used
		}
	}
	s.used, s.sweepAt = live, max(sweepFrom, 2*len(live))
}

// network returns what counts as one client: an IPv4 address, or an IPv6 /64, which one client has all of.
func network(address netip.Addr) netip.Addr {
	if address.Is6() {
		prefix, _ := address.Prefix(64) // 64 fits
		return prefix.Addr()
	}
	return address
}
