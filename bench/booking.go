package main

import (
	"context"
	"fmt"
	"maps"
	"time"
)

// measureBooking measures the life of a booking: accepted, recorded, confirmed, and what that costs. An earlier build is measured in turns
// with this one, on servers of its own. Each run has new servers, so that none finds the tables of the last.
func (b *bench) measureBooking(ctx context.Context) error {
	began := time.Now()
	for run := 0; run < b.runs && b.another(run, began, "booking"); run++ {
		progress("booking, run %d of %d", run+1, b.runs)
		err := b.withSystem(ctx, b.programs, "", bookingShows, func(s *system) error {
			if b.earlier == "" {
				return b.bookingRun(ctx, run, s)
			}
			return b.withSystem(ctx, b.earlier, "baseline", bookingShows, func(earlier *system) error {
				return b.bookingRun(ctx, run, s, earlier)
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// bookingShows is how many shows a run sells: the warm-up, two closed loops, the level backlog, the latencies and the profiles.
const bookingShows = 1 + 2 + levelShows + 1 + 1

func (b *bench) bookingRun(ctx context.Context, run int, systems ...*system) error {
	for _, s := range systems {
		if err := b.warm(ctx, s); err != nil {
			return err
		}
	}
	if err := b.take(ctx, floor64, floor1000, lock64); err != nil {
		return err
	}
	for _, s := range systems {
		for _, connections := range []int{64, 1000} {
			if err := b.accept(ctx, s, connections); err != nil {
				return err
			}
		}
		if err := b.soldOut(ctx, s); err != nil {
			return err
		}
	}
	if err := b.take(ctx, floor64, floor1000, lock64); err != nil {
		return err
	}
	for _, s := range systems {
		if err := b.measureLevel(ctx, s, run); err != nil {
			return err
		}
		if err := b.take(ctx, lock64); err != nil {
			return err
		}
	}
	for _, s := range systems {
		if err := b.measureLatency(ctx, s); err != nil {
			return err
		}
		used, err := readMemory(s.worker.PID())
		if err != nil {
			return err
		}
		b.results.add(s.figure("memory/worker"), float64(used.most))
		if err := b.audit(ctx, s, "all of that"); err != nil {
			return err
		}
	}
	if run > 0 {
		return nil
	}
	return b.profileBooking(ctx, systems[0])
}

// warm books for a while, so that connections and caches are there.
func (b *bench) warm(ctx context.Context, s *system) error {
	shows, err := s.open(ctx, 1)
	if err != nil {
		return err
	}
	_, err = b.book(ctx, s, s.bookings("warm-up", shows, 64), b.warmUp)
	return err
}

// booked is what a closed loop of bookings showed.
type booked struct {
	flood
	recorded int           // units confirmed from its start until the last row
	until    time.Duration // that took
}

// book has people book in a closed loop, and waits until all of it is recorded.
func (b *bench) book(ctx context.Context, s *system, t target, length time.Duration) (done booked, err error) {
	before, err := s.store.reserved(ctx)
	if err != nil {
		return booked{}, err
	}
	if done.flood, err = b.wrk.send(ctx, t, length); err != nil {
		return booked{}, err
	}
	ended := time.Now()
	drained, err := s.drain(ctx)
	if err != nil {
		return booked{}, err
	}
	after, err := s.store.reserved(ctx)
	done.recorded, done.until = after-before, done.took()+drained.Sub(ended)
	return done, err
}

// bookings asks for a unit of each show, by each customer, then the next show.
func (s *system) bookings(name string, shows []int64, connections int) target {
	t := target{name: name, url: s.api.url, tokens: s.tokensFile, connections: connections}
	for _, id := range shows {
		t.requests = append(t.requests, bookingRequest(id))
	}
	return t
}

// accept measures what is accepted in a closed loop on one show while the worker records, and when the last of it is recorded.
func (b *bench) accept(ctx context.Context, s *system, connections int) error {
	shows, err := s.open(ctx, 1)
	if err != nil {
		return err
	}
	if _, err := s.drain(ctx); err != nil {
		return err
	}
	done, err := b.book(ctx, s, s.bookings("bookings", shows, connections), b.booking)
	if err != nil {
		return err
	}
	accepted := float64(done.Requests-done.Refused) / done.took().Seconds()
	drained := float64(done.recorded) / done.until.Seconds()
	progress("accepted%s, %d connections: %.0f/s, recorded %.0f/s, p99 %.1f ms, failed %d", s.suffix(), connections, accepted, drained,
		float64(done.P99)/1e3, done.failed())
	name := s.figure(fmt.Sprintf("booking/accepted/%d", connections))
	b.results.add(name, accepted)
	b.results.addAnswers(name, done.answers("202"))
	b.results.add(s.figure(fmt.Sprintf("booking/drained/%d", connections)), drained)
	if done.recorded < done.Requests-done.Refused {
		b.results.fail("%d bookings were accepted with %d connections%s, but only %d are recorded", done.Requests-done.Refused, connections,
			s.suffix(), done.recorded)
	}
	return b.verify(ctx, s, fmt.Sprintf("bookings with %d connections", connections))
}

// answers counts what a closed loop was answered, as far as wrk tells.
func (f flood) answers(good string) map[string]int {
	counts := map[string]int{good: f.Requests - f.Refused, "refused": f.Refused, "unanswered": f.Broken}
	maps.DeleteFunc(counts, func(_ string, n int) bool { return n == 0 })
	return counts
}

// soldOut measures the answer to bookings of a show that has no unit left.
func (b *bench) soldOut(ctx context.Context, s *system) error {
	if s.gone == 0 {
		shows, err := s.addSales(ctx, "Gone at once", 1, 1)
		if err != nil {
			return err
		}
		if err := s.load(ctx, shows); err != nil {
			return err
		}
		s.gone = shows[0]
	}
	before, err := s.cpuTimes()
	if err != nil {
		return err
	}
	done, err := b.wrk.send(ctx, s.bookings("sold-out", []int64{s.gone}, 64), b.booking)
	if err != nil {
		return err
	}
	after, err := s.cpuTimes()
	if err != nil {
		return err
	}
	spent := after["api"] - before["api"] + after["redis"] - before["redis"]
	b.results.add(s.figure("cpu/refused"), spent.Seconds()*1000/float64(done.Requests))
	name := s.figure("booking/sold-out")
	b.results.add(name, done.perSecond())
	b.results.addAnswers(name, done.answers("2xx"))
	progress("sold out%s: %.0f/s", s.suffix(), done.perSecond())
	if done.Refused != done.Requests || done.Broken > 0 {
		b.results.fail("of %d bookings of a show that is sold out%s, %d were refused and %d not answered", done.Requests, s.suffix(), done.Refused,
			done.Broken)
	}
	return nil
}
