package booking_test

import (
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// The full table of these tests, and one user in it who has many bookings.
const (
	fullShows = 512
	fullRows  = 1 << 16
	frequent  = 9_000_000
	frequents = 200
)

// TestStatementsUseTheirKeys explains every statement that the code sends while it records, and while it looks up the bookings of a user
// or a show: each must read a table by the key that is named here. A new statement has to be added.
func TestStatementsUseTheirKeys(t *testing.T) {
	t.Parallel()
	direct := servertest.MySQL(t)
	tap := &wiretap{}
	proxy, dsn := systemtest.ProxyMySQL(t, direct)
	rig := systemtest.On(t, systemtest.Servers{DSN: dsn, Redis: servertest.Redis(t)})
	fillFull(t, rig)
	booked := bookedBy(t, rig, "user_id < 1000 AND status = 'confirmed' LIMIT 40")
	mine := bookedBy(t, rig, fmt.Sprintf("user_id = %d LIMIT 1", frequent))[0]
	show := load(t, rig, 100, 0)
	book(t, rig, frequent, show, 1, "pending")
	book(t, rig, frequent, show, 1, "pending too")
	store := booking.NewStore(rig.DB)
	proxy.Rule(tap.rule)

	for _, test := range []struct {
		name string
		do   func() error
		most int // rows that the server may expect to look at in a table
		want []string
	}{
		{"record a batch", func() error { return commit(t, rig, booked) }, 400, []string{
			"INSERT INTO reservations", "SELECT reservations by PRIMARY", "SELECT reservations by user_booked", "SELECT shows by PRIMARY",
			"SELECT stock by PRIMARY", "UPDATE reservations by PRIMARY", "UPDATE stock by PRIMARY"}},
		{"find a booking of a show", func() error {
			_, err := rig.Lookup.Find(t.Context(), frequent, booking.Ref{Show: mine.Show, ID: mine.ID})
			return err
		}, 1, []string{"SELECT r by PRIMARY", "SELECT s by PRIMARY"}},
		{"find a booking of any show", func() error {
			_, err := rig.Lookup.Find(t.Context(), frequent, booking.Ref{ID: mine.ID})
			return err
		}, 2 * frequents, []string{"SELECT r by user_booked", "SELECT s by PRIMARY"}},
		{"list bookings", func() error {
			page, err := rig.Lookup.List(t.Context(), frequent, booking.Position{}, 20)
			if err == nil {
				_, err = rig.Lookup.List(t.Context(), frequent, page.Next, 20)
			}
			return err
		}, 2 * frequents, []string{"SELECT r by PRIMARY", "SELECT r by user_booked", "SELECT s by PRIMARY"}},
		{"sum up a show", func() error {
			tx, err := rig.DB.BeginTx(t.Context(), nil)
			if err != nil {
				return err
			}
			defer tx.Rollback()
			_, err = store.ConfirmedUnits(t.Context(), tx, 7)
			return err
		}, 4 * fullRows / fullShows, []string{"SELECT reservations by PRIMARY"}},
	} {
		tap.take(t)
		if err := test.do(); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff(test.want, plansOf(t, rig.DB, tap.take(t), test.most)); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", test.name, diff)
		}
	}
}

// Without its keys a table is read from end to end, and the test above would see it.
func TestExplainSeesAScan(t *testing.T) {
	t.Parallel()
	rig := systemtest.New(t)
	fillFull(t, rig)
	for _, statement := range []string{"SELECT units FROM reservations WHERE seq = 1", "SELECT id FROM reservations WHERE show_id = 7 ORDER BY seq"} {
		if _, faults := explained(t, rig.DB, statement, fullRows/2); len(faults) == 0 {
			t.Errorf("nothing is wrong with %s", statement)
		}
	}
}

// commit records bookings of shows with and without a limit, one of them booked before, and cancels.
func commit(t *testing.T, rig *systemtest.Rig, booked []booking.Row) error {
	t.Helper()
	var entries []booking.Entry
	for i, row := range booked {
		e := booking.Entry{Kind: booking.Reserve, ID: booking.NewID(int64(i+1), row.Show, "explain"), Show: row.Show, User: row.User, Units: 1,
			Epoch: 1, Seq: int64(1_000_000 + i), At: time.Now()}
		switch i % 4 {
		case 1:
			e.Kind, e.ID = booking.Cancel, row.ID
		case 2:
			e.Seq, e.ID = row.Seq, row.ID
		}
		entries = append(entries, e)
	}
	_, err := rig.NewRecorder(prometheus.NewRegistry()).Commit(t.Context(), entries)
	return err
}

