package booking

import (
	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/stock"
)

// Outcome is what the recorder did with an entry, as the metrics call it.
type Outcome string

const (
	outcomeConfirmed Outcome = "confirmed"
	outcomeRejected  Outcome = "rejected_" // and the reason
	outcomeCancelled Outcome = "cancelled"
	outcomeAgain     Outcome = "delivered_again"
	outcomeTwice     Outcome = "taken_twice"
	outcomeVoid      Outcome = "cancel_void"
)

// decision is the outcome of one entry and what its settlement gives back.
type decision struct {
	entry     Entry
	outcome   Outcome
	unitsBack int  // to left
	countBack int  // off the user's count
	void      bool // a cancel that did nothing: its marker goes
}

// holder is a user of a show.
type holder struct{ show, user int64 }

// facts are what the transaction knows before it decides. plan changes rows and held as it goes.
type facts struct {
	stock map[int64]stock.Row // locked
	rows  map[uuid.UUID]*Row  // of the ids in the batch
	held  map[holder]int      // confirmed units, for shows with a limit
	// unstorable: the one entry of the batch cannot be stored as what it should be.
	unstorable bool
}

// decided is what the transaction has to write, and settle once it is committed.
type decided struct {
	decisions []decision
	inserts   []*Row
	cancels   []*Row
	reserved  map[int64]int    // difference of reserved units by show, none of them 0
	suspects  map[int64]string // shows that Redis may be wrong about, and why (causes of package stock)
}

// plan decides each entry in the stream's order, seeing what it decided before. It does nothing else: the same facts give the
// same decisions.
func plan(entries []Entry, f facts) decided {
	d := decided{decisions: make([]decision, 0, len(entries)), reserved: map[int64]int{}, suspects: map[int64]string{}}
	inserted := map[*Row]bool{}
	for _, e := range entries {
		row := f.rows[e.ID]
		switch {
		case e.Kind == cancel:
			d.cancel(e, row, f, inserted)
		case row == nil:
			row = d.reserve(e, f)
			f.rows[e.ID] = row
			inserted[row] = true
		case row.Epoch == e.Epoch && row.Seq == e.Seq: // delivered again
			units, count := givenBack(row)
			if row.Reason == SoldOut && e.Epoch == f.stock[e.Show].Epoch { // the commit's answer may have been lost
				d.suspects[e.Show] = stock.CauseSoldOut
			}
			d.decisions = append(d.decisions, decision{entry: e, outcome: outcomeAgain, unitsBack: units, countBack: count})
		default: // a repeat whose marker was gone took units a second time
			d.decisions = append(d.decisions, decision{entry: e, outcome: outcomeTwice, unitsBack: e.Units, countBack: e.Units})
		}
	}
	for show, units := range d.reserved {
		if units == 0 {
			delete(d.reserved, show)
		}
	}
	return d
}

// reserve decides an entry that has no row yet.
func (d *decided) reserve(e Entry, f facts) *Row {
	row := &Row{Epoch: e.Epoch, Seq: e.Seq, Reservation: Reservation{
		ID: e.ID, Show: e.Show, User: e.User, Units: e.Units, Status: Rejected, BookedAt: e.At}}
	s := f.stock[e.Show] // of a show that does not exist: epoch 0, which no entry has
	who := holder{e.Show, e.User}
	switch {
	case e.Epoch != s.Epoch:
		row.Reason = Lost
		if d.suspects[e.Show] == "" {
			d.suspects[e.Show] = stock.CauseEpoch
		}
	case s.Reserved+d.reserved[e.Show]+e.Units > s.Capacity:
		row.Reason = SoldOut
		d.suspects[e.Show] = stock.CauseSoldOut
	case s.Limit > 0 && f.held[who]+e.Units > s.Limit:
		row.Reason = LimitReached
	case f.unstorable:
		row.Reason = Failed
	default:
		row.Status = Confirmed
		d.reserved[e.Show] += e.Units
		f.held[who] += e.Units
	}
	outcome := outcomeConfirmed
	if row.Status == Rejected {
		outcome = outcomeRejected + Outcome(row.Reason)
	}
	units, count := givenBack(row)
	d.decisions = append(d.decisions, decision{entry: e, outcome: outcome, unitsBack: units, countBack: count})
	d.inserts = append(d.inserts, row)
	return row
}

// cancel decides a cancel entry; row may be nil.
func (d *decided) cancel(e Entry, row *Row, f facts, inserted map[*Row]bool) {
	switch {
	case row != nil && row.Status == Cancelled && row.CancelEpoch == e.Epoch && row.CancelSeq == e.Seq: // delivered again
		d.decisions = append(d.decisions, decision{entry: e, outcome: outcomeAgain, unitsBack: row.Units, countBack: row.Units})
	case row == nil, row.Status != Confirmed, row.User != e.User, row.Show != e.Show, e.Epoch != f.stock[e.Show].Epoch:
		d.decisions = append(d.decisions, decision{entry: e, outcome: outcomeVoid, void: true})
	default:
		row.Status, row.CancelEpoch, row.CancelSeq = Cancelled, e.Epoch, e.Seq
		d.reserved[e.Show] -= row.Units
		f.held[holder{e.Show, e.User}] -= row.Units
		if !inserted[row] {
			d.cancels = append(d.cancels, row)
		}
		d.decisions = append(d.decisions, decision{entry: e, outcome: outcomeCancelled, unitsBack: row.Units, countBack: row.Units})
	}
}

// givenBack is what settling the entry that made a row gives back, the first time and every time: to left, and off the user's
// count. Units that were never there are not given back, and those of another epoch are not counted any more.
func givenBack(row *Row) (units, count int) {
	if row.Status != Rejected {
		return 0, 0
	}
	switch row.Reason {
	case LimitReached, Failed:
		return row.Units, row.Units
	case SoldOut:
		return 0, row.Units
	case Lost:
	}
	return 0, 0
}
