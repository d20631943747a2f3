package rush

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/booking"
)

// Check is one promise, and whether it was kept.
type Check struct {
	Name   string `json:"name"` // a stable word
	Holds  bool   `json:"holds"`
	Detail string `json:"detail"` // what was promised, with figures
}

// tally is what became of the buyers, by what they were told last.
type tally struct {
	answered                      int
	booked, confirmed, rejected   int // told "booked"; of these, the rows by their status
	missing, doubled              int // told "booked": without a row, or with a wrong or a second one
	refused, refusedWithRow       int
	strangers                     int // rows of nobody who came, or second ones
	units                         int // confirmed
	soldOut                       int // told "sold out"
	reasons                       map[booking.Reason]int
	exampleMissing, exampleHeld   uuid.UUID
	exampleStranger, exampleWrong uuid.UUID
}

func count(show int64, buyers []buyer, rows []row) tally {
	t := tally{reasons: map[booking.Reason]int{}}
	byID := make(map[uuid.UUID]row, len(rows))
	for _, r := range rows {
		byID[r.id] = r
		if r.status == booking.Confirmed {
			t.units += r.units
		}
	}
	for i := range buyers {
		b := &buyers[i]
		id := b.id(show)
		r, there := byID[id]
		delete(byID, id)
		if b.booked() || b.refused() || b.turnedAway() {
			t.answered++
		}
		if b.last.Code == "sold_out" {
			t.soldOut++
		}
		switch {
		case b.booked():
			t.booked++
			switch {
			case !there:
				t.missing, t.exampleMissing = t.missing+1, id
			case r.user != b.user || r.units != perBuyer:
				t.doubled, t.exampleWrong = t.doubled+1, id
			case r.status == booking.Confirmed:
				t.confirmed++
			case r.status == booking.Rejected && r.reason != "":
				t.rejected++
				t.reasons[r.reason]++
			default:
				t.doubled, t.exampleWrong = t.doubled+1, id
			}
		case b.refused():
			t.refused++
			if there && r.status != booking.Rejected {
				t.refusedWithRow, t.exampleHeld = t.refusedWithRow+1, id
			}
		}
	}
	for id := range byID {
		t.strangers, t.exampleStranger = t.strangers+1, id
	}
	return t
}

// judge checks what was promised to the buyers, then what must hold between Redis and MySQL.
func judge(st *stage, f found) []Check {
	var checks []Check
	add := func(name string, holds bool, detail string, args ...any) {
		checks = append(checks, Check{name, holds, fmt.Sprintf(detail, args...)})
	}
	t, row := count(st.show.ID, st.buyers, f.rows), f.cut.Row
	add("answered", t.answered == len(st.buyers), "every buyer got a clear answer: %s of %s", Thousands(t.answered), Thousands(len(st.buyers)))
	add("booked_is_recorded", t.missing == 0 && t.doubled == 0, "booked = rows: %s booked, %s%s%s", Thousands(t.booked), recorded(t),
		example(t.missing, "without a row", t.exampleMissing), example(t.doubled, "with a wrong row", t.exampleWrong))
	add("refused_has_none", t.refusedWithRow == 0, "nobody who was refused has a ticket: %s refused%s", Thousands(t.refused),
		example(t.refusedWithRow, "with a row", t.exampleHeld))
	add("nobody_else", t.strangers == 0, "no row that nobody asked for%s", example(t.strangers, "found", t.exampleStranger))
	add("capacity", t.units <= row.Capacity, "nothing over capacity: %s of %s tickets sold", Thousands(t.units), Thousands(row.Capacity))
	add("sold_out", t.soldOut == 0 || t.units+t.rejected >= row.Capacity, `"sold out" only when everything was sold`)
	add("drained", f.cut.Hash.Pending() == 0, "nothing waits to be recorded: %s entries", Thousands(int(f.cut.Hash.Pending())))
	left := f.cut.Hash.Left
	if f.cut.Hash.State == "" { // nobody's booking has loaded it
		left = row.Capacity - row.Reserved
	}
	add("left", left == row.Capacity-row.Reserved, "left in Redis %s = capacity %s - reserved %s", Thousands(left),
		Thousands(row.Capacity), Thousands(row.Reserved))
	if f.cut.Hash.State != "" && !f.settled {
		add("conclusive", false, "the show never stood still, so Redis and MySQL could not be compared")
	}
	for _, i := range invariants {
		broken := f.broken[i.name]
		detail := i.says
		if len(broken) > 0 {
			detail = strings.Join(broken, "; ")
		}
		add(i.name, len(broken) == 0, "%s", detail)
	}
	return checks
}

// invariants are those that a look at both servers can check (package invariant).
var invariants = []struct{ name, says string }{
	{"I1", "reserved is the sum of the confirmed tickets, within the capacity"},
	{"I2", "Redis and MySQL count the same, in the same epoch, per buyer too"},
	{"I3", "one booking, one row: no two rows of one entry"},
	{"I5", "no reservation is pending for ever"},
	{"I6", "no leak: exactly what is not reserved can still be sold"},
	{"I7", "units come back once per cancelled reservation"},
	{"I9", "the stream holds exactly what is not settled"},
	{"I12", "nothing is confirmed under an epoch that the stock has not reached"},
}

func recorded(t tally) string {
	text := Thousands(t.confirmed) + " confirmed"
	if t.rejected > 0 {
		text += fmt.Sprintf(", %s rejected afterwards %v", Thousands(t.rejected), t.reasons)
	}
	return text
}

// example is for a check that failed: how many, and one of them.
func example(n int, what string, id uuid.UUID) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %s %s, such as %s", Thousands(n), what, id)
}
