package show

import (
	"testing"
	"time"
)

func TestStateOf(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 5, n, 12, 0, 0, 0, time.UTC) }
	s := Show{SalesOpenAt: day(10), SalesCloseAt: day(20), StartsAt: day(25)}
	for name, test := range map[string]struct {
		now    time.Time
		paused bool
		left   int
		want   State
	}{
		"before the sale":              {day(1), false, 5, Upcoming},
		"just before the sale":         {day(10).Add(-1), false, 5, Upcoming},
		"the sale opens":               {day(10), false, 5, OnSale},
		"upcoming comes before paused": {day(1), true, 0, Upcoming},
		"paused comes before sold out": {day(11), true, 0, Paused},
		"sold out":                     {day(11), false, 0, SoldOut},
		"less than none":               {day(11), false, -1, SoldOut},
		"one left":                     {day(20).Add(-1), false, 1, OnSale},
		"the sale closes":              {day(20), true, 0, Closed},
		"it starts":                    {day(25), true, 0, Ended},
		"long over":                    {day(30), false, 5, Ended},
	} {
		if got := StateOf(s, test.now, test.paused, test.left); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}
