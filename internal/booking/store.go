package booking

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Store reads and writes table reservations.
type Store struct{ db *sql.DB }

// NewStore returns a store over a pool made by database.Open.
func NewStore(db *sql.DB) *Store { return &Store{db} }

const columns = `r.id, r.show_id, r.user_id, r.units, r.status, r.reason, r.epoch, r.seq, r.cancel_epoch, r.cancel_seq,
	r.price, r.booked_at, r.confirmed_at, r.cancelled_at`

// scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(targets ...any) error }

// scan reads the columns of a row after those in before. A row of nulls, of an outer join, gives nil.
func scan(from scanner, before ...any) (*Row, error) {
	var id []byte
	var show, user, epoch, seq, cancelEpoch, cancelSeq sql.NullInt64
	var units sql.NullInt32
	var status, reason sql.NullString
	var booked, confirmed, cancelled sql.NullTime
	var price *int64
	err := from.Scan(append(before, &id, &show, &user, &units, &status, &reason, &epoch, &seq, &cancelEpoch, &cancelSeq,
		&price, &booked, &confirmed, &cancelled)...)
	if err != nil || id == nil {
		return nil, err
	}
	return &Row{
		Reservation: Reservation{
			ID: uuid.UUID(id), Show: show.Int64, User: user.Int64, Units: int(units.Int32), Status: Status(status.String),
			Reason: Reason(reason.String), Price: price, BookedAt: booked.Time, ConfirmedAt: confirmed.Time, CancelledAt: cancelled.Time,
		},
		Epoch: epoch.Int64, Seq: seq.Int64, CancelEpoch: cancelEpoch.Int64, CancelSeq: cancelSeq.Int64,
	}, nil
}

// query returns the rows of a statement that selects the columns.
func query(rows *sql.Rows, err error) ([]*Row, error) {
	if err != nil {
		return nil, fmt.Errorf("read reservations: %w", err)
	}
	defer rows.Close() // rows.Err tells
	var list []*Row
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read reservations: %w", err)
		}
		list = append(list, row)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read reservations: %w", err)
	}
	return list, nil
}

// byRef adds the rows of those references that have one to found, in the transaction, with what Plan looks at: times and price are left
// out.
func (s *Store) byRef(ctx context.Context, tx *sql.Tx, refs []Ref, found map[uuid.UUID]*Row) error {
	if len(refs) == 0 {
		return nil
	}
	where, args := among("id", refs, refKey)
	rows, err := tx.QueryContext(ctx, `SELECT id, show_id, user_id, units, status, reason, epoch, seq, COALESCE(cancel_epoch, 0),
		COALESCE(cancel_seq, 0) FROM reservations WHERE `+where, args...)
	if err != nil {
		return fmt.Errorf("read reservations: %w", err)
	}
	defer rows.Close() // rows.Err tells
	for rows.Next() {
		var row Row
		err := rows.Scan(&row.ID, &row.Show, &row.User, &row.Units, &row.Status, &row.Reason, &row.Epoch, &row.Seq, &row.CancelEpoch, &row.CancelSeq)
		if err != nil {
			return fmt.Errorf("read reservations: %w", err)
		}
		found[row.ID] = &row
	}
	return rows.Err()
}

// held adds up the confirmed units of users of shows, in the transaction.
func (s *Store) held(ctx context.Context, tx *sql.Tx, holders []Holder, held map[Holder]int) error {
	if len(holders) == 0 {
		return nil
	}
	// A show has many rows and a user has few: the key is the user's, whatever the optimizer makes of it.
	where, args := among("user_id", holders, func(h Holder) (int64, any) { return h.Show, h.User })
	rows, err := tx.QueryContext(ctx, "SELECT show_id, user_id, units FROM reservations FORCE INDEX (user_booked) WHERE ("+where+
		") AND status = 'confirmed'", args...)
	if err != nil {
		return fmt.Errorf("sum up what users hold: %w", err)
	}
	defer rows.Close() // rows.Err tells
	for rows.Next() {
		var h Holder
		var units int
		if err := rows.Scan(&h.Show, &h.User, &units); err != nil {
			return fmt.Errorf("sum up what users hold: %w", err)
		}
		held[h] += units
	}
	return rows.Err()
}

// insert adds rows: the confirmed ones in one statement, with the columns that they need, all others in another.
func (s *Store) insert(ctx context.Context, tx *sql.Tx, rows []*Row) error {
	var confirmed, others literals
	for _, row := range rows {
		if row.Status == Confirmed {
			confirmed.begin(row, len(rows))
			confirmed.write(",'confirmed',UTC_TIMESTAMP(3))") // the server's clock, the same for all workers
			continue
		}
		others.begin(row, len(rows))
		others.write(",'" + string(row.Status) + "','" + string(row.Reason) + "'") // both are constants of this package
		if row.Status == Cancelled {                                               // by an entry of the same batch
			others.write(",")
			others.number(row.CancelEpoch)
			others.write(",")
			others.number(row.CancelSeq)
			others.write(",UTC_TIMESTAMP(3),UTC_TIMESTAMP(3))")
		} else {
			others.write(",NULL,NULL,NULL,NULL)")
		}
	}
	const into = "INSERT INTO reservations (id, show_id, user_id, units, epoch, seq, price, booked_at, status, "
	for _, part := range []struct {
		columns string
		values  *literals
	}{{"confirmed_at", &confirmed}, {"reason, cancel_epoch, cancel_seq, confirmed_at, cancelled_at", &others}} {
		if part.values.rows == 0 {
			continue
		}
		if _, err := tx.ExecContext(ctx, into+part.columns+") VALUES "+part.values.text.String()); err != nil {
			return fmt.Errorf("insert %d reservations: %w", part.values.rows, err)
		}
	}
	return nil
}

