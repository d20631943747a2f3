package booking

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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

// byID returns the rows of the ids that have one, in the transaction.
func (s *Store) byID(ctx context.Context, tx *sql.Tx, ids []uuid.UUID) (map[uuid.UUID]*Row, error) {
	rows, err := query(tx.QueryContext(ctx, "SELECT "+columns+" FROM reservations r WHERE r.id IN ("+list("?", len(ids))+")", bytesOf(ids)...))
	if err != nil {
		return nil, err
	}
	found := make(map[uuid.UUID]*Row, len(ids)) // Plan adds the rows that it makes
	for _, row := range rows {
		found[row.ID] = row
	}
	return found, nil
}

// held returns the confirmed units of users of shows, in the transaction.
func (s *Store) held(ctx context.Context, tx *sql.Tx, holders []Holder) (map[Holder]int, error) {
	held := make(map[Holder]int, len(holders))
	if len(holders) == 0 {
		return held, nil
	}
	args := make([]any, 0, 2*len(holders))
	for _, h := range holders {
		args = append(args, h.Show, h.User)
	}
	// ORs of both columns, which both servers read as ranges of the index; tuples with IN they do not.
	where := strings.TrimSuffix(strings.Repeat("(show_id = ? AND user_id = ?) OR ", len(holders)), " OR ")
	rows, err := tx.QueryContext(ctx, "SELECT show_id, user_id, SUM(units) FROM reservations WHERE ("+where+
		") AND status = 'confirmed' GROUP BY show_id, user_id", args...)
	if err != nil {
		return nil, fmt.Errorf("sum up what users hold: %w", err)
	}
	defer rows.Close() // rows.Err tells
	for rows.Next() {
		var h Holder
		var units int
		if err := rows.Scan(&h.Show, &h.User, &units); err != nil {
			return nil, fmt.Errorf("sum up what users hold: %w", err)
		}
		held[h] = units
	}
	return held, rows.Err()
}

// insert adds rows, in one statement.
func (s *Store) insert(ctx context.Context, tx *sql.Tx, rows []*Row) error {
	if len(rows) == 0 {
		return nil
	}
	var values strings.Builder
	args := make([]any, 0, 12*len(rows))
	for i, row := range rows {
		if i > 0 {
			values.WriteByte(',')
		}
		// The server's clock, the same for all workers.
		switch row.Status {
		case Confirmed:
			values.WriteString("(?,?,?,?,?,?,?,?,?,?,?,?,UTC_TIMESTAMP(3),NULL)")
		case Cancelled:
			values.WriteString("(?,?,?,?,?,?,?,?,?,?,?,?,UTC_TIMESTAMP(3),UTC_TIMESTAMP(3))")
		default:
			values.WriteString("(?,?,?,?,?,?,?,?,?,?,?,?,NULL,NULL)")
		}
		args = append(args, row.ID[:], row.Show, row.User, row.Units, string(row.Status), string(row.Reason), row.Epoch, row.Seq,
			orNull(row.CancelEpoch), orNull(row.CancelSeq), row.Price, row.BookedAt)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO reservations (id, show_id, user_id, units, status, reason, epoch, seq,
		cancel_epoch, cancel_seq, price, booked_at, confirmed_at, cancelled_at) VALUES `+values.String(), args...)
	if err != nil {
		return fmt.Errorf("insert %d reservations: %w", len(rows), err)
	}
	return nil
}

// cancel marks confirmed rows as cancelled by their entries.
func (s *Store) cancel(ctx context.Context, tx *sql.Tx, rows []*Row) error {
	for _, row := range rows {
		result, err := tx.ExecContext(ctx, `UPDATE reservations SET status = 'cancelled', cancel_epoch = ?, cancel_seq = ?,
			cancelled_at = UTC_TIMESTAMP(3) WHERE id = ? AND status = 'confirmed'`, row.CancelEpoch, row.CancelSeq, row.ID[:])
		if err != nil {
			return fmt.Errorf("cancel a reservation: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return fmt.Errorf("cancel reservation %s: %d rows matched: %w", row.ID, n, errors.Join(err, errVanished))
		}
	}
	return nil
}

// errVanished cannot happen while the stock's lock is held; the whole batch is done again.
var errVanished = errors.New("it changed under the show's lock")

// ByID returns a reservation and the epoch of its show's stock, or nil.
func (s *Store) ByID(ctx context.Context, id uuid.UUID) (*Row, int64, error) {
	return s.one(s.db.QueryRowContext(ctx, "SELECT s.epoch, "+columns+
		" FROM reservations r JOIN stock s ON s.show_id = r.show_id WHERE r.id = ?", id[:]))
}

// WithEpoch returns the epoch of a show's stock and, as of the same instant, the reservation with that id, or nil.
func (s *Store) WithEpoch(ctx context.Context, show int64, id uuid.UUID) (*Row, int64, error) {
	return s.one(s.db.QueryRowContext(ctx, "SELECT s.epoch, "+columns+
		" FROM stock s LEFT JOIN reservations r ON r.id = ? WHERE s.show_id = ?", id[:], show))
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

// withEpochs returns the rows of those ids that have one and, as of the same instant, the epochs of the shows' stock. One statement
// reads one snapshot, a UNION too; a join would read every row of a show, or hang on which index the server prefers.
func (s *Store) withEpochs(ctx context.Context, ids []uuid.UUID, shows []int64) (map[uuid.UUID]*Row, map[int64]int64, error) {
	found, epochs := map[uuid.UUID]*Row{}, make(map[int64]int64, len(shows))
	args := make([]any, 0, len(shows)+len(ids))
	for _, show := range shows {
		args = append(args, show)
	}
	statement := "SELECT s.show_id, s.epoch" + strings.Repeat(", NULL", strings.Count(columns, ",")+1) +
		" FROM stock s WHERE s.show_id IN (" + list("?", len(shows)) + ")"
	if len(ids) > 0 {
		statement += " UNION ALL SELECT NULL, NULL, " + columns + " FROM reservations r WHERE r.id IN (" + list("?", len(ids)) + ")"
		args = append(args, bytesOf(ids)...)
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

func orNull(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

func bytesOf(ids []uuid.UUID) []any {
	args := make([]any, len(ids))
	for i := range ids {
		args[i] = ids[i][:]
	}
	return args
}

func list(item string, n int) string {
	return strings.TrimSuffix(strings.Repeat(item+",", n), ",")
}
