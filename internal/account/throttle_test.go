package account

import (
	"strconv"
	"testing"
	"time"
)

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newClock() *clock { return &clock{time.Date(2030, 1, 2, 3, 4, 5, 678e6, time.UTC)} }

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
	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
		wait *= time.Second
		try(wait)
		c.now = c.now.Add(wait - 1)
		try(1)
		if other := (origin{"a@b", "another"}); throttle.attempt(other) != 0 {
			t.Fatal("another origin has to wait")
		} else {
			throttle.succeeded(other)
		}
		c.now = c.now.Add(1)
		try(0)
	}
	try(maxDelay)
	c.now = c.now.Add(maxDelay + forgetAfter + 1)
	for range freeAttempts {
		try(0)
	}
	try(firstDelay)
	throttle.succeeded(from)
	try(0)
}

func TestThrottleIsBounded(t *testing.T) {
	t.Parallel()
	throttle := newThrottle(newClock().Now)
	for i := range 2 * maxOrigins {
		throttle.attempt(origin{strconv.Itoa(i), ""})
	}
	if n := len(throttle.origins); n != maxOrigins {
		t.Errorf("remembers %d, want %d", n, maxOrigins)
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
