package account

import (
	"strconv"
	"testing"
	"time"
)

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newClock() *clock { return &clock{time.Date(2030, 1, 2, 3, 4, 5, 678e6, time.UTC)} }

// attack tries for a day as fast as the throttle allows, from an origin that next gives each time, and returns how often it was
// let through. An attempt that is refused comes again when it was told to.
func attack(c *clock, throttle *throttle, next func(i int) origin) (tried int) {
	for end := c.now.Add(24 * time.Hour); c.now.Before(end); {
		if wait := throttle.attempt(next(tried)); wait > 0 {
			c.now = c.now.Add(wait)
		} else {
			tried++
		}
	}
	return tried
}

func TestThrottleOfADay(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		next func(i int) origin
		most int
	}{
		"one account, one network":   {func(int) origin { return origin{"a@b", "net"} }, 120},
		"one account, many networks": {func(i int) origin { return origin{"a@b", strconv.Itoa(i)} }, 2920},
		"many accounts, one network": {func(i int) origin { return origin{strconv.Itoa(i), "net"} }, 17_600},
		"a few of each":              {func(i int) origin { return origin{strconv.Itoa(i % 3), strconv.Itoa(i % 5)} }, 15 * 120},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			throttle := newThrottle(c.Now)
			if got := attack(c, throttle, tt.next); got > tt.most || got < tt.most/2 {
				t.Errorf("%d guesses a day, want %d at most", got, tt.most)
			}
			if wait := throttle.attempt(origin{"true owner", "elsewhere"}); wait != 0 {
				t.Errorf("somebody else, from elsewhere, waits %v", wait)
			}
		})
	}
}

// An owner who logged in from his network before does not notice that others guess, be it there or anywhere. From a network that
// is new to him he waits half a minute at most.
func TestThrottleSparesTheOwner(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(i int) origin{
		"many networks guess at the account":  func(i int) origin { return origin{"a@b", strconv.Itoa(i)} },
		"his network guesses at all accounts": func(i int) origin { return origin{strconv.Itoa(i), "home"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			throttle := newThrottle(c.Now)
			owner := origin{"a@b", "home"}
			if wait := throttle.attempt(owner); wait != 0 {
				t.Fatal(wait)
			}
			throttle.succeeded(owner)
			attack(c, throttle, next)
			for range 2 * freeAttempts {
				if wait := throttle.attempt(owner); wait != 0 {
					t.Fatalf("the owner waits %v", wait)
				}
				throttle.succeeded(owner)
			}
			if wait := throttle.attempt(origin{"a@b", "hotel"}); wait > accountRule().max {
				t.Errorf("from elsewhere he waits %v", wait)
			}
			if wait := throttle.attempt(origin{"c@d", "home"}); wait > addressRule().max {
				t.Errorf("his neighbour waits %v", wait)
			}
		})
	}
}

func TestThrottleGrowsAndForgets(t *testing.T) {
	t.Parallel()
	c := newClock()
	throttle := newThrottle(c.Now)
	from := origin{"a@b", "::"}
	try := func(want time.Duration) {
		t.Helper()
		if got := throttle.attempt(from); got != want {
			t.Fatalf("wait %v, want %v", got, want)
		}
	}
	for range freeAttempts {
		try(0)
	}
	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256} { // in total less than drains one
		wait *= time.Second
		try(wait)
		c.now = c.now.Add(wait - 1)
		try(1)
		c.now = c.now.Add(1)
		try(0)
	}
	try(512 * time.Second)
	c.now = c.now.Add(24 * time.Hour)
	for range freeAttempts {
		try(0)
	}
	try(firstDelay)
	throttle.succeeded(from)
	try(0)
}

// Success with an own account takes back nothing but its own attempt, so it does not help to guess at others.
func TestThrottleIsNotRefilled(t *testing.T) {
	t.Parallel()
	c := newClock()
	throttle := newThrottle(c.Now)
	own := func(i int) origin { return origin{"own-" + strconv.Itoa(i), "net"} }
	tried := 0
	for i := range 10 * addressRule().free {
		if throttle.attempt(origin{strconv.Itoa(i), "net"}) == 0 {
			tried++
		}
		if throttle.attempt(own(i)) == 0 {
			throttle.succeeded(own(i))
		}
		if throttle.attempt(own(0)) == 0 {
			throttle.succeeded(own(0))
		}
	}
	if tried > addressRule().free {
		t.Errorf("%d accounts were tried at once, want %d", tried, addressRule().free)
	}
}

// What was not tried does not count, however often.
func TestThrottleOfWhatWasNotTried(t *testing.T) {
	t.Parallel()
	throttle := newThrottle(newClock().Now)
	from := origin{"a@b", "net"}
	for range 1000 {
		if wait := throttle.attempt(from); wait != 0 {
			t.Fatal(wait)
		}
		throttle.abandoned(from)
	}
}

func TestThrottleIsBounded(t *testing.T) {
	t.Parallel()
	throttle := newThrottle(newClock().Now)
	for i := range 2 * maxTracked {
		from := origin{strconv.Itoa(i), strconv.Itoa(i)}
		throttle.attempt(from)
		if i%2 == 0 {
			throttle.succeeded(from)
		}
		throttle.attempt(origin{"x" + from.email, from.network})
	}
	if a, b, c, d := len(throttle.pairs.of), len(throttle.accounts.of), len(throttle.addresses.of), len(throttle.trusted); a > maxTracked ||
		b > maxTracked || c > maxTracked || d > maxTracked || min(a, b, c, d) < maxTracked/2 {
		t.Errorf("remembers %d pairs, %d accounts, %d addresses and %d owners; want %d at most", a, b, c, d, maxTracked)
	}
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.1":            "192.0.2.1",
		"::ffff:192.0.2.1":     "::ffff:192.0.2.1",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"fe80::1%eth0":         "fe80::/64",
		"":                     "",
	} {
		if got := network(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
