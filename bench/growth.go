package main

import (
	"context"
	"fmt"
	"time"
)

// poolBeyond of the buffer pool holds the filled table: 5,000,000 rows with their indexes are a good gigabyte.
const poolBeyond = 3 << 30

// measureGrowth measures what a system loses when it has grown: a sale over many shows, a table with years of reservations.
func (b *bench) measureGrowth(ctx context.Context) error {
	if err := b.take(ctx, lock64); err != nil {
		return err
	}
	if err := b.withSystem(ctx, b.programs, "", 1+b.runs, func(s *system) error { return b.moreShows(ctx, s) }); err != nil {
		return err
	}
	if b.rows == 0 {
		return b.take(ctx, lock64)
	}
	err := b.withSystem(ctx, b.programs, "", 1+2*b.runs, func(empty *system) error {
		return b.withSystem(ctx, b.programs, "", 1+2*b.runs, func(full *system) error { return b.moreRows(ctx, empty, full) })
	})
	if err != nil {
		return err
	}
	return b.take(ctx, lock64)
}

// moreShows has people book one show and many shows in turns.
func (b *bench) moreShows(ctx context.Context, s *system) error {
	many, err := s.addSales(ctx, "One of many", b.sales, saleCapacity)
	if err != nil {
		return err
	}
	progress("opening %d sales", b.sales)
	if err := s.load(ctx, many); err != nil {
		return err
	}
	if err := b.warm(ctx, s); err != nil {
		return err
	}
	spread := s.bookings("spread", many, 64)
	spread.paired = true
	began := time.Now()
	for run := 0; run < b.runs && b.another(run, began, "growth"); run++ {
		one, err := s.open(ctx, 1)
		if err != nil {
			return err
		}
		if err := b.grown(ctx, s, "growth/shows/1", s.bookings("one", one, 64)); err != nil {
			return err
		}
		if err := b.grown(ctx, s, "growth/shows/many", spread); err != nil {
			return err
		}
	}
	return b.audit(ctx, s, fmt.Sprintf("bookings of %d shows", b.sales))
}

// moreRows has people book where the table is empty and where it is full in turns: first where it is larger than InnoDB's buffer pool, then
// where all of it is in memory.
func (b *bench) moreRows(ctx context.Context, empty, full *system) error {
	if err := full.fill(ctx, b.rows); err != nil {
		return err
	}
	for _, s := range []*system{empty, full} {
		if err := b.warm(ctx, s); err != nil {
			return err
		}
	}
	for _, name := range []string{"growth/rows/beyond", "growth/rows/many"} {
		if name == "growth/rows/many" {
			if err := full.keepInMemory(ctx); err != nil {
				return err
			}
		}
		began := time.Now()
		for run := 0; run < b.runs && b.another(run, began, "growth"); run++ {
			for figure, s := range map[string]*system{"growth/rows/0": empty, name: full} {
				show, err := s.open(ctx, 1)
				if err != nil {
					return err
				}
				if err := b.grown(ctx, s, figure, s.bookings("grown", show, 64)); err != nil {
					return err
				}
			}
		}
		if err := b.take(ctx, lock64); err != nil {
			return err
		}
	}
	if err := b.audit(ctx, empty, "bookings in an empty table"); err != nil {
		return err
	}
	return b.audit(ctx, full, fmt.Sprintf("bookings among %d rows", b.rows))
}

// grown measures bookings until the last of them is recorded.
func (b *bench) grown(ctx context.Context, s *system, figure string, t target) error {
	done, err := b.book(ctx, s, t, b.booking)
	if err != nil {
		return err
	}
	rate := float64(done.recorded) / done.until.Seconds()
	progress("%s: accepted %.0f/s, recorded %.0f/s", figure, done.perSecond(), rate)
	b.results.add(figure, rate)
	b.results.addAnswers(figure, done.answers("202"))
	return nil
}

// pastShows have the reservations that are in the table before.
const pastShows = 100

// fill puts reservations of shows that were sold long ago into the table.
func (s *system) fill(ctx context.Context, rows int) error {
	progress("filling the table with %d rows", rows)
	began := time.Now()
	shows, err := s.addSales(ctx, "Years ago", pastShows, 1)
	if err != nil {
		return err
	}
	if err := s.store.fill(ctx, shows, rows/pastShows); err != nil {
		return err
	}
	s.filled = rows
	progress("that took %v", time.Since(began).Round(time.Second))
	return nil
}

// keepInMemory makes InnoDB's buffer pool large enough for the whole table, and reads all of it.
func (s *system) keepInMemory(ctx context.Context) error {
	root, err := openStore(s.mariadb.RootDSN("neticket"), 1)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.resizeBufferPool(ctx, poolBeyond); err != nil {
		return err
	}
	return root.readAll(ctx)
}
