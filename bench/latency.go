package main

import (
	"context"
	"math"
)

// latencyConnections carry the requests of an open loop: so many that none has to wait for one.
const latencyConnections = 512

// measureLatency measures, at half of the rate that is confirmed with a level backlog, how long a booking waits for its row: from accepted, by
// Redis's clock, to committed, by the worker's.
func (b *bench) measureLatency(ctx context.Context, s *system) error {
	shows, err := s.open(ctx, 1)
	if err != nil {
		return err
	}
	if _, err := s.drain(ctx); err != nil {
		return err
	}
	g, err := s.generator(ctx, latencyConnections, true)
	if err != nil {
		return err
	}
	defer g.Close()
	before, err := scrape(ctx, s.worker)
	if err != nil {
		return err
	}
	confirmed := b.results.figure(s.figure("booking/confirmed")).Samples
	rate := confirmed[len(confirmed)-1] / 2
	o, err := send(ctx, g, crowd{requests: max(1, int(rate*b.latency.Seconds())), over: b.latency, served: []string{"202"},
		request: func(buf []byte, i int) []byte { return s.booking(buf, shows[0], i) }})
	if err != nil {
		return err
	}
	if err := b.verify(ctx, s, "the run at half of that rate"); err != nil {
		return err
	}
	after, err := scrape(ctx, s.worker)
	if err != nil {
		return err
	}
	p99 := quantile(before, after, "neticket_confirm_latency_seconds", 0.99) * 1000
	if math.IsNaN(p99) || math.IsInf(p99, 0) {
		b.results.fail("the worker%s does not say how long bookings at %.0f/s waited for their rows", s.suffix(), rate)
		return nil
	}
	progress("at %.0f/s%s: accepted to committed p99 %.0f ms; answers %v, mean %v, p99 %v", rate, s.suffix(), p99, o.answers, o.Mean, o.P99)
	b.results.add(s.figure("booking/latency/p99"), p99)
	name := s.figure("booking/latency/mean")
	b.results.add(name, inMilliseconds(o.Mean))
	b.results.addAnswers(name, o.answers)
	return nil
}
