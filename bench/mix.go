package main

import (
	"context"
	"fmt"
	"time"
)

const (
	mineBookings = 200
	mineRate     = 500 // requests per second
	mineShows    = 4   // that they are of
)

// measureMix measures people who do everything at the same time, and then someone with many reservations who looks at them.
func (b *bench) measureMix(ctx context.Context) error {
	return b.withSystem(ctx, b.programs, "", 2+mineShows, func(s *system) error {
		if err := b.warm(ctx, s); err != nil {
			return err
		}
		if err := b.take(ctx, floor64); err != nil {
			return err
		}
		if err := b.fourEndpoints(ctx, s); err != nil {
			return err
		}
		if err := b.audit(ctx, s, "four endpoints at once"); err != nil {
			return err
		}
		if err := b.mineOfMany(ctx, s); err != nil {
			return err
		}
		return b.take(ctx, floor64)
	})
}

// fourEndpoints has customers look at the list and at a show, book it, and look at their reservations, in turn, at a fixed rate.
func (b *bench) fourEndpoints(ctx context.Context, s *system) error {
	shows, err := s.open(ctx, 1)
	if err != nil {
		return err
	}
	g, err := s.generator(ctx, b.mixUsers, true)
	if err != nil {
		return err
	}
	defer g.Close()
	detail := fmt.Sprintf("/api/v1/shows/%d", shows[0])
	o, err := send(ctx, g, crowd{requests: int(float64(b.mixRate) * b.mix.Seconds()), over: b.mix, served: []string{"200", "202"},
		request: func(buf []byte, i int) []byte {
			user := i % b.mixUsers
			switch (i/b.mixUsers + user) % 4 { // at any time each endpoint is asked by a quarter of them
			case 0:
				return s.get(buf, "/api/v1/shows", user)
			case 1:
				return s.get(buf, detail, user)
			case 2:
				return s.booking(buf, shows[0], user)
			default:
				return s.get(buf, "/api/v1/reservations", user)
			}
		}})
	if err != nil {
		return err
	}
	progress("four endpoints: mean %v, p99 %v; %v", o.Mean, o.P99, o.answers)
	b.results.add("mix/served", float64(o.Count-o.unserved)/max(o.took, b.mix).Seconds())
	b.results.addAnswers("mix/served", o.answers)
	b.results.add("mix/unserved", float64(o.unserved))
	b.results.add("mix/mean", inMilliseconds(o.Mean))
	b.results.add("mix/p99", inMilliseconds(o.P99))
	return nil
}

// mineOfMany has someone with many reservations look at them.
func (b *bench) mineOfMany(ctx context.Context, s *system) error {
	shows, err := s.open(ctx, mineShows)
	if err != nil {
		return err
	}
	g, err := s.generator(ctx, 64, true)
	if err != nil {
		return err
	}
	defer g.Close()
	const user = 1
	o, err := send(ctx, g, crowd{requests: mineBookings, over: time.Second, served: []string{"202"},
		request: func(buf []byte, i int) []byte { return s.booking(buf, shows[i%mineShows], user) }})
	if err == nil && o.unserved > 0 {
		err = fmt.Errorf("book %d times: %v", mineBookings, o.answers)
	}
	if err != nil {
		return err
	}
	if err := b.audit(ctx, s, fmt.Sprintf("%d bookings of one customer", mineBookings)); err != nil {
		return err
	}
	if o, err = send(ctx, g, crowd{requests: int(mineRate * b.mine.Seconds()), over: b.mine, served: []string{"200"},
		request: func(buf []byte, _ int) []byte { return s.get(buf, "/api/v1/reservations", user) }}); err != nil {
		return err
	}
	progress("my reservations: mean %v, p99 %v; %v", o.Mean, o.P99, o.answers)
	b.results.add("mine/mean", inMilliseconds(o.Mean))
	b.results.addAnswers("mine/mean", o.answers)
	b.results.add("mine/p99", inMilliseconds(o.P99))
	if o.unserved > 0 {
		b.results.fail("%d of %d looks at reservations failed: %v", o.unserved, o.Count, o.answers)
	}
	return nil
}