// cancel marks confirmed rows as cancelled by their entries, some of a show at a time: the server compares each row with half of
// what a statement names.
func (s *Store) cancel(ctx context.Context, tx *sql.Tx, rows []*Row) error {
	const most = 64
	rows = slices.SortedStableFunc(slices.Values(rows), func(a, b *Row) int {
		return cmp.Or(cmp.Compare(a.Show, b.Show), cmp.Compare(a.CancelEpoch, b.CancelEpoch))
	})
	for len(rows) > 0 {
		n := 1
		for n < min(len(rows), most) && rows[n].Show == rows[0].Show && rows[n].CancelEpoch == rows[0].CancelEpoch {
			n++
		}
		args := []any{rows[0].CancelEpoch}
		for _, row := range rows[:n] {
			args = append(args, row.ID[:], row.CancelSeq)
		}
		args = append(args, rows[0].Show)
		for _, row := range rows[:n] {
			args = append(args, row.ID[:])
		}
		result, err := tx.ExecContext(ctx, "UPDATE reservations SET status = 'cancelled', cancel_epoch = ?, cancel_seq = CASE id"+
			strings.Repeat(" WHEN ? THEN ?", n)+" END, cancelled_at = UTC_TIMESTAMP(3) WHERE show_id = ? AND id IN ("+list("?", n)+
			") AND status = 'confirmed'", args...)
		if err != nil {
			return fmt.Errorf("cancel %d reservations: %w", n, err)
		}
		if matched, err := result.RowsAffected(); err != nil || matched != int64(n) {
			return fmt.Errorf("cancel %d reservations of show %d: %d rows matched: %w", n, rows[0].Show, matched, errors.Join(err, errVanished))
		}
		rows = rows[n:]
	}
	return nil
}

// errVanished cannot happen while the stock's lock is held; the whole batch is done again.
var errVanished = errors.New("it changed under the show's lock")

// ByID returns a user's reservation whose show is not known, and the epoch of the show's stock, or nil. It looks through all of the
// user's: the key is show and id.
func (s *Store) ByID(ctx context.Context, user int64, id uuid.UUID) (*Row, int64, error) {
	return s.one(s.db.QueryRowContext(ctx, "SELECT s.epoch, "+columns+` FROM reservations r FORCE INDEX (user_booked)
		JOIN stock s ON s.show_id = r.show_id WHERE r.user_id = ? AND r.id = ?`, user, id[:]))
}

// WithEpoch returns the epoch of a show's stock and, as of the same instant, the reservation with that id, or nil.
func (s *Store) WithEpoch(ctx context.Context, show int64, id uuid.UUID) (*Row, int64, error) {
	return s.one(s.db.QueryRowContext(ctx, "SELECT s.epoch, "+columns+
		" FROM stock s LEFT JOIN reservations r ON r.show_id = s.show_id AND r.id = ? WHERE s.show_id = ?", id[:], show))
}

func (s *Store) one(result *sql.Row) (*Row, int64, error) {
	var epoch int64
	row, err := scan(result, &epoch)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read a reservation: %w", err)
	}
	return row, epoch, nil
}

// withEpochs returns the rows of those references that have one and, as of the same instant, the epochs of the shows' stock. One statement
// reads one snapshot, a UNION too; a join would read every row of a show, or hang on which index the server prefers.
func (s *Store) withEpochs(ctx context.Context, refs []Ref, shows []int64) (map[uuid.UUID]*Row, map[int64]int64, error) {
	found, epochs := map[uuid.UUID]*Row{}, make(map[int64]int64, len(shows))
	args := make([]any, 0, len(shows)+2*len(refs))
	for _, show := range shows {
		args = append(args, show)
	}
	statement := "SELECT s.show_id, s.epoch" + strings.Repeat(", NULL", strings.Count(columns, ",")+1) +
		" FROM stock s WHERE s.show_id IN (" + list("?", len(shows)) + ")"
	if len(refs) > 0 {
		where, keys := among("id", refs, refKey)
		statement += " UNION ALL SELECT NULL, NULL, " + columns + " FROM reservations r WHERE " + where
		args = append(args, keys...)
	}
	rows, err := s.db.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, nil, fmt.Errorf("read reservations and epochs: %w", err)
	}
	defer rows.Close() // rows.Err tells
	for rows.Next() {
		var show, epoch sql.NullInt64
		row, err := scan(rows, &show, &epoch)
		if err != nil {
			return nil, nil, fmt.Errorf("read reservations and epochs: %w", err)
		}
		if row != nil {
			found[row.ID] = row
		} else {
			epochs[show.Int64] = epoch.Int64
		}
	}
	if err := rows.Err(); err != nil {
		return nil, nil, fmt.Errorf("read reservations and epochs: %w", err)
	}
	return found, epochs, nil
}

