package simulation

import (
	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/stock"
)

// judge is MySQL. A transaction is one step: the lock on its shows keeps everybody else out from its first read to its end, so
// nothing could be seen in between. A commit that is late holds its locks until it arrives.
type judge struct {
	w        *World
	stock    []stock.Row    // by show
	rows     []*booking.Row // by reservation; nil: none
	locked   []int          // by show: how many late commits hold its lock; 0 is the row of verified servers
	verified int            // the run that the fence has verified; 0: none
	fence    bool           // a guardian holds its row's lock
}

func newJudge(w *World) *judge {
	j := &judge{w: w, rows: make([]*booking.Row, len(w.ids)), stock: make([]stock.Row, w.shows), locked: make([]int, w.shows+1)}
	for i := range j.stock {
		j.stock[i] = stock.Row{Show: int64(i) + 1, Capacity: 3 + w.random.IntN(8), Limit: w.random.IntN(3) * 2}
	}
	return j
}

func (j *judge) row(show int64) stock.Row { return j.stock[show-1] }

// confirmed sums up a show's confirmed units.
func (j *judge) confirmed(show int64) int {
	units := 0
	for _, row := range j.rows {
		if row != nil && row.Show == show && row.Status == booking.Confirmed {
			units += row.Units
		}
	}
	return units
}

// held sums up a user's confirmed units of a show.
func (j *judge) held(show, user int64) int {
	units := 0
	for _, row := range j.rows {
		if row != nil && row.Show == show && row.User == user && row.Status == booking.Confirmed {
			units += row.Units
		}
	}
	return units
}

// free reports whether nobody holds the locks of the shows of entries.
func (j *judge) free(entries []booking.Entry) bool {
	for _, e := range entries {
		if j.locked[e.Show] > 0 {
			return false
		}
	}
	return true
}

// facts is what a transaction reads before it decides.
func (j *judge) facts(entries []booking.Entry) booking.Facts {
	f := booking.Facts{Stock: make(map[int64]stock.Row, 2), Rows: make(map[uuid.UUID]*booking.Row, len(entries)),
		Held: make(map[booking.Holder]int, len(entries))}
	for _, e := range entries {
		f.Stock[e.Show] = j.row(e.Show)
		if row := j.rows[j.w.index[e.ID.String()]]; row != nil && f.Rows[e.ID] == nil {
			mine := *row
			f.Rows[e.ID] = &mine
		}
		if j.row(e.Show).Limit > 0 {
			f.Held[booking.Holder{Show: e.Show, User: e.User}] = j.held(e.Show, e.User)
		}
	}
	return f
}

// write does what was decided, or nothing where the guard refuses.
func (j *judge) write(f booking.Facts, d booking.Decided) bool {
	for show := int64(1); show <= j.w.shows; show++ {
		units, changes := d.Reserved[show]
		if !changes {
			continue
		}
		row := &j.stock[show-1]
		if row.Epoch != f.Stock[show].Epoch || row.Reserved+units < 0 || row.Reserved+units > row.Capacity {
			return false
		}
	}
	for show := int64(1); show <= j.w.shows; show++ {
		j.stock[show-1].Reserved += d.Reserved[show]
	}
	for _, row := range d.Cancels {
		j.w.checkCancel(j.rows[j.w.index[row.ID.String()]], row)
		j.rows[j.w.index[row.ID.String()]] = row
	}
	for _, row := range d.Inserts {
		j.w.checkInsert(row)
		j.rows[j.w.index[row.ID.String()]] = row
	}
	for _, decision := range d.Decisions {
		j.w.decided[j.w.deedOf(decision.Entry)] = true
	}
	return true
}

// raise is step 4 of a resync: it returns the stock under its new epoch, or false where the epoch is not the one read any more.
func (j *judge) raise(show, read, hashEpoch int64, terms *terms) (stock.Row, bool) {
	row := &j.stock[show-1]
	if row.Epoch != read && !j.w.mistakes.NoCompareAndSet {
		return stock.Row{}, false
	}
	row.Epoch = max(row.Epoch, hashEpoch) + 1
	row.Reserved = j.confirmed(show)
	if terms != nil {
		row.Capacity, row.Limit = terms.capacity, terms.limit
	}
	return *row, true
}

// verifiedServers is the place of their row among the locks.
const verifiedServers = 0

// commit ends a transaction that holds the locks of shows. do does it all at once, now or later or never.
func (j *judge) commit(what string, shows []int64, do func() bool) fate {
	if j.w.luck.mysql && j.w.chance(8) {
		switch j.w.random.IntN(4) {
		case 0: // rolled back
			return unsent
		case 1:
			for _, show := range shows {
				j.locked[show]++
			}
			j.w.late = append(j.w.late, late{what: what, do: func(*node) {
				for _, show := range shows {
					j.locked[show]--
				}
				if !j.w.chance(3) {
					do()
				}
			}})
			return unanswered
		default:
			do()
			return unanswered
		}
	}
	if !do() {
		return unsent
	}
	return answered
}
