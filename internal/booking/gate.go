package booking

import (
	"context"
	"errors"
	"sync"
	"time"
)

// How long a look-up waits for MySQL. All that it reads there is found by index, so whatever takes longer is an outage.
const (
	markedWithin   = 2 * time.Second  // where markers give an answer, too
	unmarkedWithin = 10 * time.Second // where there is no other
	probeEvery     = 500 * time.Millisecond
)

// errSilent: MySQL let the last look-up wait in vain, and the next probe is not due.
var errSilent = errors.New("MySQL does not answer in time")

// gate keeps look-ups from waiting for a MySQL that accepts connections and says nothing: once one of them has waited in vain, the
// others are turned away at once, and one at a time probes. Otherwise they would hold every connection of the pool, which bookings,
// log-ins and loads of shows need as soon as MySQL is back. A MySQL that refuses connections closes nothing: it takes no time.
type gate struct {
	mu       sync.Mutex
	answered time.Time // when MySQL answered last
	silent   bool
	probing  bool
	next     time.Time // of the next probe, while it is silent
}

// read calls do with a context that ends after the given time, or returns errSilent at once. Reads that the caller breaks off say
// nothing about MySQL.
func (g *gate) read(ctx context.Context, within time.Duration, do func(ctx context.Context) error) error {
	began := time.Now()
	probe, ok := g.enter(began)
	if !ok {
		return errSilent
	}
	bounded, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := do(bounded)
	g.leave(probe, began, err != nil && ctx.Err() != nil, err != nil && bounded.Err() != nil)
	return err
}

// enter reports whether a read may begin, and whether it is the probe.
func (g *gate) enter(now time.Time) (probe, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.silent {
		return false, true
	}
	if g.probing || now.Before(g.next) {
		return false, false
	}
	g.probing = true
	return true, true
}

// leave takes note of a read that began at a time: the caller broke it off, or it was late, or MySQL answered.
func (g *gate) leave(probe bool, began time.Time, brokenOff, late bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if probe {
		g.probing = false
	}
	now := time.Now()
	switch {
	case brokenOff:
	case !late:
		g.silent, g.answered = false, now
	case !began.Before(g.answered): // else others were answered while it waited
		g.silent, g.next = true, now.Add(probeEvery)
	}
}
