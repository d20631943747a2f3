package show

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Store reads and writes the table shows.
type Store struct{ db *sql.DB }

// NewStore returns a store over a pool made by database.Open.
func NewStore(db *sql.DB) *Store { return &Store{db} }

const selectShows = `SELECT id, title, venue, description, image, image_alt, price, time_zone, starts_at, sales_open_at,
	sales_close_at, version, created_at, updated_at FROM shows`

const (
	insertShows = `INSERT INTO shows (title, venue, description, image_alt, price, time_zone, starts_at, sales_open_at, sales_close_at,
		created_at, updated_at) VALUES ` + showValues
	showValues = "(?, ?, ?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))"
)

// Insert adds a checked draft and returns it as stored. The transaction is the caller's, as the stock's row belongs into it.
// The times of the row are MySQL's: ChangedSince compares them, and the clocks of API hosts differ.
func (s *Store) Insert(ctx context.Context, tx *sql.Tx, d Draft) (Show, error) {
	id, err := insertBulk(ctx, tx, []Draft{d})
	if err != nil {
		return Show{}, err
	}
	return get(tx.QueryRowContext(ctx, selectShows+" WHERE id = ?", id))
}

const (
	bulkRows = 500
	// bulkSize is about what a statement may have, in bytes of texts. Escaped it is twice that, at most: any server takes it.
	bulkSize = 1 << 20
)

// InsertAll adds checked drafts, many to a statement, and returns their ids in the same order. The rows are stamped as they are
// inserted, so when the transaction has been committed Announce must be called, which a long one needs.
func (s *Store) InsertAll(ctx context.Context, tx *sql.Tx, drafts []Draft) (ids []int64, err error) {
	var step int64 // between the ids of a statement: more than 1 where several servers take writes
	if err := tx.QueryRowContext(ctx, "SELECT @@auto_increment_increment").Scan(&step); err != nil {
		return nil, fmt.Errorf("read the step of ids: %w", err)
	}
	ids = make([]int64, 0, len(drafts))
	for len(drafts) > 0 {
		n, size := 0, 0
		for n < min(len(drafts), bulkRows) && size < bulkSize {
			size += len(drafts[n].Title) + len(drafts[n].Venue) + len(drafts[n].Description) + len(drafts[n].ImageAlt)
			n++
		}
		first, err := insertBulk(ctx, tx, drafts[:n])
		if err != nil {
			return nil, err
		}
		for i := range n {
			ids = append(ids, first+int64(i)*step)
		}
		drafts = drafts[n:]
	}
	return ids, nil
}

// insertBulk inserts drafts in one statement, whose ids follow each other, and returns the first.
func insertBulk(ctx context.Context, tx *sql.Tx, drafts []Draft) (int64, error) {
	args := make([]any, 0, 9*len(drafts))
	for _, d := range drafts {
		args = append(args, d.Title, d.Venue, d.Description, d.ImageAlt, d.Price, d.TimeZone, d.StartsAt, d.SalesOpenAt, d.SalesCloseAt)
	}
	result, err := tx.ExecContext(ctx, insertShows+strings.Repeat(", "+showValues, len(drafts)-1), args...)
	if err != nil {
		return 0, fmt.Errorf("insert %d shows: %w", len(drafts), err)
	}
	first, err := result.LastInsertId()
	if err != nil {
		return 0, fmt.Errorf("insert %d shows: %w", len(drafts), err)
	}
	return first, nil
}

// Announce stamps anew those of the shows, which are given in the order of their ids, that were stamped too long ago to be seen by
// ChangedSince at its next call, because the transaction that inserted them took long. It takes short transactions itself.
func (s *Store) Announce(ctx context.Context, ids []int64) error {
	for part := range slices.Chunk(ids, bulkRows) {
		_, err := s.db.ExecContext(ctx, `UPDATE shows SET updated_at = UTC_TIMESTAMP(3)
			WHERE id BETWEEN ? AND ? AND updated_at < UTC_TIMESTAMP(3) - INTERVAL ? SECOND`,
			part[0], part[len(part)-1], int64(overlap.Seconds()/2))
		if err != nil {
			return fmt.Errorf("announce %d shows: %w", len(ids), err)
		}
	}
	return nil
}

// Lock returns one show, or ErrNotFound, and holds its lock until the transaction's end. Who locks the stock too, does that first.
func (s *Store) Lock(ctx context.Context, tx *sql.Tx, id int64) (Show, error) {
	return get(tx.QueryRowContext(ctx, selectShows+" WHERE id = ? FOR UPDATE", id))
}

// Update changes a show to a checked draft and returns it as stored, or ErrNotFound. Its version rises, so that of two edits the
// newer one is known to be that wherever they arrive.
func (s *Store) Update(ctx context.Context, tx *sql.Tx, id int64, d Draft) (Show, error) {
	_, err := tx.ExecContext(ctx, `UPDATE shows SET title = ?, venue = ?, description = ?, image_alt = ?, price = ?, time_zone = ?,
		starts_at = ?, sales_open_at = ?, sales_close_at = ?, version = version + 1, updated_at = UTC_TIMESTAMP(3) WHERE id = ?`,
		d.Title, d.Venue, d.Description, d.ImageAlt, d.Price, d.TimeZone, d.StartsAt, d.SalesOpenAt, d.SalesCloseAt, id)
	if err != nil {
		return Show{}, fmt.Errorf("update show %d: %w", id, err)
	}
	return get(tx.QueryRowContext(ctx, selectShows+" WHERE id = ?", id))
}

