package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"

	"github.com/neticket/neticket/migrations"
)

// ErrSchema says that the database's schema is not the one that this binary was built for.
var ErrSchema = errors.New("the database schema is not up to date: run `neticket migrate`")

// Migrate brings the schema up to this binary's version. Several may run at once: they take turns under a named lock,
// which goose does not have for MySQL.
func Migrate(ctx context.Context, db *sql.DB) error {
	lock, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer lock.Close() // closing ends the lock, too
	// It says nothing while the migrations run, however long they take.
	if _, err := lock.ExecContext(ctx, "SET SESSION wait_timeout = DEFAULT"); err != nil {
		return fmt.Errorf("keep the migration lock: %w", err)
	}
	// The name of a lock is the server's, not the database's.
	var got sql.NullInt64
	if err := lock.QueryRowContext(ctx, "SELECT GET_LOCK(CONCAT('neticket.migrate.', DATABASE()), 60)").Scan(&got); err != nil {
		return fmt.Errorf("take the migration lock: %w", err)
	}
	if got.Int64 != 1 {
		return errors.New("migrate: another migration holds the lock for 60 s already")
	}
	defer lock.ExecContext(context.WithoutCancel(ctx), "DO RELEASE_LOCK(CONCAT('neticket.migrate.', DATABASE()))") //nolint:errcheck

	provider, err := newProvider(db)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// CheckSchema returns ErrSchema when migrations are missing.
func CheckSchema(ctx context.Context, db *sql.DB) error {
	provider, err := newProvider(db)
	if err != nil {
		return err
	}
	pending, err := provider.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if pending {
		return ErrSchema
	}
	return nil
}

func newProvider(db *sql.DB) (*goose.Provider, error) {
	provider, err := goose.NewProvider(goose.DialectMySQL, db, migrations.FS)
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return provider, nil
}
