package invariant

import (
	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/stock"
)

// books are what MySQL said at one instant of shows and of the reservations whose entries are in the stream.
type books struct {
	stock map[int64]stock.Row
	rows  map[uuid.UUID]booking.Row
}

// inFlight returns Q and G of entries that are not settled and of the stock's epoch: the units that are neither left nor
// reserved, because their row is still to come (queued), or because they still have to be given back (owed).
func (b books) inFlight(entries []stock.Entry) (queued, owed int) {
	for _, e := range entries {
		row, recorded := b.rows[e.ID]
		switch own := row.Epoch == e.Epoch && row.Seq == e.Seq; {
		case e.Kind == stock.Cancel:
			if recorded && row.CancelEpoch == e.Epoch && row.CancelSeq == e.Seq {
				owed += row.Units
			}
		case !recorded:
			queued += e.Units
		case !own: // a repeat that took units twice: it will never have a row
			owed += e.Units
		case row.Status == booking.Rejected && (row.Reason == booking.LimitReached || row.Reason == booking.Failed):
			owed += row.Units
		}
		// What is left: confirmed, and so reserved; cancelled since, and owed by the cancel's entry or left again; sold_out, units
		// that there never were; lost cannot be in the stock's own epoch.
	}
	return queued, owed
}
