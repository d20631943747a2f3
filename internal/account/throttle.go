package account

import (
	"net/netip"
	"sync"
	"time"
)

const (
	freeAttempts = 5                // before the first delay
	firstDelay   = time.Second      // doubles with each further attempt
	maxDelay     = 15 * time.Minute // 100 guesses a day
	forgetAfter  = time.Hour        // without an attempt
	maxOrigins   = 10_000           // that are remembered: a few MB
)

// origin is an account and whence someone tries to log in to it.
type origin struct{ email, network string }

// network returns the network that a client can take addresses from at will: its address, or the /64 of IPv6.
func network(address string) string {
	if ip, err := netip.ParseAddr(address); err == nil && ip.Unmap().Is6() {
		return netip.PrefixFrom(ip.WithZone(""), 64).Masked().String()
	}
	return address
}

// throttle makes an origin wait longer and longer between attempts to log in. It lives in memory: a process knows its own
// attempts, and a restart forgets them.
type throttle struct {
	now     func() time.Time
	mu      sync.Mutex
	origins map[origin]attempts
}

type attempts struct {
	count int
	until time.Time // no attempt before
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, origins: make(map[origin]attempts)}
}

// attempt counts an attempt and returns 0, or how long the origin has to wait before the next one.
func (t *throttle) attempt(from origin) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	a, known := t.origins[from]
	if wait := a.until.Sub(now); wait > 0 {
		return wait
	}
	if now.Sub(a.until) > forgetAfter {
		a.count = 0
	}
	if !known && len(t.origins) == maxOrigins {
		for other := range t.origins { // whichever comes first: the order of a map is random
			delete(t.origins, other)
			break
		}
	}
	a.count++
	a.until = now.Add(delay(a.count))
	t.origins[from] = a
	return 0
}

// succeeded forgets the attempts of an origin.
func (t *throttle) succeeded(from origin) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.origins, from)
}

// delay returns how long to wait after so many attempts.
func delay(count int) time.Duration {
	if count < freeAttempts {
		return 0
	}
	return min(firstDelay<<min(count-freeAttempts, 20), maxDelay)
}
