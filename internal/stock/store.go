package stock

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/neticket/neticket/internal/database"
)

// Row is a show's stock in MySQL, the judge.
type Row struct {
	Show     int64
	Capacity int
	Limit    int // units per person; 0: none
	Reserved int // confirmed units
	Epoch    int64
}

// Store reads and writes the package's tables.
type Store struct{ db *sql.DB }

// NewStore returns a store over a pool made by database.Open.
func NewStore(db *sql.DB) *Store { return &Store{db} }

// Insert adds the stock of a new show, in the transaction that adds the show.
func (s *Store) Insert(ctx context.Context, tx *sql.Tx, show int64, capacity, limit int) error {
	return s.InsertAll(ctx, tx, []int64{show}, []Terms{{capacity, limit}})
}

// InsertAll adds the stock of new shows, each under its terms, in the transaction that adds the shows.
func (s *Store) InsertAll(ctx context.Context, tx *sql.Tx, shows []int64, terms []Terms) error {
	const bulk = 1000
	for len(shows) > 0 {
		n := min(len(shows), bulk)
		args := make([]any, 0, 3*n)
		for i, show := range shows[:n] {
			args = append(args, show, terms[i].Capacity, terms[i].Limit)
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO stock (show_id, capacity, limit_per_user, reserved, epoch) VALUES "+
			strings.TrimSuffix(strings.Repeat("(?, ?, ?, 0, 0), ", n), ", "), args...)
		if err != nil {
			return fmt.Errorf("insert stock of %d shows from %d on: %w", n, shows[0], err)
		}
		shows, terms = shows[n:], terms[n:]
	}
	return nil
}

const selectRows = "SELECT show_id, capacity, limit_per_user, reserved, epoch FROM stock"

// Rows returns the stock of the shows that there are, by show id; of all shows when none is named.
func (s *Store) Rows(ctx context.Context, shows ...int64) (map[int64]Row, error) {
	query := selectRows
	if len(shows) > 0 {
		query += " WHERE show_id IN (" + placeholders(len(shows)) + ")"
	}
	return scanRows(s.db.QueryContext(ctx, query, ids(shows)...))
}

// after returns the ids of the first shows above an id, in order.
func (s *Store) after(ctx context.Context, show int64, limit int) ([]int64, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT show_id FROM stock WHERE show_id > ? ORDER BY show_id LIMIT ?", show, limit)
	if err != nil {
		return nil, fmt.Errorf("read show ids: %w", err)
	}
	defer rows.Close() // rows.Err tells
	var shows []int64
	for rows.Next() {
		var show int64
		if err := rows.Scan(&show); err != nil {
			return nil, fmt.Errorf("read show ids: %w", err)
		}
		shows = append(shows, show)
	}
	return shows, rows.Err()
}

// Row returns the stock of one show, or ErrNoShow.
func (s *Store) Row(ctx context.Context, show int64) (Row, error) {
	rows, err := s.Rows(ctx, show)
	if err != nil {
		return Row{}, err
	}
	row, ok := rows[show]
	if !ok {
		return Row{}, ErrNoShow
	}
	return row, nil
}

// Lock returns the stock of the shows that there are and holds their locks until the transaction's end. It locks in the
// order of ids, as everyone does, so that no two transactions wait for each other.
func (s *Store) Lock(ctx context.Context, tx *sql.Tx, shows []int64) (map[int64]Row, error) {
	query := selectRows + " WHERE show_id IN (" + placeholders(len(shows)) + ") ORDER BY show_id FOR UPDATE"
	return scanRows(tx.QueryContext(ctx, query, ids(shows)...))
}

// ErrGuard says that the change of reserved units did not fit the stock's epoch or capacity; nothing may be committed.
var ErrGuard = errors.New("the stock's guard refused the change")

