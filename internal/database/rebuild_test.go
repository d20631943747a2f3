package database_test

import (
	"context"
	"database/sql"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/migrations"
)

// A rebuild of a full table takes longer than any answer may else.
func TestMigrationsOutlastTheReadTimeout(t *testing.T) {
	t.Parallel()
	dsn := withParameter(servertest.MySQL(t), "readTimeout=100ms")
	patient, err := database.OpenForMigrations(dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = patient.Close() })
	const slow = "DO SLEEP(1)"
	if _, err := patient.ExecContext(t.Context(), slow); err != nil {
		t.Errorf("%s: %v", slow, err)
	}
	if _, err := open(t, dsn, 1).ExecContext(t.Context(), slow); err == nil {
		t.Error("the control: a pool of Open waits longer than its time-out")
	}
}

// oldReservations is the version of the schema before reservations were kept by show.
const oldReservations = 11

// TestRebuildOfReservations brings a full table to its new key and back, while rows are written: none is lost or changed.
func TestRebuildOfReservations(t *testing.T) {
	t.Parallel()
	const rows = 200_000
	dsn := servertest.MySQL(t)
	db, err := database.OpenForMigrations(dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	provider, err := goose.NewProvider(goose.DialectMySQL, db, migrations.FS)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), oldReservations); err != nil {
		t.Fatal(err)
	}
	fillReservations(t, db, rows)
	before := contentOf(t, db)

	writer := startWriter(t, open(t, dsn, 2))
	writer.more(t, 3)
	if err := database.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	writer.more(t, 3)
	if after := contentOf(t, db); after != before {
		t.Errorf("after the migration the rows are %+v, before %+v", after, before)
	}
	wantKeys(t, db, "PRIMARY(show_id,id) user_booked(user_id,booked_at,id)")

	if _, err := provider.DownTo(t.Context(), oldReservations); err != nil {
		t.Fatal(err)
	}
	written := writer.stop()
	if after := contentOf(t, db); after != before {
		t.Errorf("after the way back the rows are %+v, before %+v", after, before)
	}
	wantKeys(t, db, "PRIMARY(id) show_user(show_id,user_id) user_booked(user_id,booked_at)")
	var got int
	if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM reservations WHERE seq >= ?", firstWritten).Scan(&got); err != nil || got != written {
		t.Errorf("of %d rows written meanwhile there are %d, %v", written, got, err)
	}
}

// A migration that was done, but not noted, is done again without harm.
func TestRebuildOfReservationsTwice(t *testing.T) {
	t.Parallel()
	db := open(t, servertest.MySQL(t), 4)
	if err := database.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	exec(t, db, "DELETE FROM goose_db_version WHERE version_id = ?", oldReservations+1)
	provider, err := goose.NewProvider(goose.DialectMySQL, db, migrations.FS)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.ApplyVersion(t.Context(), oldReservations+1, true); err != nil {
		t.Fatal(err)
	}
	wantKeys(t, db, "PRIMARY(show_id,id) user_booked(user_id,booked_at,id)")
}

// fillReservations adds rows of every status to 50 shows by doubling what is there.
func fillReservations(t *testing.T, db *sql.DB, rows int) {
	t.Helper()
	exec(t, db, `INSERT INTO reservations (id, show_id, user_id, units, status, epoch, seq, booked_at)
		VALUES (UNHEX(MD5(0)), 1, 1, 1, 'confirmed', 1, 0, '2026-05-03 12:00:00.123')`)
	for have := 1; have < rows; have *= 2 {
		exec(t, db, `INSERT INTO reservations (id, show_id, user_id, units, status, reason, epoch, seq, cancel_epoch, cancel_seq, price, booked_at,
				confirmed_at, cancelled_at)
			SELECT UNHEX(MD5(seq + ?)), 1 + (seq + ?) MOD 50, 1 + CRC32(seq) MOD 5000, 1 + seq MOD 4,
				ELT(1 + seq MOD 3, 'confirmed', 'cancelled', 'rejected'), IF(seq MOD 3 = 2, 'sold_out', ''), 1 + seq MOD 2, seq + ?,
				IF(seq MOD 3 = 1, 2, NULL), IF(seq MOD 3 = 1, seq, NULL), IF(seq MOD 5 = 0, NULL, seq), booked_at + INTERVAL 1 SECOND,
				IF(seq MOD 3 = 2, NULL, booked_at), IF(seq MOD 3 = 1, booked_at, NULL)
			FROM reservations LIMIT ?`, have, have, have, rows-have)
	}
}

// content is what a table holds: a sum over all columns of each row, so that neither an order nor a place of a row counts.
type content struct {
	Rows         int
	Sum, Another string
}

// firstWritten is the seq of a writer's first row.
const firstWritten = 1 << 40

// contentOf reads the rows that no writer wrote.
func contentOf(t *testing.T, db *sql.DB) (c content) {
	t.Helper()
	const row = `CONCAT_WS('|', HEX(id), show_id, user_id, units, status, reason, epoch, seq, COALESCE(cancel_epoch, '-'), COALESCE(cancel_seq, '-'),
		COALESCE(price, '-'), booked_at, COALESCE(confirmed_at, '-'), COALESCE(cancelled_at, '-'))`
	err := db.QueryRowContext(t.Context(), "SELECT COUNT(*), SUM(CRC32("+row+")), BIT_XOR(CONV(LEFT(MD5("+row+
		"), 15), 16, 10)) FROM reservations WHERE seq < ?", firstWritten).Scan(&c.Rows, &c.Sum, &c.Another)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantKeys(t *testing.T, db *sql.DB, want string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT CONCAT(index_name, '(', GROUP_CONCAT(column_name ORDER BY seq_in_index), ')')
		FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'reservations' GROUP BY index_name ORDER BY index_name`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var keys []string
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	if got := strings.Join(keys, " "); got != want || rows.Err() != nil {
		t.Errorf("the keys are %s, %v; want %s", got, rows.Err(), want)
	}
}

// writer adds rows one by one, as fast as the table takes them.
type writer struct {
	written atomic.Int64
	end     context.CancelFunc
	done    chan struct{}
}

func startWriter(t *testing.T, db *sql.DB) *writer {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	w := &writer{end: end, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		for ctx.Err() == nil {
			n := w.written.Load()
			_, err := db.ExecContext(context.WithoutCancel(ctx), `INSERT INTO reservations (id, show_id, user_id, units, status, epoch, seq, booked_at)
				VALUES (UNHEX(MD5(?)), 7, ?, 1, 'confirmed', 1, ?, UTC_TIMESTAMP(3))`, firstWritten+n, n, firstWritten+n)
			if err != nil {
				t.Errorf("a row cannot be written while the table is rebuilt: %v", err)
				return
			}
			w.written.Add(1)
		}
	}()
	t.Cleanup(func() { w.stop() })
	return w
}

// more waits until more rows have been written.
func (w *writer) more(t *testing.T, rows int64) {
	t.Helper()
	want := w.written.Load() + rows
	servertest.Eventually(t, 30*time.Second, "rows are written", func() bool { return w.written.Load() >= want })
}

func (w *writer) stop() int {
	w.end()
	<-w.done
	return int(w.written.Load())
}
