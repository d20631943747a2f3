package main

import (
	"context"
	"database/sql"
	"fmt"

	_ "github.com/go-sql-driver/mysql" // the driver
)

// mysqlFacts are what the report says of MySQL.
type mysqlFacts struct {
	version    string
	flush      string // innodb_flush_log_at_trx_commit
	bufferPool int64  // bytes
}

func readMySQLFacts(ctx context.Context, dsn string) (f mysqlFacts, err error) {
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		return mysqlFacts{}, fmt.Errorf("read the version of MySQL: %w", err)
	}
	defer db.Close()
	err = db.QueryRowContext(ctx, "SELECT VERSION(), @@innodb_flush_log_at_trx_commit, @@innodb_buffer_pool_size").
		Scan(&f.version, &f.flush, &f.bufferPool)
	if err != nil {
		return mysqlFacts{}, fmt.Errorf("read the version of MySQL: %w", err)
	}
	return f, nil
}
