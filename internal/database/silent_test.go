package database_test

import (
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
)

// A process that hangs in a transaction, or whose machine is gone, holds its locks for a bounded time.
func TestSilentTransactionLosesItsLocks(t *testing.T) {
	t.Parallel()
	dsn := servertest.MySQL(t)
	silent, other := open(t, withParameter(dsn, "wait_timeout=1"), 2), open(t, dsn, 2)
	exec(t, other, "CREATE TABLE a (id INT PRIMARY KEY, n INT)")
	exec(t, other, "INSERT INTO a VALUES (1, 5)")
	tx, err := silent.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(t.Context(), "UPDATE a SET n = 6 WHERE id = 1"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	exec(t, other, "UPDATE a SET n = n + 10 WHERE id = 1")
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the lock was held for %v", took)
	}
	if err := tx.Commit(); err == nil {
		t.Error("a transaction that was ended could be committed")
	}
	var n int
	if err := other.QueryRowContext(t.Context(), "SELECT n FROM a").Scan(&n); err != nil || n != 15 {
		t.Errorf("n is %d, %v; want the other's change alone", n, err)
	}
	var within int
	if err := other.QueryRowContext(t.Context(), "SELECT @@SESSION.wait_timeout").Scan(&within); err != nil || within != 10 {
		t.Errorf("unless told otherwise a connection may be silent for %d s, %v; want 10", within, err)
	}
}

// withParameter adds a parameter to a DSN.
func withParameter(dsn, parameter string) string {
	if strings.Contains(dsn, "?") {
		return dsn + "&" + parameter
	}
	return dsn + "?" + parameter
}
