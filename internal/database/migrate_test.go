package database_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/migrations"
)

// Processes that start at once bring the schema up together; who finds it up does nothing.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	dsn := servertest.MySQL(t)
	for round := range 2 {
		var all sync.WaitGroup
		for range 4 {
			db := open(t, dsn, 2)
			all.Go(func() {
				if err := database.Migrate(t.Context(), db); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		all.Wait()
	}
	db := open(t, dsn, 2)
	files, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	var applied int
	err = db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM goose_db_version WHERE version_id > 0 AND is_applied").Scan(&applied)
	if err != nil || applied != len(files) {
		t.Errorf("%d migrations were applied, %v; want each of %d once", applied, err, len(files))
	}
	for _, table := range []string{"users", "shows", "stock", "reservations", "stock_snapshots", "redis_servers", "audit_log", "deployment"} {
		if _, err := db.ExecContext(t.Context(), "SELECT * FROM "+table+" LIMIT 0"); err != nil {
			t.Error(err)
		}
	}
}

// Without the lock migrations get in each other's way: the control of the test above.
func TestMigrationsNeedTheLock(t *testing.T) {
	t.Parallel()
	servertest.Eventually(t, 30*time.Second, "two migrations at once fail without the lock", func() bool {
		dsn := servertest.MySQL(t)
		var all sync.WaitGroup
		var failed atomic.Bool
		for range 4 {
			provider, err := goose.NewProvider(goose.DialectMySQL, open(t, dsn, 2), migrations.FS)
			if err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				if _, err := provider.Up(t.Context()); err != nil {
					failed.Store(true)
				}
			})
		}
		all.Wait()
		return failed.Load()
	})
}

func TestCheckSchema(t *testing.T) {
	t.Parallel()
	db := open(t, servertest.MySQL(t), 2)
	check := func(want error) {
		t.Helper()
		if err := database.CheckSchema(t.Context(), db); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	check(database.ErrSchema)
	if err := database.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	check(nil)
	exec(t, db, "DELETE FROM goose_db_version ORDER BY version_id DESC LIMIT 1") // as an older release left it
	check(database.ErrSchema)
}

// A database that cannot be asked is not one whose schema is old.
func TestCheckSchemaOfADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	db := open(t, "a:b@tcp(127.0.0.1:1)/c", 1)
	if err := database.CheckSchema(t.Context(), db); err == nil || errors.Is(err, database.ErrSchema) {
		t.Errorf("got %v", err)
	}
	if err := database.Migrate(t.Context(), db); err == nil {
		t.Error("migrated a database that is not there")
	}
}

// Migrations of one database take turns, those of others do not wait for it; a lock is not kept by who failed.
func TestMigrationLock(t *testing.T) {
	t.Parallel()
	dsn := servertest.MySQL(t)
	db := open(t, dsn, 4)
	holder, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got sql.NullInt64
	if err := holder.QueryRowContext(t.Context(), "SELECT GET_LOCK(CONCAT('neticket.migrate.', DATABASE()), 0)").Scan(&got); err != nil || got.Int64 != 1 {
		t.Fatal(got, err)
	}
	waits, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := database.Migrate(waits, db); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while another holds the lock: %v", err)
	}
	if err := database.Migrate(t.Context(), open(t, servertest.MySQL(t), 2)); err != nil {
		t.Errorf("of another database: %v", err)
	}
	if _, err := holder.ExecContext(t.Context(), "DO RELEASE_LOCK(CONCAT('neticket.migrate.', DATABASE()))"); err != nil {
		t.Fatal(err)
	}
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	if err := database.Migrate(t.Context(), db); err != nil {
		t.Errorf("once it is free: %v", err)
	}
}
