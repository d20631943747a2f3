package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

const (
	// levelShows is how many shows a level run sells, one after the other: one has a million units, and a minute may sell more.
	levelShows = 3
	// A sale has many people at once, not the few that would do to keep the system busy.
	levelConnections = 1000
	// The client is held back from one number of waiting bookings on, until another is reached.
	backlogMost  = 8000
	backlogLeast = 2000
	gatePoll     = 10 * time.Millisecond
	// The window begins when the gate has held the client back, or when it seems that it need not.
	leadIn     = 2 * time.Second
	mostLeadIn = 6 * time.Second
)

// measureLevel counts what is confirmed in MySQL over a window in which the backlog stays level, and what that costs. More is
// accepted than can be recorded, so a gate freezes the client whenever more than backlogMost bookings wait: what remains is the rate that
// the whole system keeps up for as long as people come.
func (b *bench) measureLevel(ctx context.Context, s *system, run int) error {
	shows, err := s.open(ctx, levelShows)
	if err != nil {
		return err
	}
	length := b.level
	if run > 0 || s.build != "" {
		length = b.levelMore
	}
	client, err := b.wrk.start(s.bookings("level", shows, levelConnections), mostLeadIn+length+2*time.Second)
	if err != nil {
		return err
	}
	window, err := b.watchLevel(ctx, s, client, length)
	if err := errors.Join(err, client.Signal(syscall.SIGINT)); err != nil {
		return err
	}
	if _, err := client.wait(ctx); err != nil {
		return err
	}
	rate := float64(window.confirmed) / window.took.Seconds()
	progress("confirmed%s with a level backlog: %.0f/s over %.0f s, %d waited at its start and %d at its end", s.suffix(), rate,
		window.took.Seconds(), window.first, window.last)
	b.results.add(s.figure("booking/confirmed"), rate)
	b.results.add(s.figure("booking/backlog/start"), float64(window.first))
	b.results.add(s.figure("booking/backlog/end"), float64(window.last))
	b.results.add(s.figure("booking/gated"), window.gated.Seconds()/window.took.Seconds())
	b.results.addCPU(s, window.before, window.after, window.confirmed)
	if window.last > 2*backlogMost {
		b.results.fail("the backlog%s grew to %d bookings although the client was held back", s.suffix(), window.last)
	}
	return b.verify(ctx, s, "the run with a level backlog")
}

// levelWindow is what was seen in the window.
type levelWindow struct {
	took          time.Duration
	gated         time.Duration // in which the client was held back
	confirmed     int
	first, last   int // bookings that waited at its start and end
	before, after map[string]time.Duration
}

// watchLevel gates the client and looks at the system as the window begins and ends. The client goes on when it returns.
func (b *bench) watchLevel(ctx context.Context, s *system, client *wrkRun, length time.Duration) (w levelWindow, err error) {
	g := gate{system: s, client: client}
	defer func() { err = errors.Join(err, g.open()) }()
	for lead := time.Duration(0); lead < mostLeadIn && (lead < leadIn || g.closed == 0); lead += leadIn / 4 {
		if err := g.keep(ctx, leadIn/4); err != nil {
			return w, err
		}
	}
	began, gatedBefore := time.Now(), g.closed
	if w.before, err = s.cpuTimes(); err != nil {
		return w, err
	}
	atStart, err := s.store.reserved(ctx)
	if err != nil {
		return w, err
	}
	w.first = g.waiting
	if err := g.keep(ctx, length); err != nil {
		return w, err
	}
	atEnd, err := s.store.reserved(ctx)
	if err != nil {
		return w, err
	}
	w.took, w.gated, w.last, w.confirmed = time.Since(began), g.closed-gatedBefore, g.waiting, atEnd-atStart
	if w.after, err = s.cpuTimes(); err == nil && w.confirmed == 0 {
		err = fmt.Errorf("nothing was confirmed in %v", w.took)
	}
	return w, err
}

// gate keeps a backlog level: it freezes the client while too many bookings wait.
type gate struct {
	system  *system
	client  *wrkRun
	shut    bool
	waiting int           // when it was last looked at
	closed  time.Duration // so far
}

// keep looks after the backlog for a while.
func (g *gate) keep(ctx context.Context, length time.Duration) (err error) {
	end := time.Now().Add(length)
	for looked := time.Now(); looked.Before(end); {
		if g.waiting, err = g.system.backlog(ctx); err != nil {
			return err
		}
		if shut := g.waiting > backlogMost || g.shut && g.waiting > backlogLeast; shut != g.shut {
			if err := g.client.hold(shut); err != nil {
				return err
			}
			g.shut = shut
		}
		if err := wait(ctx, gatePoll); err != nil {
			return err
		}
		now := time.Now()
		if g.shut {
			g.closed += now.Sub(looked)
		}
		looked = now
	}
	return nil
}

func (g *gate) open() error {
	g.shut = false
	return g.client.hold(false)
}