// AddReserved changes the reserved units of locked shows by the given differences, or returns ErrGuard where the epoch is not
// the row's any more or the sum would leave 0..capacity.
func (s *Store) AddReserved(ctx context.Context, tx *sql.Tx, rows map[int64]Row, delta map[int64]int) error {
	// The server compares each row with half of the shows that a statement names, so a few small ones cost less than one for all.
	const most = 32
	for shows := range slices.Chunk(slices.Sorted(maps.Keys(delta)), most) {
		if err := s.addReserved(ctx, tx, shows, rows, delta); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) addReserved(ctx context.Context, tx *sql.Tx, shows []int64, rows map[int64]Row, delta map[int64]int) error {
	var cases, guards strings.Builder
	caseArgs, guardArgs := make([]any, 0, 5*len(shows)), make([]any, 0, 3*len(shows))
	for i, show := range shows {
		cases.WriteString(" WHEN ? THEN ?")
		caseArgs = append(caseArgs, show, delta[show])
		if i > 0 {
			guards.WriteString(" OR ")
		}
		guards.WriteString("(show_id = ? AND epoch = ? AND reserved + ? BETWEEN 0 AND capacity)")
		guardArgs = append(guardArgs, show, rows[show].Epoch, delta[show])
	}
	result, err := tx.ExecContext(ctx, "UPDATE stock SET reserved = reserved + CASE show_id"+cases.String()+" END WHERE "+guards.String(),
		append(caseArgs, guardArgs...)...)
	if err != nil {
		return fmt.Errorf("update stock: %w", err)
	}
	matched, err := result.RowsAffected() // those matched: database.Open sets ClientFoundRows
	if err != nil {
		return fmt.Errorf("update stock: %w", err)
	}
	if matched != int64(len(shows)) {
		return fmt.Errorf("update stock: %w: %d of %d shows", ErrGuard, matched, len(shows))
	}
	return nil
}

// raise sets a show's stock to want's figures under a new epoch, if its epoch still is the one that the caller read. It
// reports whether it was.
func (s *Store) raise(ctx context.Context, tx *sql.Tx, read Row, hashEpoch int64, want Row) (bool, error) {
	result, err := tx.ExecContext(ctx, `UPDATE stock SET epoch = GREATEST(epoch, ?) + 1, reserved = ?, capacity = ?, limit_per_user = ?
		WHERE show_id = ? AND epoch = ?`, hashEpoch, want.Reserved, want.Capacity, want.Limit, read.Show, read.Epoch)
	if err != nil {
		return false, fmt.Errorf("raise the epoch of show %d: %w", read.Show, err)
	}
	matched, err := result.RowsAffected()
	if err != nil {
		return false, fmt.Errorf("raise the epoch of show %d: %w", read.Show, err)
	}
	return matched == 1, nil
}

// Snapshot is the units left of a show as the flusher saw them.
type Snapshot struct {
	Show  int64
	Epoch int64
	Left  int
	AsOf  time.Time // by Redis's clock, microseconds
}

// WriteSnapshots stores snapshots; one that is older than the stored one, by (epoch, as_of), changes nothing.
func (s *Store) WriteSnapshots(ctx context.Context, snapshots []Snapshot) error {
	if len(snapshots) == 0 {
		return nil
	}
	snapshots = slices.SortedFunc(slices.Values(snapshots), func(a, b Snapshot) int { return cmp.Compare(a.Show, b.Show) })
	args := make([]any, 0, 4*len(snapshots))
	for _, snapshot := range snapshots {
		args = append(args, snapshot.Show, snapshot.Epoch, snapshot.Left, snapshot.AsOf)
	}
	// MySQL assigns from left to right and the later expressions see the new values: once as_of is set, the epoch can only
	// be equal or greater, so GREATEST is the same decision.
	const newer = "VALUES(epoch) > epoch OR (VALUES(epoch) = epoch AND VALUES(as_of) > as_of)"
	_, err := s.db.ExecContext(ctx, "INSERT INTO stock_snapshots (show_id, epoch, `left`, as_of) VALUES "+
		strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?), ", len(snapshots)), ", ")+
		" ON DUPLICATE KEY UPDATE `left` = IF("+newer+", VALUES(`left`), `left`), as_of = IF("+newer+", VALUES(as_of), as_of),"+
		" epoch = GREATEST(epoch, VALUES(epoch))", args...)
	if err != nil {
		return fmt.Errorf("write %d snapshots: %w", len(snapshots), err)
	}
	return nil
}

