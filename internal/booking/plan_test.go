package booking

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/stock"
)

// The show of these tests is 42, its epoch 5, its user 7; the reservation's entry has seq 10, that of its cancel seq 20.
var (
	planned = uuid.MustParse("11111111-1111-8111-8111-111111111111")
	other   = uuid.MustParse("22222222-2222-8222-8222-222222222222")
)

func reserveEntry(change ...func(*Entry)) Entry {
	e := Entry{Kind: Reserve, ID: planned, Show: 42, User: 7, Units: 3, Epoch: 5, Seq: 10}
	for _, c := range change {
		c(&e)
	}
	return e
}

func cancelEntry(change ...func(*Entry)) Entry {
	e := reserveEntry(change...)
	e.Kind = Cancel
	if e.Seq == 10 {
		e.Seq = 20
	}
	return e
}

// rowOf is the row that an entry made; it may hold other units than a repeat of it.
func rowOf(status Status, reason Reason, change ...func(*Row)) *Row {
	r := &Row{Epoch: 5, Seq: 10, Reservation: Reservation{ID: planned, Show: 42, User: 7, Units: 2, Status: status, Reason: reason}}
	for _, c := range change {
		c(r)
	}
	return r
}

func epochOf(epoch int64) func(*Entry) { return func(e *Entry) { e.Epoch = epoch } }
func seqOf(seq int64) func(*Entry)     { return func(e *Entry) { e.Seq = seq } }
func unitsOf(units int) func(*Entry)   { return func(e *Entry) { e.Units = units } }

func cancelledBy(epoch, seq int64) func(*Row) {
	return func(r *Row) { r.CancelEpoch, r.CancelSeq = epoch, seq }
}