// SetImage gives a show another image and returns the show as stored, or ErrNotFound. One that has the image already stays as it is.
func (s *Store) SetImage(ctx context.Context, tx *sql.Tx, id int64, image string) (Show, error) {
	_, err := tx.ExecContext(ctx, `UPDATE shows SET image = ?, version = version + 1, updated_at = UTC_TIMESTAMP(3)
		WHERE id = ? AND image <> ?`, image, id, image)
	if err != nil {
		return Show{}, fmt.Errorf("update image of show %d: %w", id, err)
	}
	return get(tx.QueryRowContext(ctx, selectShows+" WHERE id = ?", id))
}

// Get returns one show, or ErrNotFound.
func (s *Store) Get(ctx context.Context, id int64) (Show, error) {
	return get(s.db.QueryRowContext(ctx, selectShows+" WHERE id = ?", id))
}

// Suggest returns the newest shows whose id begins with these digits, for who types one: a few, with their titles alone.
func (s *Store) Suggest(ctx context.Context, digits string) ([]Show, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT id, title FROM shows WHERE id LIKE CONCAT(?, '%') ORDER BY id DESC LIMIT 50", digits)
	if err != nil {
		return nil, fmt.Errorf("suggest shows: %w", err)
	}
	defer rows.Close() // rows.Err tells
	var shows []Show
	for rows.Next() {
		var show Show
		if err := rows.Scan(&show.ID, &show.Title); err != nil {
			return nil, fmt.Errorf("suggest shows: %w", err)
		}
		shows = append(shows, show)
	}
	return shows, rows.Err()
}

// Prices fills in the prices, in won, of the shows that are keys of the map and that there are.
func (s *Store) Prices(ctx context.Context, tx *sql.Tx, of map[int64]*int64) error {
	args := make([]any, 0, len(of))
	for id := range of {
		args = append(args, id)
	}
	rows, err := tx.QueryContext(ctx, "SELECT id, price FROM shows WHERE id IN (?"+strings.Repeat(",?", len(of)-1)+")", args...)
	if err != nil {
		return fmt.Errorf("read prices: %w", err)
	}
	defer rows.Close() // rows.Err tells
	for rows.Next() {
		var id, price int64
		if err := rows.Scan(&id, &price); err != nil {
			return fmt.Errorf("read prices: %w", err)
		}
		of[id] = &price
	}
	return rows.Err()
}

// ChangedSince returns the shows that were added or changed at t or later, all for the zero time, in no order, and MySQL's time just
// before it looked. A change whose transaction was open at that time may be missing, though it is stamped earlier.
func (s *Store) ChangedSince(ctx context.Context, t time.Time) (shows []Show, asOf time.Time, err error) {
	return s.changedSince(ctx, selectShows, t, func(rows *sql.Rows) (Show, error) { return scan(rows) })
}

// TimesChangedSince is ChangedSince for what decides when a show can be booked: of the shows, only id, version and times are read.
func (s *Store) TimesChangedSince(ctx context.Context, t time.Time) (shows []Show, asOf time.Time, err error) {
	const selectTimes = "SELECT id, version, sales_open_at, sales_close_at, starts_at FROM shows"
	return s.changedSince(ctx, selectTimes, t, func(rows *sql.Rows) (show Show, err error) {
		err = rows.Scan(&show.ID, &show.Version, &show.SalesOpenAt, &show.SalesCloseAt, &show.StartsAt)
		return show, err
	})
}

func (s *Store) changedSince(ctx context.Context, query string, t time.Time, scan func(*sql.Rows) (Show, error)) (shows []Show, asOf time.Time, err error) {
	if t.IsZero() { // it would be sent as 0000-00-00, which MySQL 8 refuses to compare anything with
		t = time.Unix(0, 0)
	}
	if err := s.db.QueryRowContext(ctx, "SELECT UTC_TIMESTAMP(3)").Scan(&asOf); err != nil {
		return nil, time.Time{}, fmt.Errorf("read the database's time: %w", err)
	}
	rows, err := s.db.QueryContext(ctx, query+" WHERE updated_at >= ?", t)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read shows: %w", err)
	}
	defer rows.Close() // rows.Err tells
	for rows.Next() {
		show, err := scan(rows)
		if err != nil {
			return nil, time.Time{}, fmt.Errorf("read shows: %w", err)
		}
		shows = append(shows, show)
	}
	if err := rows.Err(); err != nil {
		return nil, time.Time{}, fmt.Errorf("read shows: %w", err)
	}
	return shows, asOf, nil
}

func get(row *sql.Row) (Show, error) {
	show, err := scan(row)
	if errors.Is(err, sql.ErrNoRows) {
		return Show{}, ErrNotFound
	}
	if err != nil {
		return Show{}, fmt.Errorf("read show: %w", err)
	}
	return show, nil
}

func scan(row interface{ Scan(...any) error }) (Show, error) {
	var s Show
	err := row.Scan(&s.ID, &s.Title, &s.Venue, &s.Description, &s.Image, &s.ImageAlt, &s.Price, &s.TimeZone, &s.StartsAt,
		&s.SalesOpenAt, &s.SalesCloseAt, &s.Version, &s.CreatedAt, &s.UpdatedAt)
	return s, err
}
