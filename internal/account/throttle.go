package account

import (
	"net/netip"
	"sync"
	"time"
)

const (
	freeAttempts = 5           // of one account from one network, before the first delay
	firstDelay   = time.Second // doubles with each further attempt
)

// The rules of a throttle. In the long run a process allows a stranger 100 guesses a day at one account from one network, 2,900
// from all networks together, and 17,000 from one network at all accounts together.
func pairRule() rule { return rule{free: freeAttempts, max: 15 * time.Minute, drain: 15 * time.Minute} }

// accountRule has a short longest delay: the true owner, from a network that is new, has to wait for it, too.
func accountRule() rule { return rule{free: 20, max: 30 * time.Second, drain: 30 * time.Second} }

// addressRule leaves room for an office, or a carrier's customers, who share an address and mistype at the same time.
func addressRule() rule { return rule{free: 200, max: time.Minute, drain: 5 * time.Second} }

// origin is an account and whence someone tries to log in to it.
type origin struct{ email, network string }

// network returns the network that a client can take addresses from at will: its address, or the /64 of IPv6.
func network(address string) string {
	if ip, err := netip.ParseAddr(address); err == nil && ip.Unmap().Is6() {
		return netip.PrefixFrom(ip.WithZone(""), 64).Masked().String()
	}
	return address
}

// throttle makes guessing slower and slower: of one account from one network, of one account from many, and of many accounts from
// one. Who has logged in to the account from the same network before is bound by the first alone, so nobody's failures keep
// him out. It lives in memory: a process knows its own attempts, and a restart forgets them.
type throttle struct {
	now func() time.Time

	mu        sync.Mutex
	pairs     limits[origin]
	accounts  limits[string]
	addresses limits[string]
	trusted   map[origin]bool // who logged in
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{
		now: now, pairs: newLimits[origin](pairRule()), accounts: newLimits[string](accountRule()),
		addresses: newLimits[string](addressRule()), trusted: map[origin]bool{},
	}
}

// attempt counts an attempt and returns 0, or how long the origin has to wait before the next one.
func (t *throttle) attempt(from origin) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	wait := t.pairs.wait(from, now)
	if !t.trusted[from] {
		wait = max(wait, t.accounts.wait(from.email, now), t.addresses.wait(from.network, now))
	}
	if wait > 0 {
		return wait
	}
	t.pairs.begin(from, now)
	if !t.trusted[from] {
		t.accounts.begin(from.email, now)
		t.addresses.begin(from.network, now)
	}
	return 0
}

// succeeded forgets the attempts of an origin. Of the account and of the network it takes back this one alone: somebody may
// be guessing there, and have an account of his own.
func (t *throttle) succeeded(from origin) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.pairs.of, from)
	if t.trusted[from] {
		return
	}
	now := t.now()
	t.accounts.takeBack(from.email, now)
	t.addresses.takeBack(from.network, now)
	makeRoom(t.trusted)
	t.trusted[from] = true
}

// abandoned takes back an attempt that was not tried after all.
func (t *throttle) abandoned(from origin) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	t.pairs.takeBack(from, now)
	if !t.trusted[from] {
		t.accounts.takeBack(from.email, now)
		t.addresses.takeBack(from.network, now)
	}
}
