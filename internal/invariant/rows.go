package invariant

import (
	"context"
	"fmt"
)

// rows checks what MySQL alone can tell. All of it is of one instant between two commits, so nothing that moves disturbs it.
func (c *checker) rows(ctx context.Context) error {
	return c.store.snapshot(ctx, func(s snapshot) (err error) {
		if c.stock, err = s.stock(ctx); err != nil {
			return err
		}
		c.report.Shows = len(c.stock)
		confirmed, err := s.confirmed(ctx)
		if err != nil {
			return err
		}
		for show, row := range c.stock {
			if row.Reserved < 0 || row.Reserved > row.Capacity {
				c.found.add("I1", show, fmt.Sprintf("reserved is %d of a capacity of %d", row.Reserved, row.Capacity))
			}
			if units := confirmed[show]; units != row.Reserved {
				c.found.add("I1", show, fmt.Sprintf("reserved is %d, but the confirmed units are %d", row.Reserved, units))
			}
			delete(confirmed, show)
		}
		for show, units := range confirmed {
			c.found.add("I1", show, fmt.Sprintf("%d units are confirmed, but the show has no stock", units))
		}
		for _, fault := range []struct {
			invariant, detail string
			find              func(context.Context) ([]offence, error)
		}{
			{"I3", "two reservations were made by one entry", s.sameEntry},
			{"I7", "two reservations were cancelled by one entry", s.sameCancel},
			{"I7", "the status does not fit the cancel entry", s.halfCancelled},
			{"I12", "confirmed or cancelled under an epoch that the stock has not reached", s.ahead},
		} {
			offences, err := fault.find(ctx)
			if err != nil {
				return err
			}
			for _, o := range offences {
				c.found.add(fault.invariant, o.show, fault.detail, o.ids...)
			}
		}
		return nil
	})
}
