// Package database opens MySQL (or MariaDB) with the settings that the rest of the product relies on, and brings its
// schema up. It knows no table.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Open returns a pool of at most maxConns connections to the server of a go-sql-driver DSN. It does not dial: use
// PingContext. These are set whatever the DSN says:
//   - an UPDATE reports the rows it matched, not those it changed: a batch delivered twice must not look like a failed guard;
//   - times are UTC in both directions, and the session's clock too;
//   - arguments are interpolated by the driver, which saves a round trip per statement;
//   - strict SQL mode, so that the server refuses what it cannot store instead of changing it;
//   - packets stay below 16 MiB, MariaDB's default limit.
//
// Unless the DSN gives another wait_timeout, the server ends a connection that says nothing for 10 s, and its transaction with it:
// the locks of a process that hangs, or whose machine is gone without a word, would be held for hours else.
func Open(dsn string, maxConns int) (*sql.DB, error) {
	return open(dsn, maxConns, func(config *mysql.Config) {
		// Longer than innodb_lock_wait_timeout (50 s): a wait for a row lock ends with the server's error, not a cut connection.
		config.ReadTimeout = orDefault(config.ReadTimeout, time.Minute)
	})
}

// OpenForMigrations is Open for Migrate, whatever the size of the tables: it waits for an answer for as long as the connection lives. A
// migration that was given up half-way would go on in the server, and nobody would note that it was done.
func OpenForMigrations(dsn string) (*sql.DB, error) {
	return open(dsn, 4, func(config *mysql.Config) { config.ReadTimeout = 0 })
}

func open(dsn string, maxConns int, limit func(*mysql.Config)) (*sql.DB, error) {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, errors.New("open database: the DSN is not of the form user:password@tcp(host:port)/name") // err may quote the password
	}
	config.ClientFoundRows = true
	config.ParseTime = true
	config.Loc = time.UTC
	config.InterpolateParams = true
	config.MaxAllowedPacket = 16<<20 - 1024
	config.Timeout = orDefault(config.Timeout, 5*time.Second)
	limit(config)
	config.WriteTimeout = orDefault(config.WriteTimeout, 10*time.Second)
	config.Logger = &mysql.NopLogger{} // the errors it would print are returned too
	if config.Params == nil {
		config.Params = map[string]string{}
	}
	if config.Params["wait_timeout"] == "" {
		config.Params["wait_timeout"] = "10"
	}
	config.Params["time_zone"] = "'+00:00'"
	config.Params["sql_mode"] = "'TRADITIONAL'"
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	db.SetConnMaxIdleTime(5 * time.Second) // before the server ends them
	db.SetConnMaxLifetime(5 * time.Minute) // so that a restarted or moved server gets its share again
	return db, nil
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

// Transact runs do in one READ COMMITTED transaction. When it returns an error the transaction was rolled back or, where
// the error came from the commit or the network, its outcome is unknown.
func Transact(ctx context.Context, db *sql.DB, do func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // does nothing after a commit; else the error that led here is returned
	if err := do(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
