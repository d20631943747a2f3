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

// Decision is the outcome of one entry and what its settlement gives back.
type Decision struct {
	Entry     Entry
	Outcome   Outcome
	UnitsBack int  // to left
	CountBack int  // off the user's count
	Void      bool // a cancel that did nothing: its marker goes
}

// Holder is a user of a show.
type Holder struct{ Show, User int64 }

// Facts are what the transaction knows before it decides. Plan changes Rows and Held as it goes.
type Facts struct {
	Stock map[int64]stock.Row // locked
	Rows  map[uuid.UUID]*Row  // of the ids in the batch
	Held  map[Holder]int      // confirmed units, for shows with a limit
	// Unstorable: the one entry of the batch cannot be stored as what it should be.
	Unstorable bool
}

// Decided is what the transaction has to write, and settle once it is committed.
type Decided struct {
	Decisions []Decision
	Inserts   []*Row
	Cancels   []*Row
	Reserved  map[int64]int    // difference of reserved units by show, none of them 0
	Suspects  map[int64]string // shows that Redis may be wrong about, and why (causes of package stock)
}

// Plan decides each entry in the stream's order, seeing what it decided before. It does nothing else: the same facts give the
// same decisions.
func Plan(entries []Entry, f Facts) Decided {
	d := Decided{Decisions: make([]Decision, 0, len(entries)), Reserved: map[int64]int{}, Suspects: map[int64]string{}}
	inserted := map[*Row]bool{}
	for _, e := range entries {
		row := f.Rows[e.ID]
		switch {
		case e.Kind == Cancel:
			d.cancel(e, row, f, inserted)
		case row == nil:
			row = d.reserve(e, f)
			f.Rows[e.ID] = row
			inserted[row] = true
		case row.Epoch == e.Epoch && row.Seq == e.Seq: // delivered again
			units, count := givenBack(row)
			if row.Reason == SoldOut && e.Epoch == f.Stock[e.Show].Epoch { // the commit's answer may have been lost
				d.Suspects[e.Show] = stock.CauseSoldOut
			}
			d.Decisions = append(d.Decisions, Decision{Entry: e, Outcome: outcomeAgain, UnitsBack: units, CountBack: count})
		default: // a repeat whose marker was gone took units a second time
			d.Decisions = append(d.Decisions, Decision{Entry: e, Outcome: outcomeTwice, UnitsBack: e.Units, CountBack: e.Units})
		}
	}
	for show, units := range d.Reserved {
		if units == 0 {
			delete(d.Reserved, show)
		}
	}
	return d
}

// reserve decides an entry that has no row yet.
func (d *Decided) reserve(e Entry, f Facts) *Row {
	row := &Row{Epoch: e.Epoch, Seq: e.Seq, Reservation: Reservation{
		ID: e.ID, Show: e.Show, User: e.User, Units: e.Units, Status: Rejected, BookedAt: e.At}}
	s := f.Stock[e.Show] // of a show that does not exist: epoch 0, which no entry has
	who := Holder{e.Show, e.User}
	switch {
	case e.Epoch != s.Epoch:
		row.Reason = Lost
		d.suspectEpoch(e.Show)
	case s.Reserved+d.Reserved[e.Show]+e.Units > s.Capacity:
		row.Reason = SoldOut
		d.Suspects[e.Show] = stock.CauseSoldOut
	case s.Limit > 0 && f.Held[who]+e.Units > s.Limit:
		row.Reason = LimitReached
	case f.Unstorable:
		row.Reason = Failed
	default:
		row.Status = Confirmed
		d.Reserved[e.Show] += e.Units
		f.Held[who] += e.Units
	}
	outcome := outcomeConfirmed
	if row.Status == Rejected {
		outcome = outcomeRejected + Outcome(row.Reason)
	}
	units, count := givenBack(row)
	d.Decisions = append(d.Decisions, Decision{Entry: e, Outcome: outcome, UnitsBack: units, CountBack: count})
	d.Inserts = append(d.Inserts, row)
	return row
}

func (d *Decided) suspectEpoch(show int64) {
	if d.Suspects[show] == "" {
		d.Suspects[show] = stock.CauseEpoch
	}
}

// cancel decides a cancel entry; row may be nil.
func (d *Decided) cancel(e Entry, row *Row, f Facts, inserted map[*Row]bool) {
	switch {
	case row != nil && row.Status == Cancelled && row.CancelEpoch == e.Epoch && row.CancelSeq == e.Seq: // delivered again
		d.Decisions = append(d.Decisions, Decision{Entry: e, Outcome: outcomeAgain, UnitsBack: row.Units, CountBack: row.Units})
	case e.Epoch != f.Stock[e.Show].Epoch:
		d.suspectEpoch(e.Show) // of a show that is sold out only cancels may come
		d.Decisions = append(d.Decisions, Decision{Entry: e, Outcome: outcomeVoid, Void: true})
	case row == nil, row.Status != Confirmed, row.User != e.User, row.Show != e.Show:
		d.Decisions = append(d.Decisions, Decision{Entry: e, Outcome: outcomeVoid, Void: true})
	default:
		row.Status, row.CancelEpoch, row.CancelSeq = Cancelled, e.Epoch, e.Seq
		d.Reserved[e.Show] -= row.Units
		f.Held[Holder{e.Show, e.User}] -= row.Units
		if !inserted[row] {
			d.Cancels = append(d.Cancels, row)
		}
		d.Decisions = append(d.Decisions, Decision{Entry: e, Outcome: outcomeCancelled, UnitsBack: row.Units, CountBack: row.Units})
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
