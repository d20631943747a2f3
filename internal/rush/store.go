package rush

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/booking"
)

// row is a reservation of the show in MySQL.
type row struct {
	id     uuid.UUID
	user   int64
	units  int
	status booking.Status
	reason booking.Reason
}

// readRows returns all reservations of a show. It only reads: the table is the booking package's.
func readRows(ctx context.Context, db *sql.DB, show int64) (list []row, err error) {
	rows, err := db.QueryContext(ctx, "SELECT id, user_id, units, status, reason FROM reservations WHERE show_id = ?", show)
	if err != nil {
		return nil, fmt.Errorf("read the reservations of show %d: %w", show, err)
	}
	defer rows.Close() // rows.Err tells
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.id, &r.user, &r.units, &r.status, &r.reason); err != nil {
			return nil, fmt.Errorf("read the reservations of show %d: %w", show, err)
		}
		list = append(list, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the reservations of show %d: %w", show, err)
	}
	return list, nil
}
