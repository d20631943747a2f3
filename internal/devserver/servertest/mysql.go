package servertest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/neticket/neticket/internal/devserver"
)

// dsnVariable names a server to use in place of our own, so that the workflow can test against MySQL as well: a DSN of
// go-sql-driver without a database, whose user may create databases.
const dsnVariable = "NETICKET_TEST_MYSQL_DSN"

// shared is the MariaDB of this process, started by the first test that wants a database. It is a global because only
// the end of the process ends it: the reaper of devserver does.
var shared = sync.OnceValues(func() (*devserver.MariaDB, error) { return startMariaDB(context.Background()) })

// MySQL makes an empty database, in utf8mb4, for this test alone, and returns its DSN for go-sql-driver/mysql without
// any options. It is dropped when the test ends. Global settings of the server belong to all tests: who changes them, or
// kills the server, takes MariaDB instead.
func MySQL(t testing.TB) (dsn string) {
	t.Helper()
	server := os.Getenv(dsnVariable)
	if server == "" {
		own, err := shared()
		if err != nil {
			t.Fatal(err)
		}
		server = own.DSN("")
	}
	config, err := mysql.ParseDSN(server)
	if err != nil {
		t.Fatalf("parse %s: %v", dsnVariable, err)
	}
	name := "neticket_test_" + strings.ToLower(rand.Text())
	execute(t, server, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4")
	t.Cleanup(func() { execute(t, server, "DROP DATABASE "+name) })
	config.DBName = name
	return config.FormatDSN()
}

// MariaDB starts a server for this test alone, which ends with the test. It takes a tenth of a second or two. Commits
// survive Kill.
func MariaDB(t testing.TB) *devserver.MariaDB {
	t.Helper()
	server, err := startMariaDB(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, server)
	return server
}

func execute(t testing.TB, dsn, statement string) {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	// Not the test's context: that one is over when clean-up begins.
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		t.Errorf("%s: %v", statement, err)
	}
}