// Snapshots returns the stored snapshots of the shows, by show id; of all shows when none is named.
func (s *Store) Snapshots(ctx context.Context, shows ...int64) (map[int64]Snapshot, error) {
	query := "SELECT show_id, epoch, `left`, as_of FROM stock_snapshots"
	if len(shows) > 0 {
		query += " WHERE show_id IN (" + placeholders(len(shows)) + ")"
	}
	rows, err := s.db.QueryContext(ctx, query, ids(shows)...)
	if err != nil {
		return nil, fmt.Errorf("read snapshots: %w", err)
	}
	defer rows.Close() // rows.Err tells
	snapshots := map[int64]Snapshot{}
	for rows.Next() {
		var snapshot Snapshot
		if err := rows.Scan(&snapshot.Show, &snapshot.Epoch, &snapshot.Left, &snapshot.AsOf); err != nil {
			return nil, fmt.Errorf("read snapshots: %w", err)
		}
		snapshots[snapshot.Show] = snapshot
	}
	return snapshots, rows.Err()
}

// identity is who a Redis server is: a new process has a new run id, a server with another history a new replication id.
type identity struct{ run, replication string }

// verified returns the servers that the fence has verified, by shard.
func (s *Store) verified(ctx context.Context) (map[int]identity, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT shard, run_id, replication_id FROM redis_servers")
	if err != nil {
		return nil, fmt.Errorf("read the verified servers: %w", err)
	}
	defer rows.Close() // rows.Err tells
	servers := map[int]identity{}
	for rows.Next() {
		var shard int
		var id identity
		if err := rows.Scan(&shard, &id.run, &id.replication); err != nil {
			return nil, fmt.Errorf("read the verified servers: %w", err)
		}
		servers[shard] = id
	}
	return servers, rows.Err()
}

// verify stores a shard's server after distrust has returned, under the row's lock; nothing when it is stored already.
func (s *Store) verify(ctx context.Context, shard int, id identity, distrust func() error) error {
	return database.Transact(ctx, s.db, func(tx *sql.Tx) error {
		// The row must be there to be locked. Not with IGNORE: that takes a shared lock first, and two guardians that both want
		// more of it are a deadlock.
		if _, err := tx.ExecContext(ctx, "INSERT INTO redis_servers (shard, run_id, replication_id) VALUES (?, '', '') ON DUPLICATE KEY UPDATE shard = shard", shard); err != nil {
			return fmt.Errorf("verify shard %d: %w", shard, err)
		}
		var known identity
		err := tx.QueryRowContext(ctx, "SELECT run_id, replication_id FROM redis_servers WHERE shard = ? FOR UPDATE", shard).
			Scan(&known.run, &known.replication)
		if err != nil {
			return fmt.Errorf("verify shard %d: %w", shard, err)
		}
		if known == id {
			return nil
		}
		if err := distrust(); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE redis_servers SET run_id = ?, replication_id = ? WHERE shard = ?", id.run, id.replication, shard); err != nil {
			return fmt.Errorf("verify shard %d: %w", shard, err)
		}
		return nil
	})
}

// DistrustEpochs is by how much Distrust raises epochs: more than any show can have had since a backup that is worth restoring.
const DistrustEpochs = 1_000_000

