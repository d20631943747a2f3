package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// store reads what the bench counts in MySQL, and has the tables of the lock.
type store struct{ *sql.DB }

// openStore opens a pool, with placeholders filled in by the client as the product does.
func openStore(dsn string, connections int) (store, error) {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return store{}, fmt.Errorf("open MySQL: %w", err)
	}
	config.InterpolateParams = true
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return store{}, fmt.Errorf("open MySQL: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return store{db}, nil
}

// mysqlFacts are what the report says of MySQL.
type mysqlFacts struct {
	Version    string `json:"version"`
	Flush      string `json:"innodb_flush_log_at_trx_commit"`
	BufferPool int64  `json:"innodb_buffer_pool_bytes"`
}

func (s store) facts(ctx context.Context) (f mysqlFacts, err error) {
	err = s.QueryRowContext(ctx, "SELECT VERSION(), @@innodb_flush_log_at_trx_commit, @@innodb_buffer_pool_size").
		Scan(&f.Version, &f.Flush, &f.BufferPool)
	if err != nil {
		return mysqlFacts{}, fmt.Errorf("read the version of MySQL: %w", err)
	}
	return f, nil
}

// showsNamed returns the shows whose titles begin so, in the order of their ids.
func (s store) showsNamed(ctx context.Context, title string) (ids []int64, err error) {
	rows, err := s.QueryContext(ctx, "SELECT id FROM shows WHERE title LIKE ? ORDER BY id", title+"%")
	if err != nil {
		return nil, fmt.Errorf("look up shows: %w", err)
	}
	defer rows.Close() // rows.Err tells
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("look up shows: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// reserved returns the confirmed units of all shows, as each commit of a worker leaves them.
func (s store) reserved(ctx context.Context) (units int, err error) {
	if err := s.QueryRowContext(ctx, "SELECT COALESCE(SUM(reserved), 0) FROM stock").Scan(&units); err != nil {
		return 0, fmt.Errorf("count confirmed units: %w", err)
	}
	return units, nil
}

// counts returns how many reservations there are, and how many units of them are confirmed.
func (s store) counts(ctx context.Context) (rows, units int, err error) {
	err = s.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(SUM(CASE WHEN status = 'confirmed' THEN units ELSE 0 END), 0) FROM reservations").
		Scan(&rows, &units)
	if err != nil {
		return 0, 0, fmt.Errorf("count reservations: %w", err)
	}
	return rows, units, nil
}

// oversold returns how many shows have sold more units than they had, or other units than their rows say.
func (s store) oversold(ctx context.Context) (shows int, err error) {
	err = s.QueryRowContext(ctx, `SELECT COUNT(*) FROM stock s LEFT JOIN
		(SELECT show_id, SUM(units) units FROM reservations WHERE status = 'confirmed' GROUP BY show_id) r ON r.show_id = s.show_id
		WHERE s.reserved > s.capacity OR s.reserved <> COALESCE(r.units, 0)`).Scan(&shows)
	if err != nil {
		return 0, fmt.Errorf("look for shows that are oversold: %w", err)
	}
	return shows, nil
}

// digits is a table of the numbers 0 to 9.
const digits = `(SELECT 0 n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
	UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)`

// fill inserts confirmed reservations of a unit each, as many of each show, and reserves their units. They come in the order of the table, which
// makes it fast. The ids of a show lie evenly over all ids that there may be, so that later ones come between them.
func (s store) fill(ctx context.Context, shows []int64, each int) error {
	step := ^uint64(0) / uint64(each)
	for n, show := range shows {
		_, err := s.ExecContext(ctx, `INSERT INTO reservations (id, show_id, user_id, units, status, epoch, seq, price, booked_at, confirmed_at)
			SELECT UNHEX(CONCAT(LPAD(HEX(i * CAST(? AS UNSIGNED)), 16, '0'), LPAD(HEX(i + ?), 16, '0'))), ?, (i + ?) DIV 4, 1, 'confirmed', 0, i + 1, 50000,
				UTC_TIMESTAMP(3), UTC_TIMESTAMP(3)
			FROM (SELECT CAST(a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n AS UNSIGNED) i
				FROM `+digits+" a, "+digits+" b, "+digits+" c, "+digits+" d, "+digits+` e) numbers
			WHERE i < ? ORDER BY i`, step, n*each, show, n*each, each)
		if err != nil {
			return fmt.Errorf("fill the table of reservations: %w", err)
		}
		_, err = s.ExecContext(ctx, "UPDATE stock SET capacity = ?, reserved = ? WHERE show_id = ?", each, each, show)
		if err != nil {
			return fmt.Errorf("reserve what was filled in: %w", err)
		}
	}
	return nil
}

// resizeBufferPool changes how much of the tables InnoDB keeps in memory. It needs the rights of root.
func (s store) resizeBufferPool(ctx context.Context, bytes int64) error {
	if _, err := s.ExecContext(ctx, "SET GLOBAL innodb_buffer_pool_size = ?", bytes); err != nil {
		return fmt.Errorf("resize the buffer pool: %w", err)
	}
	return nil
}

// readAll reads the table of reservations and its indexes, so that the buffer pool holds them.
func (s store) readAll(ctx context.Context) error {
	for _, statement := range []string{
		"SELECT COUNT(DISTINCT epoch + seq) FROM reservations", // no index has these: it reads the table
		"SELECT COUNT(DISTINCT user_id) FROM reservations",
		"SELECT COUNT(DISTINCT show_id, user_id) FROM reservations",
	} {
		var n int64
		if err := s.QueryRowContext(ctx, statement).Scan(&n); err != nil {
			return fmt.Errorf("read the table of reservations: %w", err)
		}
	}
	return nil
}

// lockDatabase is where the lock's tables are. The user of devserver may make it.
const lockDatabase = "neticket_lock"

// lockCapacity is never sold out.
const lockCapacity = 1_000_000_000

func (s store) makeLockTables(ctx context.Context) error {
	for _, statement := range strings.Split(`CREATE DATABASE `+lockDatabase+`;
		CREATE TABLE `+lockDatabase+`.shows (id BIGINT PRIMARY KEY, units_left BIGINT NOT NULL) ENGINE = InnoDB;
		CREATE TABLE `+lockDatabase+`.bookings (id BIGINT AUTO_INCREMENT PRIMARY KEY, show_id BIGINT NOT NULL, user_id BIGINT NOT NULL,
			units INT NOT NULL, booked_at DATETIME(3) NOT NULL, KEY (user_id), KEY (show_id)) ENGINE = InnoDB;
		INSERT INTO `+lockDatabase+`.shows VALUES (1, `+fmt.Sprint(lockCapacity)+`)`, ";") {
		if _, err := s.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("make the tables of the lock: %w", err)
		}
	}
	return nil
}

var errNoneLeft = errors.New("no units are left")

// bookUnderLock takes two units of the one show.
func (s store) bookUnderLock(ctx context.Context, user int64) error {
	tx, err := s.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("book under a lock: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	var left int64
	err = tx.QueryRowContext(ctx, "SELECT units_left FROM "+lockDatabase+".shows WHERE id = 1 FOR UPDATE").Scan(&left)
	if err == nil && left < 2 {
		err = errNoneLeft
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, "UPDATE "+lockDatabase+".shows SET units_left = units_left - 2 WHERE id = 1")
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, "INSERT INTO "+lockDatabase+".bookings (show_id, user_id, units, booked_at) VALUES (1, ?, 2, UTC_TIMESTAMP(3))", user)
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return fmt.Errorf("book under a lock: %w", err)
	}
	return nil
}
