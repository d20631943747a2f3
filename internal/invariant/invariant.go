// Package invariant looks at MySQL and Redis and tells which of the product's promises are broken, with the ids of whatever
// breaks them. It changes nothing and may run beside a system under full load: nothing is reported that bookings, cancels,
// resyncs or crashes in the midst of their work could explain. It shares no code with the recorder and the scripts but the
// names of keys and statuses.
//
// What one look can tell, and where it is looked at:
//
//	I1   reserved is within 0 and the capacity, and the sum of the confirmed units                  rows.go
//	I2   S + R + Q + G = C; Redis and MySQL are in one epoch; units per user ("users"), at rest     cut.go, holders.go
//	I3   no two rows of one entry; a marker and the row of its entry say the same                   rows.go, unanswered.go
//	I5   a reservation that Redis remembers has a row, or an entry that will become one             unanswered.go
//	I6   at rest exactly C - R units are left                                                       cut.go
//	I7   a row is cancelled by one cancel entry, and no other row by the same                       rows.go
//	I9   the stream holds what was appended and not settled; no cancel entry left without effect    cut.go, unanswered.go
//	I12  no row is confirmed or cancelled under an epoch that the stock has not reached             rows.go
//
// I4, I8, I10 and I11 speak of more than one moment: tests that record a history check them.
package invariant

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/stock"
)

// Sources are where the checker looks.
type Sources struct {
	DB     *sql.DB
	Redis  redis.UniversalClient
	Shards stock.Shards
	Ledger *stock.Ledger
}

// Report is what one look found.
type Report struct {
	Shows      int `json:"shows"`
	Loaded     int `json:"loaded"`     // shows that Redis sells, or that a resync holds
	Conclusive int `json:"conclusive"` // loaded shows that stood still long enough to be compared with MySQL
	// Drift is the sum of the absolute differences between S + R + Q + G and C over the conclusive shows, in units.
	Drift      int         `json:"drift"`
	Violations []Violation `json:"violations"`
	// Inconclusive are loaded shows that moved at every try, are paused, or are fenced. Their rows were checked all the same.
	Inconclusive []int64 `json:"inconclusive"`
	// OldestEntry is the age of the oldest entry that waits to be settled, in seconds by Redis's clock. That it waits breaks
	// nothing.
	OldestEntry float64 `json:"oldest_entry_seconds"`
}

// OK reports whether nothing is broken.
func (r Report) OK() bool { return len(r.Violations) == 0 && r.Drift == 0 }

// Violation is a promise that is broken for a show.
type Violation struct {
	Invariant string   `json:"invariant"` // such as "I1"
	Show      int64    `json:"show_id"`   // 0: not known
	Detail    string   `json:"detail"`
	IDs       []string `json:"ids"` // of reservations, or of users where Detail says so; at most 100
}

// Check looks once. Its error says that it could not look to the end: then the report means nothing.
func Check(ctx context.Context, s Sources) (Report, error) {
	c := checker{Sources: s, store: store{s.DB}}
	for _, look := range []func(context.Context) error{c.rows, c.cuts, c.markers} {
		if err := look(ctx); err != nil {
			return Report{}, fmt.Errorf("check the invariants: %w", err)
		}
	}
	c.report.Violations = c.found.violations()
	return c.report, nil
}

// checker is one check under way.
type checker struct {
	Sources
	store  store
	stock  map[int64]stock.Row // as of the beginning
	found  findings
	report Report
}
