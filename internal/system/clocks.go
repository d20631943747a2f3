package system

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/diagnosis"
	"github.com/neticket/neticket/internal/stock"
)

const (
	wrongClock    = time.Second // people see it: a sale opens late, or a time in a list is off
	mistakenClock = 10 * time.Second

	clockWithin = 5 * time.Second
)

// reading is by how much a clock was ahead of this host's; it may be off by error, as the answer was under way.
type reading struct {
	of           string
	ahead, error time.Duration
}

// readClock asks a clock for its time.
func readClock(of string, now func() (time.Time, error)) (reading, error) {
	asked := time.Now()
	at, err := now()
	trip := time.Since(asked)
	return reading{of, at.Sub(asked.Add(trip / 2)), trip / 2}, err
}

// examineClocks compares the clocks of the servers that answer with each other and this host's. Those that do not answer are
// told elsewhere.
func (s *System) examineClocks(ctx context.Context) diagnosis.Diagnosis {
	ctx, cancel := context.WithTimeout(ctx, clockWithin)
	defer cancel()
	clocks := []reading{{of: "this host"}}
	note := func(of string, now func() (time.Time, error)) {
		if r, err := readClock(of, now); err == nil {
			clocks = append(clocks, r)
		}
	}
	note("MySQL", func() (time.Time, error) { return database.Now(ctx, s.DB) })
	_ = stock.ServerTimes(ctx, s.Redis, func(addr string, now func() (time.Time, error)) { note("Redis at "+addr, now) })
	return compareClocks(clocks)
}

func compareClocks(clocks []reading) (d diagnosis.Diagnosis) {
	if len(clocks) < 2 {
		return nil
	}
	slices.SortStableFunc(clocks, func(a, b reading) int { return cmp.Compare(a.ahead, b.ahead) })
	first, last := clocks[0], clocks[len(clocks)-1]
	apart := max(0, last.ahead-first.ahead-first.error-last.error)
	all := make([]string, len(clocks))
	for i, c := range clocks {
		all[i] = fmt.Sprintf("%s %+.3f s", c.of, (c.ahead - first.ahead).Seconds())
	}
	const mend = "set the clocks with NTP, on every machine; Redis's decides when a sale opens, MySQL's orders changes of shows, this host's dates tokens"
	switch told := strings.Join(all, ", "); {
	case apart > mistakenClock:
		d.Fault("clocks", mend, "the clocks differ by %v: %s", apart.Round(time.Millisecond), told)
	case apart > wrongClock:
		d.Warn("clocks", mend, "the clocks differ by %v: %s", apart.Round(time.Millisecond), told)
	default:
		d.OK("clocks", "the clocks agree: %s", told)
	}
	return d
}
