package main

import (
	"fmt"
	"time"
)

// scale is how much is measured.
type scale struct {
	name string // of the results

	shows int // in the catalogue that is read
	users int // who book, each a few times
	runs  int // of everything short; the report has their median

	limit  time.Duration            // of the whole run
	shares map[string]time.Duration // of the groups: no further run begins that would take longer

	warmUp    time.Duration
	reading   time.Duration // of each target and run
	reference time.Duration // of each sample of a reference
	booking   time.Duration // of each closed-loop run
	level     time.Duration // window in which rows are counted, of the first run
	levelMore time.Duration // of further runs, and of the earlier build
	latency   time.Duration
	mix       time.Duration
	mine      time.Duration

	buyers      int // of the smaller bursts
	mostAtOnce  int // of the largest one, if the limit of open files allows
	mixRate     int // requests per second
	mixUsers    int
	sales       int // shows that a spread sale is on
	coresForTwo int // least number of cores on which two APIs and two workers are measured
	rows        int // reservations in the table before the growth runs; 0: those are left out
}

var (
	short = scale{
		name: "short", shows: 20_000, users: 40_000, runs: 2,
		limit: 8 * time.Minute, shares: shares(40, 125, 45, 0, 30, 20),
		warmUp: time.Second, reading: 2 * time.Second, reference: time.Second, booking: 3 * time.Second,
		level: 10 * time.Second, levelMore: 10 * time.Second, latency: 4 * time.Second, mix: 10 * time.Second, mine: 4 * time.Second,
		buyers: 10_000, mostAtOnce: 50_000, mixRate: 8000, mixUsers: 2000, sales: 10_000, coresForTwo: 4,
	}
	full = scale{
		name: "full", shows: 100_000, users: 50_000, runs: 3,
		limit: 30 * time.Minute, shares: shares(150, 600, 130, 0, 80, 60),
		warmUp: 2 * time.Second, reading: 4 * time.Second, reference: 3 * time.Second, booking: 5 * time.Second,
		level: 60 * time.Second, levelMore: 20 * time.Second, latency: 15 * time.Second, mix: 60 * time.Second, mine: 15 * time.Second,
		buyers: 10_000, mostAtOnce: 50_000, mixRate: 8000, mixUsers: 2000, sales: 10_000, coresForTwo: 4, rows: 5_000_000,
	}
)

// shares are the seconds that the runs of each group may take.
func shares(reading, booking, bursts, mix, growth, processes time.Duration) map[string]time.Duration {
	return map[string]time.Duration{"reading": reading * time.Second, "booking": booking * time.Second, "bursts": bursts * time.Second,
		"mix": mix * time.Second, "growth": growth * time.Second, "processes": processes * time.Second}
}

// words says how much is measured.
func (s scale) words() []string {
	return []string{
		fmt.Sprintf("Reading: a catalogue of %d shows, %d runs of %v for each target after %v of warm-up.", s.shows, s.runs, s.reading, s.warmUp),
		fmt.Sprintf("Booking: %d customers, %d runs of %v, one unit each, of shows with a limit of %d per user. With a level backlog the first run "+
			"counts rows for %v, others for %v.", s.users, s.runs, s.booking, saleLimit, s.level, s.levelMore),
		fmt.Sprintf("At once: %d people within a second, and as many in the same moment as the limit of open files allows, %d at most.", s.buyers, s.mostAtOnce),
		fmt.Sprintf("Four endpoints: %d users, %d requests per second for %v. Growth: %d shows, %d rows.", s.mixUsers, s.mixRate, s.mix, s.sales, s.rows),
	}
}
