package database_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/devserver/servertest"
)

func count(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM a").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTransact(t *testing.T) {
	t.Parallel()
	db := open(t, servertest.MySQL(t), 2)
	exec(t, db, "CREATE TABLE a (id INT PRIMARY KEY)")
	refused := errors.New("refused")
	insert := func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), "INSERT INTO a VALUES (1)")
		return err
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		name string
		ctx  context.Context
		do   func(tx *sql.Tx) error
		want error
	}{
		{"an error", t.Context(), func(tx *sql.Tx) error { return errors.Join(insert(tx), refused) }, refused},
		{"a context that is over", over, insert, context.Canceled},
		{"a transaction that is over", t.Context(), func(tx *sql.Tx) error { return errors.Join(insert(tx), tx.Rollback()) }, sql.ErrTxDone},
	} {
		if err := database.Transact(test.ctx, db, test.do); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		if n := count(t, db); n != 0 {
			t.Errorf("%s: %d rows were committed", test.name, n)
		}
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a panic was swallowed")
			}
		}()
		_ = database.Transact(t.Context(), db, func(tx *sql.Tx) error { panic(insert(tx)) })
	}()
	if n := count(t, db); n != 0 {
		t.Errorf("after a panic %d rows were committed", n)
	}
	for range 3 { // no connection is lost in any of this: the pool has 2
		if err := database.Transact(t.Context(), db, func(tx *sql.Tx) error { return nil }); err != nil {
			t.Error(err)
		}
	}
	if err := database.Transact(t.Context(), db, insert); err != nil || count(t, db) != 1 {
		t.Errorf("%v, %d rows; want it committed", err, count(t, db))
	}
}

// A statement sees what was committed before it began: plan relies on it.
func TestTransactReadsCommitted(t *testing.T) {
	t.Parallel()
	db := open(t, servertest.MySQL(t), 4)
	exec(t, db, "CREATE TABLE a (id INT PRIMARY KEY)")
	err := database.Transact(t.Context(), db, func(tx *sql.Tx) error {
		for want := range 3 {
			var n int
			if err := tx.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM a").Scan(&n); err != nil {
				return err
			}
			if n != want {
				t.Errorf("sees %d rows, want %d", n, want)
			}
			exec(t, db, "INSERT INTO a VALUES (?)", want) // by somebody else
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