// fillFull adds shows, their stock and many reservations, by doubling what is there.
func fillFull(t *testing.T, rig *systemtest.Rig) {
	t.Helper()
	exec(t, rig, `INSERT INTO shows (id, title, venue, description, price, time_zone, starts_at, sales_open_at, sales_close_at, created_at, updated_at)
		VALUES (1, '', '', '', 1000, 'Asia/Seoul', '2026-06-01', '2026-05-01', '2026-06-01', '2026-05-01', '2026-05-01')`)
	for have := 1; have < fullShows; have *= 2 {
		exec(t, rig, `INSERT INTO shows (id, title, venue, description, price, time_zone, starts_at, sales_open_at, sales_close_at, created_at, updated_at)
			SELECT id + ?, '', '', '', price, time_zone, starts_at, sales_open_at, sales_close_at, created_at, updated_at FROM shows`, have)
	}
	exec(t, rig, "INSERT INTO stock (show_id, capacity, limit_per_user, reserved, epoch) SELECT id, 1000000, id MOD 2 * 8, 500000, 1 FROM shows")
	const columns = "INSERT INTO reservations (id, show_id, user_id, units, status, epoch, seq, price, booked_at) "
	exec(t, rig, columns+"VALUES (UNHEX(MD5(0)), 1, 1, 1, 'confirmed', 1, 0, 1000, '2026-05-03')")
	for have := 1; have < fullRows; have *= 2 {
		exec(t, rig, columns+`SELECT UNHEX(MD5(seq + ?)), 1 + (seq + ?) MOD ?, 1 + CRC32(seq + ?) MOD 20000, 1, 'confirmed', 1, seq + ?, 1000,
			booked_at + INTERVAL ? SECOND FROM reservations`, have, have, fullShows, have, have, have)
	}
	exec(t, rig, columns+`SELECT UNHEX(MD5(CONCAT('mine', seq))), show_id, ?, 1, 'confirmed', 1, seq + 2000000, 1000, booked_at
		FROM reservations WHERE seq < ?`, frequent, frequents)
	for _, table := range []string{"shows", "stock", "reservations"} {
		exec(t, rig, "ANALYZE TABLE "+table)
	}
}

func bookedBy(t *testing.T, rig *systemtest.Rig, where string) (found []booking.Row) {
	t.Helper()
	rows, err := rig.DB.QueryContext(t.Context(), "SELECT id, show_id, user_id, seq FROM reservations WHERE "+where)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var row booking.Row
		if err := rows.Scan(&row.ID, &row.Show, &row.User, &row.Seq); err != nil {
			t.Fatal(err)
		}
		found = append(found, row)
	}
	if rows.Err() != nil || len(found) == 0 {
		t.Fatalf("%d rows, %v", len(found), rows.Err())
	}
	return found
}

// wiretap keeps the statements that pass a proxy. The driver sends them with their arguments in place.
type wiretap struct {
	mu         sync.Mutex
	statements []string
	cut        bool // a request came in parts
}

func (w *wiretap) rule(request []byte) systemtest.Fate {
	const header, query = 4, 3
	if len(request) <= header || request[header] != query {
		return systemtest.Deliver
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	length := int(request[0]) | int(request[1])<<8 | int(request[2])<<16
	w.cut = w.cut || length != len(request)-header
	w.statements = append(w.statements, strings.Join(strings.Fields(string(request[header+1:])), " "))
	return systemtest.Deliver
}

// ofTables is a statement that reads or writes a table.
var ofTables = regexp.MustCompile(`^(SELECT .* FROM|INSERT|UPDATE|DELETE) `)

// take returns the statements about tables, but for those of the guardian, and forgets all.
func (w *wiretap) take(t *testing.T) []string {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		t.Fatal("a statement came in parts")
	}
	taken := slices.DeleteFunc(w.statements, func(s string) bool { return !ofTables.MatchString(s) || strings.Contains(s, "redis_servers") })
	w.statements = nil
	return taken
}

// plansOf explains statements and returns how each table is read, each way once and in order.
func plansOf(t *testing.T, db *sql.DB, statements []string, most int) (plans []string) {
	t.Helper()
	for _, statement := range statements {
		if into := regexp.MustCompile(`^(INSERT INTO \w+) \([^)]*\) VALUES \(`).FindStringSubmatch(statement); into != nil { // it reads nothing
			plans = append(plans, into[1])
			continue
		}
		found, faults := explained(t, db, statement, most)
		plans = append(plans, found...)
		for _, fault := range faults {
			t.Errorf("%s is the plan of %.400s", fault, statement)
		}
	}
	slices.Sort(plans)
	return slices.Compact(plans)
}

// explained returns how a statement reads each table, and what is wrong with that: no key, a sort, or more rows than it may look at.
func explained(t *testing.T, db *sql.DB, statement string, most int) (plans, faults []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN "+statement)
	if err != nil {
		t.Fatalf("explain %.400s: %v", statement, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, targets := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		step := map[string]string{}
		for i, column := range columns {
			step[column] = values[i].String
		}
		verb, _, _ := strings.Cut(statement, " ")
		plans = append(plans, fmt.Sprintf("%s %s by %s", verb, step["table"], step["key"]))
		var looked int
		_, _ = fmt.Sscan(step["rows"], &looked)
		if step["type"] == "ALL" || step["type"] == "index" || step["key"] == "" || looked > most || regexp.MustCompile("filesort|temporary").MatchString(step["Extra"]) {
			faults = append(faults, fmt.Sprint(step))
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plans, faults
}
