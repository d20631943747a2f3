package invariant

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/stock"
)

// chunk is how many ids a statement or a pipeline names.
const chunk = 1000

// mostOffences bounds what a search for faults returns.
const mostOffences = 1000

// store reads the tables of packages stock and booking.
type store struct{ db *sql.DB }

// snapshot is MySQL at one instant: that of its first read.
type snapshot struct{ tx *sql.Tx }

// snapshot calls look with what was committed when look reads first.
func (s store) snapshot(ctx context.Context, look func(snapshot) error) error {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin a snapshot: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // it has only read
	return look(snapshot{tx})
}

// stock returns the stock of shows, or of all where none is named.
func (s snapshot) stock(ctx context.Context, shows ...int64) (map[int64]stock.Row, error) {
	const all = "SELECT show_id, capacity, limit_per_user, reserved, epoch FROM stock"
	rows := map[int64]stock.Row{}
	read := func(query string, args ...any) error {
		return s.each(ctx, "read stock", func(scan scan) error {
			var row stock.Row
			err := scan(&row.Show, &row.Capacity, &row.Limit, &row.Reserved, &row.Epoch)
			rows[row.Show] = row
			return err
		}, query, args...)
	}
	if len(shows) == 0 {
		return rows, read(all)
	}
	for part := range slices.Chunk(shows, chunk) {
		if err := read(all+" WHERE show_id IN ("+marks(len(part))+")", anys(part)...); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// reservations returns the rows of those references that have one; times are left out. Where the show is not known, the user is.
func (s snapshot) reservations(ctx context.Context, refs []ref) (map[uuid.UUID]booking.Row, error) {
	rows := make(map[uuid.UUID]booking.Row, len(refs))
	for part := range slices.Chunk(refs, chunk) {
		ids := map[ref][]any{} // by show or by user
		for _, r := range part {
			by := ref{show: r.show}
			if r.show == 0 {
				by = ref{user: r.user}
			}
			ids[by] = append(ids[by], r.id[:])
		}
		var shows, users condition
		for by, among := range ids {
			if by.show > 0 {
				shows.or("show_id", by.show, among)
			} else {
				users.or("user_id", by.user, among)
			}
		}
		if err := s.readReservations(ctx, rows, "", shows); err != nil {
			return nil, err
		}
		if err := s.readReservations(ctx, rows, "FORCE INDEX (user_booked)", users); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// ref names a reservation by its show or, where that is 0, by its user.
type ref struct {
	show, user int64
	id         uuid.UUID
}

// condition finds rows by a column and some ids each.
type condition struct {
	parts []string
	args  []any
}

func (c *condition) or(column string, value int64, ids []any) {
	c.parts = append(c.parts, "("+column+" = ? AND id IN ("+marks(len(ids))+"))")
	c.args = append(append(c.args, value), ids...)
}

func (s snapshot) readReservations(ctx context.Context, rows map[uuid.UUID]booking.Row, index string, which condition) error {
	if len(which.parts) == 0 {
		return nil
	}
	return s.each(ctx, "read reservations", func(scan scan) error {
		var row booking.Row
		err := scan(&row.ID, &row.Show, &row.User, &row.Units, &row.Status, &row.Reason, &row.Epoch, &row.Seq, &row.CancelEpoch, &row.CancelSeq)
		rows[row.ID] = row
		return err
	}, `SELECT id, show_id, user_id, units, status, reason, epoch, seq, COALESCE(cancel_epoch, 0), COALESCE(cancel_seq, 0)
		FROM reservations `+index+" WHERE "+strings.Join(which.parts, " OR "), which.args...)
}

// confirmed returns the confirmed units of every show that has some.
func (s snapshot) confirmed(ctx context.Context) (map[int64]int, error) {
	units := map[int64]int{}
	err := s.each(ctx, "sum up confirmed units", func(scan scan) error {
		var show int64
		var sum int
		err := scan(&show, &sum)
		units[show] = sum
		return err
	}, "SELECT show_id, SUM(units) FROM reservations WHERE status = 'confirmed' GROUP BY show_id")
	return units, err
}

// holder is a user who has units of a show.
type holder struct {
	user  int64
	units int
}

// holders returns, by user, those after the given one who hold confirmed units of a show: a chunk of them, at most.
func (s snapshot) holders(ctx context.Context, show, after int64) ([]holder, error) {
	return s.readHolders(ctx, "user_id > ?", fmt.Sprintf("ORDER BY user_id LIMIT %d", chunk), show, after)
}

// holdersAmong returns those of the users who hold confirmed units of a show.
func (s snapshot) holdersAmong(ctx context.Context, show int64, users []int64) ([]holder, error) {
	return s.readHolders(ctx, "user_id IN ("+marks(len(users))+")", "", append([]any{show}, anys(users)...)...)
}

func (s snapshot) readHolders(ctx context.Context, which, order string, args ...any) ([]holder, error) {
	var holders []holder
	err := s.each(ctx, "sum up units per user", func(scan scan) error {
		var h holder
		err := scan(&h.user, &h.units)
		holders = append(holders, h)
		return err
	}, "SELECT user_id, SUM(units) FROM reservations WHERE show_id = ? AND "+which+" AND status = 'confirmed' GROUP BY user_id "+order, args...)
	return holders, err
}

// offence is a fault of some reservations of a show.
type offence struct {
	show int64
	ids  []string
}

// sameEntry finds rows that share an entry; of many it names two.
func (s snapshot) sameEntry(ctx context.Context) ([]offence, error) {
	return s.offences(ctx, "SELECT show_id, MIN(id), MAX(id) FROM reservations GROUP BY show_id, epoch, seq HAVING COUNT(*) > 1")
}

// sameCancel finds rows that share a cancel entry; of many it names two.
func (s snapshot) sameCancel(ctx context.Context) ([]offence, error) {
	return s.offences(ctx, `SELECT show_id, MIN(id), MAX(id) FROM reservations WHERE cancel_seq IS NOT NULL
		GROUP BY show_id, cancel_epoch, cancel_seq HAVING COUNT(*) > 1`)
}

// halfCancelled finds rows that are cancelled without a cancel entry, or have one without being cancelled.
func (s snapshot) halfCancelled(ctx context.Context) ([]offence, error) {
	return s.offences(ctx, `SELECT show_id, id, id FROM reservations
		WHERE (status = 'cancelled') <> (cancel_epoch IS NOT NULL) OR (status = 'cancelled') <> (cancel_seq IS NOT NULL)`)
}

// ahead finds rows whose entry, or cancel entry, is of a later epoch than the stock.
func (s snapshot) ahead(ctx context.Context) ([]offence, error) {
	return s.offences(ctx, `SELECT r.show_id, r.id, r.id FROM reservations r JOIN stock s ON s.show_id = r.show_id
		WHERE r.status IN ('confirmed', 'cancelled') AND (r.epoch > s.epoch OR r.cancel_epoch > s.epoch)`)
}

func (s snapshot) offences(ctx context.Context, query string) ([]offence, error) {
	var offences []offence
	err := s.each(ctx, "look for faulty reservations", func(scan scan) error {
		var show int64
		var a, b uuid.UUID
		err := scan(&show, &a, &b)
		offences = append(offences, offence{show, slices.Compact([]string{a.String(), b.String()})})
		return err
	}, fmt.Sprintf("%s LIMIT %d", query, mostOffences))
	return offences, err
}

// scan is the method of sql.Rows.
type scan = func(targets ...any) error

// each calls take with every row of a query.
func (s snapshot) each(ctx context.Context, what string, take func(scan) error, query string, args ...any) error {
	rows, err := s.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer rows.Close() // rows.Err tells
	for rows.Next() {
		if err := take(rows.Scan); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

func anys(ids []int64) []any {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	return args
}