// Distrust has every show loaded under a new epoch and every Redis server verified anew, and returns how many shows there are.
// It is for a MySQL that was restored from a backup, and so repeats epochs, while nothing runs. note writes it down in the same
// transaction.
func (s *Store) Distrust(ctx context.Context, note func(ctx context.Context, tx *sql.Tx, shows int64) error) (shows int64, err error) {
	err = database.Transact(ctx, s.db, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, "UPDATE stock SET epoch = epoch + ?", DistrustEpochs)
		if err != nil {
			return fmt.Errorf("raise all epochs: %w", err)
		}
		if shows, err = result.RowsAffected(); err != nil {
			return fmt.Errorf("raise all epochs: %w", err)
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM redis_servers"); err != nil {
			return fmt.Errorf("forget the verified servers: %w", err)
		}
		return note(ctx, tx, shows)
	})
	return shows, err
}

// ErrShards says that this process is configured with another number of shards than the deployment has.
var ErrShards = errors.New("NETICKET_SHARDS differs from the deployment's")

// FixShards stores the number of shards at the first call of a deployment, and returns ErrShards when another is stored.
func (s *Store) FixShards(ctx context.Context, shards int) error {
	// IGNORE hides nothing here but the row that is there already.
	if _, err := s.db.ExecContext(ctx, "INSERT IGNORE INTO deployment (name, value) VALUES ('shards', ?)", strconv.Itoa(shards)); err != nil {
		return fmt.Errorf("store the number of shards: %w", err)
	}
	_, err := s.checkShards(ctx, shards)
	return err
}

// checkShards reports whether a number of shards is stored, and returns ErrShards when it is another.
func (s *Store) checkShards(ctx context.Context, shards int) (stored bool, err error) {
	var value string
	err = s.db.QueryRowContext(ctx, "SELECT value FROM deployment WHERE name = 'shards'").Scan(&value)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read the number of shards: %w", err)
	case value != strconv.Itoa(shards):
		return true, fmt.Errorf("%w: %d here, %s there", ErrShards, shards, value)
	}
	return true, nil
}

// noteFlush stores that all units left were written back just now, so that it can be told from MySQL alone.
func (s *Store) noteFlush(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO deployment (name, value) VALUES ('flushed', UTC_TIMESTAMP(3))
		ON DUPLICATE KEY UPDATE value = VALUES(value)`)
	if err != nil {
		return fmt.Errorf("store when the units left were written back: %w", err)
	}
	return nil
}

// sinceFlush returns how long ago noteFlush was called last, by MySQL's clock; false where it never was.
func (s *Store) sinceFlush(ctx context.Context) (time.Duration, bool, error) {
	var seconds int64
	err := s.db.QueryRowContext(ctx, `SELECT TIMESTAMPDIFF(SECOND, CAST(value AS DATETIME(3)), UTC_TIMESTAMP(3)) FROM deployment
		WHERE name = 'flushed'`).Scan(&seconds)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("read when the units left were written back: %w", err)
	}
	return time.Duration(seconds) * time.Second, true, nil
}

// tryWrite writes a row and takes it back.
func (s *Store) tryWrite(ctx context.Context) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("try to write: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // what is not committed is gone in any case
	if _, err := tx.ExecContext(ctx, "INSERT INTO deployment (name, value) VALUES (?, '')", rand.Text()); err != nil {
		return fmt.Errorf("try to write: %w", err)
	}
	return nil
}

func scanRows(rows *sql.Rows, err error) (map[int64]Row, error) {
	if err != nil {
		return nil, fmt.Errorf("read stock: %w", err)
	}
	defer rows.Close() // rows.Err tells
	stock := map[int64]Row{}
	for rows.Next() {
		var row Row
		if err := rows.Scan(&row.Show, &row.Capacity, &row.Limit, &row.Reserved, &row.Epoch); err != nil {
			return nil, fmt.Errorf("read stock: %w", err)
		}
		stock[row.Show] = row
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read stock: %w", err)
	}
	return stock, nil
}

func placeholders(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

func ids(shows []int64) []any {
	args := make([]any, len(shows))
	for i, show := range shows {
		args[i] = show
	}
	return args
}
