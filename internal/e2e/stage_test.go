package e2e

import (
	"database/sql"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/show"
)

// stage is a show to put on, as far as it matters: its sale opened an hour ago, it starts in two hours, unless said otherwise.
type stage struct {
	title, venue, description string
	price                     int64
	capacity, limit           int
	opens, closes, starts     time.Duration // from now
}

// stage adds a show past all checks, as it may have been added long ago.
func (d *deployment) stage(t *testing.T, s stage) (id int64) {
	t.Helper()
	if s.venue == "" {
		s.venue = "Hall"
	}
	if s.starts == 0 {
		s.starts = 2 * time.Hour
	}
	if s.opens == 0 {
		s.opens = -time.Hour
	}
	if s.closes == 0 {
		s.closes = s.starts
	}
	now := time.Now().Truncate(time.Second)
	err := database.Transact(t.Context(), d.DB, func(tx *sql.Tx) error {
		made, err := d.Shows.Insert(t.Context(), tx, show.Draft{
			Title: s.title, Venue: s.venue, Description: s.description, Price: s.price, TimeZone: "Asia/Seoul",
			SalesOpenAt: now.Add(s.opens), SalesCloseAt: now.Add(s.closes), StartsAt: now.Add(s.starts)})
		if err != nil {
			return err
		}
		id = made.ID
		return d.Stock.Insert(t.Context(), tx, id, s.capacity, s.limit)
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}