// TestPlan has every row of the table in docs "The worker's transaction", in its order.
func TestPlan(t *testing.T) {
	t.Parallel()
	roomy := stock.Row{Show: 42, Capacity: 10, Limit: 4, Reserved: 2, Epoch: 5}
	full := stock.Row{Show: 42, Capacity: 10, Reserved: 8, Epoch: 5}
	brim := stock.Row{Show: 42, Capacity: 10, Reserved: 7, Epoch: 5}
	unlimited := stock.Row{Show: 42, Capacity: 10, Epoch: 5}
	type want struct {
		outcome      Outcome
		units, count int
		void         bool
		suspect      string // why the show wants a resync
		delta        int    // of reserved
		status       Status // of the row that is inserted or cancelled, "" for none
		reason       Reason
	}
	for name, test := range map[string]struct {
		entry      Entry
		row        *Row
		stock      stock.Row
		held       int
		unstorable bool
		want       want
	}{
		"1 again, confirmed":      {entry: reserveEntry(), row: rowOf(Confirmed, ""), stock: roomy, want: want{outcome: outcomeAgain}},
		"1 again, limit reached":  {entry: reserveEntry(), row: rowOf(Rejected, LimitReached), stock: roomy, want: want{outcome: outcomeAgain, units: 2, count: 2}},
		"1 again, error":          {entry: reserveEntry(), row: rowOf(Rejected, Failed), stock: roomy, want: want{outcome: outcomeAgain, units: 2, count: 2}},
		"1 again, sold out":       {entry: reserveEntry(), row: rowOf(Rejected, SoldOut), stock: roomy, want: want{outcome: outcomeAgain, suspect: stock.CauseSoldOut, count: 2}},
		"1 again, lost":           {entry: reserveEntry(), row: rowOf(Rejected, Lost), stock: roomy, want: want{outcome: outcomeAgain}},
		"1 again, cancelled":      {entry: reserveEntry(), row: rowOf(Cancelled, "", cancelledBy(5, 20)), stock: roomy, want: want{outcome: outcomeAgain}},
		"1 again, after a resync": {entry: reserveEntry(), row: rowOf(Confirmed, ""), stock: stock.Row{Show: 42, Capacity: 10, Epoch: 6}, want: want{outcome: outcomeAgain}},
		"2 another seq":           {entry: reserveEntry(seqOf(11)), row: rowOf(Confirmed, ""), stock: roomy, want: want{outcome: outcomeTwice, units: 3, count: 3}},
		"2 another epoch":         {entry: reserveEntry(), row: rowOf(Confirmed, "", func(r *Row) { r.Epoch = 4 }), stock: roomy, want: want{outcome: outcomeTwice, units: 3, count: 3}},
		"2 row rejected":          {entry: reserveEntry(seqOf(11)), row: rowOf(Rejected, Lost), stock: roomy, want: want{outcome: outcomeTwice, units: 3, count: 3}},
		"3 older epoch":           {entry: reserveEntry(epochOf(4)), stock: roomy, want: want{outcome: "rejected_lost", suspect: stock.CauseEpoch, status: Rejected, reason: Lost}},
		"3 newer epoch":           {entry: reserveEntry(epochOf(6)), stock: roomy, want: want{outcome: "rejected_lost", suspect: stock.CauseEpoch, status: Rejected, reason: Lost}},
		"3 before sold out":       {entry: reserveEntry(epochOf(4)), stock: full, want: want{outcome: "rejected_lost", suspect: stock.CauseEpoch, status: Rejected, reason: Lost}},
		"3 no such show":          {entry: reserveEntry(), want: want{outcome: "rejected_lost", suspect: stock.CauseEpoch, status: Rejected, reason: Lost}},
		"4 over capacity":         {entry: reserveEntry(), stock: full, want: want{outcome: "rejected_sold_out", count: 3, suspect: stock.CauseSoldOut, status: Rejected, reason: SoldOut}},
		"4 before the limit": {entry: reserveEntry(), stock: stock.Row{Show: 42, Capacity: 10, Reserved: 8, Epoch: 5, Limit: 1},
			want: want{outcome: "rejected_sold_out", count: 3, suspect: stock.CauseSoldOut, status: Rejected, reason: SoldOut}},
		"5 over the limit":        {entry: reserveEntry(), stock: roomy, held: 2, want: want{outcome: "rejected_limit_reached", units: 3, count: 3, status: Rejected, reason: LimitReached}},
		"5 before an error":       {entry: reserveEntry(), stock: roomy, held: 2, unstorable: true, want: want{outcome: "rejected_limit_reached", units: 3, count: 3, status: Rejected, reason: LimitReached}},
		"6 cannot be stored":      {entry: reserveEntry(), stock: roomy, unstorable: true, want: want{outcome: "rejected_error", units: 3, count: 3, status: Rejected, reason: Failed}},
		"7 else":                  {entry: reserveEntry(), stock: roomy, want: want{outcome: outcomeConfirmed, delta: 3, status: Confirmed}},
		"7 up to the limit":       {entry: reserveEntry(), stock: roomy, held: 1, want: want{outcome: outcomeConfirmed, delta: 3, status: Confirmed}},
		"7 up to capacity":        {entry: reserveEntry(), stock: brim, want: want{outcome: outcomeConfirmed, delta: 3, status: Confirmed}},
		"7 without a limit":       {entry: reserveEntry(unitsOf(9)), stock: unlimited, held: 100, want: want{outcome: outcomeConfirmed, delta: 9, status: Confirmed}},
		"8 cancelled by it":       {entry: cancelEntry(), row: rowOf(Cancelled, "", cancelledBy(5, 20)), stock: roomy, want: want{outcome: outcomeAgain, units: 2, count: 2}},
		"8 after a resync":        {entry: cancelEntry(epochOf(4)), row: rowOf(Cancelled, "", cancelledBy(4, 20)), stock: roomy, want: want{outcome: outcomeAgain, units: 2, count: 2}},
		"9 older epoch":           {entry: cancelEntry(epochOf(4)), row: rowOf(Confirmed, ""), stock: roomy, want: want{outcome: outcomeVoid, void: true, suspect: stock.CauseEpoch}},
		"9 newer epoch":           {entry: cancelEntry(epochOf(6)), row: rowOf(Confirmed, ""), stock: roomy, want: want{outcome: outcomeVoid, void: true, suspect: stock.CauseEpoch}},
		"10 confirmed":            {entry: cancelEntry(), row: rowOf(Confirmed, ""), stock: roomy, want: want{outcome: outcomeCancelled, units: 2, count: 2, delta: -2, status: Cancelled}},
		"10 of an older epoch":    {entry: cancelEntry(), row: rowOf(Confirmed, "", func(r *Row) { r.Epoch = 3 }), stock: roomy, want: want{outcome: outcomeCancelled, units: 2, count: 2, delta: -2, status: Cancelled}},
		"11 no row":               {entry: cancelEntry(), stock: roomy, want: want{outcome: outcomeVoid, void: true}},
		"11 rejected":             {entry: cancelEntry(), row: rowOf(Rejected, SoldOut), stock: roomy, want: want{outcome: outcomeVoid, void: true}},
		"11 cancelled by another": {entry: cancelEntry(), row: rowOf(Cancelled, "", cancelledBy(5, 19)), stock: roomy, want: want{outcome: outcomeVoid, void: true}},
		"11 ... in another epoch": {entry: cancelEntry(), row: rowOf(Cancelled, "", cancelledBy(4, 20)), stock: roomy, want: want{outcome: outcomeVoid, void: true}},
		"11 somebody else's":      {entry: cancelEntry(func(e *Entry) { e.User = 8 }), row: rowOf(Confirmed, ""), stock: roomy, want: want{outcome: outcomeVoid, void: true}},
		"11 of another show":      {entry: cancelEntry(), row: rowOf(Confirmed, "", func(r *Row) { r.Show = 43 }), stock: roomy, want: want{outcome: outcomeVoid, void: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := Facts{Stock: map[int64]stock.Row{}, Rows: map[uuid.UUID]*Row{}, Held: map[Holder]int{}, Unstorable: test.unstorable}
			if test.stock.Show != 0 {
				f.Stock[42] = test.stock
			}
			if test.row != nil {
				f.Rows[planned] = test.row
			}
			if test.held > 0 {
				f.Held[Holder{42, 7}] = test.held
			}
			d := Plan([]Entry{test.entry}, f)
			if len(d.Decisions) != 1 {
				t.Fatalf("%d decisions", len(d.Decisions))
			}
			decision := d.Decisions[0]
			got := want{outcome: decision.Outcome, units: decision.UnitsBack, count: decision.CountBack, void: decision.Void,
				delta: d.Reserved[42], suspect: d.Suspects[42]}
			for _, row := range append(d.Inserts, d.Cancels...) {
				got.status, got.reason = row.Status, row.Reason
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if inserts := test.entry.Kind == Reserve && test.row == nil; inserts != (len(d.Inserts) == 1) {
				t.Errorf("inserts %d rows", len(d.Inserts))
			}
			if n, set := d.Reserved[42]; set && n == 0 {
				t.Error("a change of reserved by 0 is written")
			}
		})
	}
}

// What an entry makes is the entry's: its row remembers who it was.
func TestPlannedRows(t *testing.T) {
	t.Parallel()
	f := Facts{Stock: map[int64]stock.Row{42: {Show: 42, Capacity: 10, Epoch: 5}}, Rows: map[uuid.UUID]*Row{}, Held: map[Holder]int{}}
	d := Plan([]Entry{reserveEntry()}, f)
	want := []*Row{{Epoch: 5, Seq: 10, Reservation: Reservation{ID: planned, Show: 42, User: 7, Units: 3, Status: Confirmed}}}
	if diff := cmp.Diff(want, d.Inserts); diff != "" {
		t.Errorf("insert (-want +got):\n%s", diff)
	}
	d = Plan([]Entry{cancelEntry()}, f)
	want[0].Status, want[0].CancelEpoch, want[0].CancelSeq = Cancelled, 5, 20
	if diff := cmp.Diff(want, d.Cancels); diff != "" {
		t.Errorf("cancel (-want +got):\n%s", diff)
	}
}

// A batch is decided in the stream's order, each entry seeing what was decided before it.
func TestPlanOfABatch(t *testing.T) {
	t.Parallel()
	id := func(id uuid.UUID) func(*Entry) { return func(e *Entry) { e.ID = id } }
	for name, test := range map[string]struct {
		entries []Entry
		limit   int
		want    []Outcome
		delta   int
		inserts []Status
		cancels int
	}{
		"the last units": {[]Entry{reserveEntry(unitsOf(8)), reserveEntry(id(other), seqOf(11), unitsOf(3))}, 0,
			[]Outcome{outcomeConfirmed, "rejected_sold_out"}, 8, []Status{Confirmed, Rejected}, 0},
		"one user's limit": {[]Entry{reserveEntry(), reserveEntry(id(other), seqOf(11), unitsOf(2))}, 4,
			[]Outcome{outcomeConfirmed, "rejected_limit_reached"}, 3, []Status{Confirmed, Rejected}, 0},
		"the same entry twice": {[]Entry{reserveEntry(), reserveEntry()}, 0,
			[]Outcome{outcomeConfirmed, outcomeAgain}, 3, []Status{Confirmed}, 0},
		"the same id twice": {[]Entry{reserveEntry(), reserveEntry(seqOf(11))}, 0,
			[]Outcome{outcomeConfirmed, outcomeTwice}, 3, []Status{Confirmed}, 0},
		"booked and cancelled": {[]Entry{reserveEntry(), cancelEntry()}, 0,
			[]Outcome{outcomeConfirmed, outcomeCancelled}, 0, []Status{Cancelled}, 0},
		"cancelled before it was booked": {[]Entry{cancelEntry(), reserveEntry()}, 0,
			[]Outcome{outcomeVoid, outcomeConfirmed}, 3, []Status{Confirmed}, 0},
		"cancelled twice": {[]Entry{reserveEntry(), cancelEntry(), cancelEntry(), cancelEntry(seqOf(21))}, 0,
			[]Outcome{outcomeConfirmed, outcomeCancelled, outcomeAgain, outcomeVoid}, 0, []Status{Cancelled}, 0},
		"a cancel makes room": {[]Entry{reserveEntry(unitsOf(10)), cancelEntry(), reserveEntry(id(other), seqOf(21))}, 0,
			[]Outcome{outcomeConfirmed, outcomeCancelled, outcomeConfirmed}, 3, []Status{Cancelled, Confirmed}, 0},
		"a cancel frees the user's limit": {[]Entry{reserveEntry(), cancelEntry(), reserveEntry(id(other), seqOf(21))}, 4,
			[]Outcome{outcomeConfirmed, outcomeCancelled, outcomeConfirmed}, 3, []Status{Cancelled, Confirmed}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := Facts{Stock: map[int64]stock.Row{42: {Show: 42, Capacity: 10, Limit: test.limit, Epoch: 5}},
				Rows: map[uuid.UUID]*Row{}, Held: map[Holder]int{}}
			d := Plan(test.entries, f)
			var outcomes []Outcome
			for i, decision := range d.Decisions {
				outcomes = append(outcomes, decision.Outcome)
				if decision.Entry != test.entries[i] {
					t.Errorf("decision %d is about %+v", i, decision.Entry)
				}
			}
			var inserts []Status
			for _, row := range d.Inserts {
				inserts = append(inserts, row.Status)
			}
			if diff := cmp.Diff(test.want, outcomes); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.inserts, inserts, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("inserts (-want +got):\n%s", diff)
			}
			if d.Reserved[42] != test.delta || len(d.Cancels) != test.cancels {
				t.Errorf("reserved %+d, %d cancels; want %+d, %d", d.Reserved[42], len(d.Cancels), test.delta, test.cancels)
			}
		})
	}
}
