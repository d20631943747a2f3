package main

import (
	"context"
	"fmt"
	"time"

	"github.com/neticket/neticket/internal/loadgen"
)

const (
	// filesLeft are what API and load generator need for everything that is no connection of a customer.
	filesLeft = 1000
	// burstUnits of ten buyers get a ticket: the last come too late.
	burstUnits = 9
)

// atOnce is how many connections the limit of open files allows.
func (b *bench) atOnce() int { return max(1, min(b.mostAtOnce, b.results.Machine.Files-filesLeft)) }

// measureBursts measures what happens when everybody comes at once.
func (b *bench) measureBursts(ctx context.Context) error {
	return b.withSystem(ctx, b.programs, "", 1, func(s *system) error {
		if err := b.openConnections(ctx, s); err != nil {
			return err
		}
		if err := b.warm(ctx, s); err != nil {
			return err
		}
		began := time.Now()
		for run := 0; run < b.runs && b.another(run, began, "bursts"); run++ {
			if err := b.take(ctx, floor64); err != nil {
				return err
			}
			for _, burst := range []func(context.Context, *system, int) error{b.burstOwn, b.burstKept, b.burstOnce} {
				if err := burst(ctx, s, run); err != nil {
					return err
				}
			}
		}
		return b.take(ctx, floor64)
	})
}

// openConnections measures what open connections cost an API that has done nothing else yet.
func (b *bench) openConnections(ctx context.Context, s *system) error {
	idle, err := readMemory(s.api.PID())
	if err != nil {
		return err
	}
	g, err := s.generator(ctx, b.buyers, true)
	if err != nil {
		return err
	}
	defer g.Close()
	open, err := readMemory(s.api.PID())
	if err != nil {
		return err
	}
	progress("API with %d open connections: %d MiB, before %d MiB", b.buyers, open.now, idle.now)
	b.results.add("memory/api/idle", float64(idle.now))
	b.results.add("memory/api/open", float64(open.now))
	return nil
}

// burstOwn has everybody book within a second, each on a connection of his own.
func (b *bench) burstOwn(ctx context.Context, s *system, run int) error {
	show, err := s.openBurst(ctx, fmt.Sprintf("Own %d", run), b.buyers)
	if err != nil {
		return err
	}
	g, err := s.generator(ctx, b.buyers, false)
	if err != nil {
		return err
	}
	defer g.Close()
	if err := b.burst(ctx, "burst/own", g, s.buyers(show, b.buyers, time.Second)); err != nil {
		return err
	}
	return b.audit(ctx, s, fmt.Sprintf("%d bookings within 1 s, each on its own connection", b.buyers))
}

// burstKept has everybody look at a show, and then book it, within a second, on connections that are open.
func (b *bench) burstKept(ctx context.Context, s *system, run int) error {
	show, err := s.openBurst(ctx, fmt.Sprintf("Kept %d", run), b.buyers)
	if err != nil {
		return err
	}
	g, err := s.generator(ctx, b.buyers, true)
	if err != nil {
		return err
	}
	defer g.Close()
	if err := b.burst(ctx, "burst/detail", g, s.visitors(show, b.buyers, time.Second)); err != nil {
		return err
	}
	if err := b.burst(ctx, "burst/kept", g, s.buyers(show, b.buyers, time.Second)); err != nil {
		return err
	}
	return b.audit(ctx, s, fmt.Sprintf("%d bookings within 1 s on open connections", b.buyers))
}

// burstOnce has as many as possible look at a show, and then book it, in the same moment.
func (b *bench) burstOnce(ctx context.Context, s *system, run int) error {
	n := b.atOnce()
	show, err := s.openBurst(ctx, fmt.Sprintf("Once %d", run), n)
	if err != nil {
		return err
	}
	g, err := s.generator(ctx, n, true)
	if err != nil {
		return err
	}
	defer g.Close()
	b.results.add("burst/once/size", float64(n))
	if err := b.burst(ctx, "burst/detail-once", g, s.visitors(show, n, 0)); err != nil {
		return err
	}
	if err := b.burst(ctx, "burst/once", g, s.buyers(show, n, 0)); err != nil {
		return err
	}
	return b.audit(ctx, s, fmt.Sprintf("%d bookings at once", n))
}

// openBurst opens a sale that some of the buyers come too late for.
func (s *system) openBurst(ctx context.Context, title string, buyers int) (int64, error) {
	shows, err := s.addSales(ctx, title, 1, max(1, buyers*burstUnits/10))
	if err != nil {
		return 0, err
	}
	return shows[0], s.load(ctx, shows)
}

func (s *system) buyers(show int64, n int, over time.Duration) crowd {
	return crowd{requests: n, over: over, served: []string{"202", "409 sold_out"},
		request: func(b []byte, i int) []byte { return s.booking(b, show, i) }}
}

func (s *system) visitors(show int64, n int, over time.Duration) crowd {
	path := fmt.Sprintf("/api/v1/shows/%d", show)
	return crowd{requests: n, over: over, served: []string{"200"}, request: func(b []byte, i int) []byte { return s.get(b, path, i) }}
}

// burst sends a crowd and keeps its figures, which are named after the first of them.
func (b *bench) burst(ctx context.Context, name string, g *loadgen.Generator, c crowd) error {
	o, err := send(ctx, g, c)
	if err != nil {
		return err
	}
	progress("%s: %d requests, mean %v, p50 %v, p99 %v; %v", name, c.requests, o.Mean, o.P50, o.P99, o.answers)
	b.results.add(name, inMilliseconds(o.Mean))
	b.results.addAnswers(name, o.answers)
	b.results.add(name+"/p50", inMilliseconds(o.P50))
	b.results.add(name+"/p99", inMilliseconds(o.P99))
	b.results.add(name+"/unserved", float64(o.unserved))
	return nil
}
