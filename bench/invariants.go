package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// checkTries is how often a check is made, a second apart, until every show stands still.
const checkTries = 10

// check is what held after a run.
type check struct {
	After    string `json:"after"`
	Group    string `json:"group"`
	Build    string `json:"build,omitempty"` // "baseline": the earlier one
	Accepted int    `json:"accepted"`        // bookings that the API accepted since it started, by its own count
	Unknown  int    `json:"unknown"`         // requests answered 503 "unknown", or as repeated: they may be bookings, too
	Rows     int    `json:"rows"`            // reservations in MySQL, without those that the bench filled in
	Units    int    `json:"units"`           // of confirmed rows: a booking here is one unit
	Audited  bool   `json:"audited"`         // `neticket stock check` ran
	Shows    int    `json:"shows"`           // that it compared in Redis and MySQL
	Broken   string `json:"broken"`          // what did not hold; "": everything held

	broken []string
}

// verify waits until everything accepted is recorded, then checks that nothing was lost and nothing oversold: each booking that the API
// counted as accepted has a row, there is no row that it does not know of, and no show has more units sold than it had or than its rows say.
func (b *bench) verify(ctx context.Context, s *system, after string) error {
	c, err := b.count(ctx, s, after)
	if err == nil {
		b.keepCheck(s, c)
	}
	return err
}

// audit verifies, and then has `neticket stock check` compare every row and marker of MySQL and Redis. That takes 10 to 20 s for a million
// bookings.
func (b *bench) audit(ctx context.Context, s *system, after string) error {
	c, err := b.count(ctx, s, after)
	if err != nil {
		return err
	}
	found, err := s.checkStock(ctx)
	for try := 1; err == nil && found.inconclusive > 0; try++ { // the flusher may have paused a show
		if try == checkTries {
			found.broken = append(found.broken, fmt.Sprintf("%d shows could not be compared", found.inconclusive))
			break
		}
		if err = wait(ctx, time.Second); err == nil {
			found, err = s.checkStock(ctx)
		}
	}
	if err != nil {
		return err
	}
	c.Audited, c.Shows = true, found.conclusive
	c.broken = append(c.broken, found.broken...)
	b.keepCheck(s, c)
	return nil
}

func (b *bench) keepCheck(s *system, c check) {
	c.Broken = strings.Join(c.broken, "; ")
	b.results.Checks = append(b.results.Checks, c)
	if c.Broken != "" {
		b.results.fail("after %s%s: %s", c.After, s.suffix(), c.Broken)
	}
}

func (b *bench) count(ctx context.Context, s *system, after string) (c check, err error) {
	if _, err := s.drain(ctx); err != nil {
		return c, err
	}
	counted := s.counted
	for _, api := range []*program{s.api, s.api2} {
		if api == nil {
			continue
		}
		more, err := bookingCounts(ctx, api)
		if err != nil {
			return c, err
		}
		counted = counted.plus(more)
	}
	rows, units, err := s.store.counts(ctx)
	if err != nil {
		return c, err
	}
	oversold, err := s.store.oversold(ctx)
	if err != nil {
		return c, err
	}
	c = check{After: after, Group: b.results.group, Build: s.build, Accepted: counted.accepted, Unknown: counted.unknown,
		Rows: rows - s.filled, Units: units - s.filled}
	if c.Units < c.Accepted || c.Rows > c.Accepted+c.Unknown || c.Rows != c.Units {
		c.broken = append(c.broken, fmt.Sprintf("%d bookings were accepted and %d have an unknown end, but %d are recorded and %d units confirmed",
			c.Accepted, c.Unknown, c.Rows, c.Units))
	}
	if oversold > 0 {
		c.broken = append(c.broken, fmt.Sprintf("%d shows have sold more units than they had, or than their rows say", oversold))
	}
	return c, nil
}

// counts are bookings that an API has answered since it started, by its own count.
type counts struct {
	accepted int
	unknown  int // answered that their end is unknown, or as repeated: they may have been recorded
}

func (c counts) plus(other counts) counts {
	return counts{c.accepted + other.accepted, c.unknown + other.unknown}
}

func bookingCounts(ctx context.Context, api *program) (counts, error) {
	metrics, err := scrape(ctx, api)
	if err != nil {
		return counts{}, err
	}
	of := func(result string) int { return int(metrics[`neticket_bookings_total{result="`+result+`"}`]) }
	return counts{of("accepted"), of("unknown") + of("repeated")}, nil
}

// stockCheck is what `neticket stock check` found.
type stockCheck struct {
	conclusive   int
	inconclusive int
	broken       []string
}

func (s *system) checkStock(ctx context.Context) (stockCheck, error) {
	// Its exit status is 1 when something is broken, and then it prints what.
	text, failed := s.neticket(ctx, "stock", "check", "--json")
	var report struct {
		Conclusive   int     `json:"conclusive"`
		Drift        int     `json:"drift"`
		Inconclusive []int64 `json:"inconclusive"`
		Violations   []struct {
			Invariant string `json:"invariant"`
			Show      int64  `json:"show_id"`
			Detail    string `json:"detail"`
		} `json:"violations"`
	}
	if err := json.Unmarshal([]byte(text), &report); err != nil {
		if failed != nil {
			return stockCheck{}, failed
		}
		return stockCheck{}, fmt.Errorf("read what `neticket stock check` found: %w\n%s", err, text)
	}
	found := stockCheck{conclusive: report.Conclusive, inconclusive: len(report.Inconclusive)}
	for _, v := range report.Violations {
		found.broken = append(found.broken, fmt.Sprintf("%s, show %d: %s", v.Invariant, v.Show, v.Detail))
	}
	if failed != nil && len(found.broken) == 0 {
		return found, failed
	}
	return found, nil
}