// ofUser returns a user's rows, newest first, at most limit, those after the given one in that order.
func (s *Store) ofUser(ctx context.Context, user int64, after Position, limit int) ([]*Row, error) {
	where, args := "r.user_id = ?", []any{user}
	if !after.BookedAt.IsZero() {
		where += " AND r.booked_at <= ? AND (r.booked_at < ? OR r.id < ?)"
		args = append(args, after.BookedAt, after.BookedAt, after.ID[:])
	}
	return query(s.db.QueryContext(ctx, "SELECT "+columns+" FROM reservations r WHERE "+where+
		" ORDER BY r.booked_at DESC, r.id DESC LIMIT ?", append(args, limit)...))
}

// ConfirmedUnits sums up a show's confirmed units in a transaction that holds the lock on its stock. Rows change only under
// that lock, so the sum is exact.
func (s *Store) ConfirmedUnits(ctx context.Context, tx *sql.Tx, show int64) (int, error) {
	var units int
	err := tx.QueryRowContext(ctx, "SELECT COALESCE(SUM(units), 0) FROM reservations WHERE show_id = ? AND status = 'confirmed'", show).Scan(&units)
	if err != nil {
		return 0, fmt.Errorf("sum up the confirmed units of show %d: %w", show, err)
	}
	return units, nil
}

// ConfirmedByUser calls each with every user who holds confirmed units of a show.
func (s *Store) ConfirmedByUser(ctx context.Context, show int64, each func(user int64, units int) error) error {
	rows, err := s.db.QueryContext(ctx, "SELECT user_id, SUM(units) FROM reservations WHERE show_id = ? AND status = 'confirmed' GROUP BY user_id", show)
	if err != nil {
		return fmt.Errorf("sum up the units per user of show %d: %w", show, err)
	}
	defer rows.Close() // rows.Err tells
	for rows.Next() {
		var user int64
		var units int
		if err := rows.Scan(&user, &units); err != nil {
			return fmt.Errorf("sum up the units per user of show %d: %w", show, err)
		}
		if err := each(user, units); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Position is a place in a user's list of reservations: that of the last one seen. Its zero value is the beginning.
type Position struct {
	BookedAt time.Time
	ID       uuid.UUID
}

// among is a condition that finds rows by show and another column, and its arguments. The items are grouped by show: both servers
// read "show_id = ? AND id IN (...)" as ranges of a key, and tuples with IN they do not.
func among[T any](column string, items []T, key func(T) (show int64, other any)) (string, []any) {
	byShow := map[int64][]any{}
	for _, item := range items {
		show, other := key(item)
		byShow[show] = append(byShow[show], other)
	}
	var condition strings.Builder
	args := make([]any, 0, len(byShow)+len(items))
	for _, show := range slices.Sorted(maps.Keys(byShow)) {
		if condition.Len() > 0 {
			condition.WriteString(" OR ")
		}
		condition.WriteString("(show_id = ? AND " + column + " IN (" + list("?", len(byShow[show])) + "))")
		args = append(append(args, show), byShow[show]...)
	}
	return condition.String(), args
}

func refKey(r Ref) (int64, any) { return r.Show, r.ID[:] }

// literals are the values of rows as text. Rows are inserted by the thousand a second: as arguments each value would be allocated and
// looked at three times on its way. There are numbers, times and bytes in hex, so nothing has to be escaped.
type literals struct {
	text    strings.Builder
	rows    int
	scratch [32]byte
	at      time.Time // the time written last, which is often the next one, too
	atText  string
}

// begin writes the columns from id to booked_at, and makes room for the rows that are expected.
func (l *literals) begin(row *Row, expected int) {
	if l.rows == 0 {
		l.text.Grow(expected * 160)
	} else {
		l.write(",")
	}
	l.rows++
	l.write("(X'")
	l.text.Write(hex.AppendEncode(l.scratch[:0], row.ID[:]))
	l.write("'")
	for _, n := range [...]int64{row.Show, row.User, int64(row.Units), row.Epoch, row.Seq} {
		l.write(",")
		l.number(n)
	}
	if row.Price == nil {
		l.write(",NULL")
	} else {
		l.write(",")
		l.number(*row.Price)
	}
	if l.atText == "" || !row.BookedAt.Equal(l.at) {
		l.at, l.atText = row.BookedAt, row.BookedAt.UTC().Format(",'2006-01-02 15:04:05.000'")
	}
	l.write(l.atText)
}

func (l *literals) write(text string) { l.text.WriteString(text) }

func (l *literals) number(n int64) { l.text.Write(strconv.AppendInt(l.scratch[:0], n, 10)) }

func list(item string, n int) string {
	return strings.TrimSuffix(strings.Repeat(item+",", n), ",")
}
