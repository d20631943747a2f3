package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// measureProcesses measures two APIs and two workers against one of each, in turns. On few cores they would only get in each other's
// way, and in that of the client.
func (b *bench) measureProcesses(ctx context.Context) error {
	if b.results.Machine.Cores < b.coresForTwo {
		progress("two APIs and two workers are not measured: that takes %d cores", b.coresForTwo)
		return nil
	}
	return b.withSystem(ctx, b.programs, "", 1+2*b.runs, func(s *system) error {
		if err := b.warm(ctx, s); err != nil {
			return err
		}
		began := time.Now()
		for run := 0; run < b.runs && b.another(run, began, "processes"); run++ {
			if err := b.twoClients(ctx, s, "processes/1"); err != nil {
				return err
			}
			if err := s.startSecond(ctx); err != nil {
				return err
			}
			if err := b.twoClients(ctx, s, "processes/2"); err != nil {
				return err
			}
			if err := b.audit(ctx, s, "bookings with two APIs and two workers"); err != nil {
				return err
			}
			if err := s.stopSecond(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// startSecond runs another worker and another API.
func (s *system) startSecond(ctx context.Context) (err error) {
	if s.worker2, err = s.run(ctx, "worker"); err != nil {
		return err
	}
	s.api2, err = s.run(ctx, "api")
	return err
}

// stopSecond stops them, and keeps in mind what that API had accepted.
func (s *system) stopSecond(ctx context.Context) error {
	counted, err := bookingCounts(ctx, s.api2)
	if err != nil {
		return err
	}
	s.counted = s.counted.plus(counted)
	for _, p := range []**program{&s.api2, &s.worker2} {
		if err := (*p).Stop(ctx); err != nil {
			return err
		}
		*p = nil
	}
	return nil
}

// twoClients has two clients book in a closed loop, of 32 connections each, at both APIs where there are two.
func (b *bench) twoClients(ctx context.Context, s *system, figure string) error {
	show, err := s.open(ctx, 1)
	if err != nil {
		return err
	}
	before, err := s.store.reserved(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	group, groupCtx := errgroup.WithContext(ctx)
	for i, api := range []*program{s.api, s.api2} {
		t := s.bookings([]string{"first", "second"}[i], show, 32)
		if api != nil {
			t.url = api.url
		}
		group.Go(func() error { _, err := b.wrk.send(groupCtx, t, b.booking); return err })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	drained, err := s.drain(ctx)
	if err != nil {
		return err
	}
	after, err := s.store.reserved(ctx)
	if err != nil {
		return err
	}
	rate := float64(after-before) / drained.Sub(began).Seconds()
	progress("%s: recorded %.0f/s", figure, rate)
	b.results.add(figure, rate)
	return nil
}
