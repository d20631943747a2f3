package database

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/neticket/neticket/internal/diagnosis"
)

// examineSchema reports whether the schema is this binary's, or a newer one.
func examineSchema(ctx context.Context, d *diagnosis.Diagnosis, db *sql.DB) (usable bool, err error) {
	const migrate = "run `neticket migrate`"
	var tables int
	err = db.QueryRowContext(ctx, `SELECT COUNT(*) FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_name = 'goose_db_version'`).Scan(&tables)
	if err != nil {
		return false, err
	}
	if tables == 0 { // goose would make the table
		d.Fault("mysql.schema", migrate, "there is no schema in the database")
		return false, nil
	}
	provider, err := newProvider(db)
	if err != nil {
		return false, err
	}
	have, want, err := provider.GetVersions(ctx)
	if err != nil {
		return false, err
	}
	switch pending, err := provider.HasPending(ctx); {
	case err != nil:
		return false, err
	case have > want:
		d.Fault("mysql.schema", "update this program and the processes to the release that migrated the schema", "the schema has version %d, and this program knows %d", have, want)
	case pending:
		d.Fault("mysql.schema", migrate, "the schema has version %d, and must have %d", have, want)
		return false, nil
	default:
		d.OK("mysql.schema", "the schema has version %d", have)
	}
	return true, examineTables(ctx, d, db)
}

// examineTables looks for tables that somebody has made anew, or moved, in another way than the migrations do.
func examineTables(ctx context.Context, d *diagnosis.Diagnosis, db *sql.DB) error {
	var wrong []string
	err := eachRow(ctx, db, `SELECT table_name, CONCAT(engine, ' ', table_collation) FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND table_name <> 'goose_db_version'
		AND (engine <> 'InnoDB' OR table_collation NOT LIKE 'utf8mb4%') ORDER BY table_name`,
		func(table, is string) { wrong = append(wrong, table+" ("+is+")") })
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		d.Fault("mysql.tables", "ALTER TABLE ... ENGINE = InnoDB, CONVERT TO CHARACTER SET utf8mb4", "tables must be InnoDB in utf8mb4: %s", strings.Join(wrong, ", "))
		return nil
	}
	d.OK("mysql.tables", "all tables are InnoDB in utf8mb4")
	return nil
}

// Now returns the time of the server.
func Now(ctx context.Context, db *sql.DB) (now time.Time, err error) {
	if err := db.QueryRowContext(ctx, "SELECT UTC_TIMESTAMP(6)").Scan(&now); err != nil {
		return time.Time{}, fmt.Errorf("read the database's time: %w", err)
	}
	return now, nil
}
