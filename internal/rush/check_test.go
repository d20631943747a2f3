package rush

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/loadgen"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
)

// scene is a rush of five buyers for two tickets that went well: two got one, two were told "sold out", one gave up.
func scene() (*stage, found) {
	answer := func(status int, code string) loadgen.Answer {
		return loadgen.Answer{Outcome: loadgen.Answered, Status: status, Code: code}
	}
	st := &stage{show: show.Show{ID: 7}, terms: stock.Terms{Capacity: 2, Limit: 1}, buyers: []buyer{
		{user: 1, last: answer(202, "")}, {user: 2, last: answer(200, "")},
		{user: 3, last: answer(409, "sold_out")}, {user: 4, last: answer(409, "sold_out")}, {user: 5, last: answer(503, "busy")},
	}}
	f := found{broken: map[string][]string{}, settled: true, cut: stock.Cut{
		Row:  stock.Row{Show: 7, Capacity: 2, Limit: 1, Reserved: 2, Epoch: 1},
		Hash: stock.Hash{State: "open", Epoch: 1, Left: 0, Seq: 2, Settled: 2},
	}}
	for _, b := range st.buyers[:2] {
		f.rows = append(f.rows, row{id: b.id(7), user: b.user, units: 1, status: booking.Confirmed})
	}
	return st, f
}

// Each kind of damage breaks exactly the checks that are about it.
func TestJudge(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		damage func(st *stage, f *found)
		broken []string
	}{
		"none": {func(*stage, *found) {}, nil},
		"rejected afterwards, with a reason": {func(_ *stage, f *found) {
			f.rows[1].status, f.rows[1].reason = booking.Rejected, booking.Lost
			f.cut.Row.Reserved, f.cut.Hash.Left = 1, 1
		}, nil},
		"gave up, and had one": {func(st *stage, _ *found) { st.buyers[1].last = st.buyers[4].last }, nil},
		"nobody came through": {func(st *stage, f *found) {
			for i := range st.buyers {
				st.buyers[i].last = st.buyers[4].last
			}
			*f = found{cut: stock.Cut{Row: stock.Row{Capacity: 2}}}
		}, nil},

		"no answer":                         {func(st *stage, _ *found) { st.buyers[4].last = loadgen.Answer{Outcome: loadgen.Cut} }, []string{"answered"}},
		"an error":                          {func(st *stage, _ *found) { st.buyers[4].last.Status = 500 }, []string{"answered"}},
		"booked, no row":                    {func(_ *stage, f *found) { f.rows = f.rows[:1] }, []string{"booked_is_recorded", "sold_out"}},
		"booked, two units":                 {func(_ *stage, f *found) { f.rows[0].units = 2 }, []string{"booked_is_recorded", "capacity"}},
		"booked, cancelled by nobody":       {func(_ *stage, f *found) { f.rows[0].status = booking.Cancelled }, []string{"booked_is_recorded", "sold_out"}},
		"booked, rejected without a reason": {func(_ *stage, f *found) { f.rows[0].status = booking.Rejected }, []string{"booked_is_recorded", "sold_out"}},
		"booked, another's row":             {func(_ *stage, f *found) { f.rows[0].user = 9 }, []string{"booked_is_recorded"}},
		"refused, with a row": {func(st *stage, f *found) {
			f.rows[1] = row{id: st.buyers[2].id(7), user: 3, units: 1, status: booking.Confirmed}
			st.buyers[1].last = st.buyers[4].last
		}, []string{"refused_has_none"}},
		"a row of nobody": {func(_ *stage, f *found) {
			f.rows = append(f.rows, row{id: uuid.New(), user: 99, units: 1, status: booking.Confirmed})
		}, []string{"nobody_else", "capacity"}},
		"sold out too early": {func(st *stage, f *found) {
			st.buyers[1].last = st.buyers[2].last
			f.rows, f.cut.Row.Reserved, f.cut.Hash.Left = f.rows[:1], 1, 1
		}, []string{"sold_out"}},
		"an entry waits":        {func(_ *stage, f *found) { f.cut.Hash.Settled = 1 }, []string{"drained"}},
		"left too high":         {func(_ *stage, f *found) { f.cut.Hash.Left = 5 }, []string{"left"}},
		"left too low":          {func(_ *stage, f *found) { f.cut.Hash.Left = -1 }, []string{"left"}},
		"it never stood still":  {func(_ *stage, f *found) { f.settled = false }, []string{"conclusive"}},
		"what stock check says": {func(_ *stage, f *found) { f.broken["I9"] = []string{"an entry is gone"} }, []string{"I9"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st, f := scene()
			test.damage(st, &f)
			var broken []string
			for _, check := range judge(st, f) {
				if !check.Holds {
					broken = append(broken, check.Name)
				}
			}
			if !slices.Equal(broken, test.broken) {
				t.Errorf("broken: %v, want %v\n%+v", broken, test.broken, judge(st, f))
			}
		})
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	st, f := scene()
	for i := range st.buyers {
		st.buyers[i].first, st.buyers[i].tries = st.buyers[i].last, 1
	}
	b := &st.buyers[1]
	b.first, b.tries, b.dropped, b.lost = loadgen.Answer{Outcome: loadgen.Dropped}, 2, true, true
	c := &crowd{stage: st}
	r := c.report(Options{Buyers: 5, Capacity: 2}, f, nil, 1)
	if got := fmt.Sprint(r.First, r.Last); got != "map[202:1 409 sold_out:2 503 busy:1 reply dropped:1] map[200:1 202:1 409 sold_out:2 503 busy:1]" {
		t.Errorf("answers %s", got)
	}
	if !r.Holds || r.Tries != 6 || r.Dropped != 1 || r.Found != 1 || r.GaveUp != 1 || r.Left != 0 || r.Recorded != 2 {
		t.Errorf("%+v", r)
	}
	f.cut.Hash.Left = 1
	if r := c.report(Options{}, f, nil, 1); r.Holds {
		t.Error("a broken check, and it holds")
	}
}

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -5: "-5", -999: "-999", -1000: "-1,000"} {
		if got := Thousands(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
