package booking_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/stock"
)

// BenchmarkRecord has the recorder commit batches of 500 entries to MySQL, without Redis. One operation is a batch. -rows fills the
// table before.
func BenchmarkRecord(b *testing.B) {
	server, db, fresh := benchServer(b, "record")
	if fresh {
		if err := database.Migrate(b.Context(), db); err != nil {
			b.Fatal(err)
		}
		fill(b, server, db, *benchRows)
	}
	// What fits of the users' index is in memory, as in a server that has run for a while.
	benchExec(b, db, "DO (SELECT COUNT(user_id) FROM reservations FORCE INDEX (user_booked) WHERE user_id > 0)")
	recorder := booking.NewRecorder(db, nil, nil, nil, nil, stock.Observers{Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
	for _, test := range []struct {
		name         string
		shows, limit int
		cancel       bool
	}{{"shows=1", 1, 0, false}, {"shows=4", 4, 0, false}, {"shows=500", 500, 0, false}, {"shows=4,limit", 4, 4, false}, {"shows=1,cancels", 1, 0, true}} {
		b.Run(test.name, func(b *testing.B) {
			shows := benchShows(b, db, test.shows, test.limit)
			batches := make([][]booking.Entry, b.N)
			for i := range batches {
				batches[i] = benchEntries(shows, i)
			}
			commit := func(n int) {
				if _, err := recorder.Commit(b.Context(), batches[n]); err != nil {
					b.Fatal(err)
				}
			}
			if test.cancel {
				for n := range batches {
					commit(n)
					for i := range batches[n] {
						batches[n][i].Kind = booking.Cancel
						batches[n][i].Seq += 1 << 30
					}
				}
			}
			self := cpuTime(b, os.Getpid())
			measure(b, server, db, commit)
			b.ReportMetric((cpuTime(b, os.Getpid())-self).Seconds()*1000/float64(b.N*500)*1000, "ms-go/1000")
			b.ReportAllocs()
		})
	}
}

// benchEntries are 500 bookings by users in no order.
func benchEntries(shows []int64, batch int) []booking.Entry {
	entries := make([]booking.Entry, 500)
	at := time.Now()
	for i := range entries {
		id := sha256.Sum256(binary.BigEndian.AppendUint64(nil, rand.Uint64()))
		entries[i] = booking.Entry{Kind: booking.Reserve, Show: shows[i%len(shows)], User: rand.Int64N(1_000_000) + 1, Units: 2, Epoch: 1,
			Seq: int64(500*batch + i + 1), At: at}
		copy(entries[i].ID[:], id[:])
	}
	return entries
}

// benchShows adds shows that do not sell out.
func benchShows(b *testing.B, db *sql.DB, n, limit int) []int64 {
	b.Helper()
	shows := make([]int64, n)
	err := database.Transact(b.Context(), db, func(tx *sql.Tx) error {
		for i := range shows {
			result, err := tx.ExecContext(b.Context(), `INSERT INTO shows (title, venue, description, price, time_zone, starts_at, sales_open_at,
				sales_close_at, created_at, updated_at) VALUES ('', '', '', 50000, 'Asia/Seoul', '2027-01-01', '2026-01-01', '2027-01-01', '2026-01-01', '2026-01-01')`)
			if err != nil {
				return err
			}
			if shows[i], err = result.LastInsertId(); err != nil {
				return err
			}
			_, err = tx.ExecContext(b.Context(), "INSERT INTO stock VALUES (?, 1000000000, ?, 0, 1)", shows[i], limit)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return shows
}
