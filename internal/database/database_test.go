package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/devserver/servertest"
)

// open returns a pool on a database; it is closed when the test ends.
func open(t *testing.T, dsn string, conns int) *sql.DB {
	t.Helper()
	db, err := database.Open(dsn, conns)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func exec(t *testing.T, db *sql.DB, statement string, args ...any) sql.Result {
	t.Helper()
	result, err := db.ExecContext(t.Context(), statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// An update that changes nothing has matched its row all the same.
func TestUpdateReportsMatchedRows(t *testing.T) {
	t.Parallel()
	dsn := servertest.MySQL(t)
	plain, err := sql.Open("mysql", dsn) // the control: the driver as it is
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plain.Close() })
	db := open(t, dsn, 4)
	exec(t, db, "CREATE TABLE a (id INT PRIMARY KEY, n INT)")
	exec(t, db, "INSERT INTO a VALUES (1, 5)")
	for _, test := range []struct {
		name string
		db   *sql.DB
		want int64
	}{{"ours", db, 1}, {"the driver's", plain, 0}, {"whatever the DSN says", open(t, dsn+"?clientFoundRows=false", 4), 1}} {
		n, err := exec(t, test.db, "UPDATE a SET n = 5 WHERE id = 1").RowsAffected()
		if err != nil || n != test.want {
			t.Errorf("%s: %d rows, %v; want %d", test.name, n, err, test.want)
		}
	}
}

func TestSessionSettings(t *testing.T) {
	t.Parallel()
	dsn := servertest.MySQL(t)
	for _, options := range []string{"", "?time_zone=%27%2B09%3A00%27&sql_mode=%27%27&loc=Asia%2FSeoul&parseTime=false"} {
		db := open(t, dsn+options, 4)
		exec(t, db, "DROP TABLE IF EXISTS a")
		exec(t, db, "CREATE TABLE a (n TINYINT, s VARCHAR(3), at DATETIME(6))")
		for statement, code := range map[string]uint16{
			"INSERT INTO a (n) VALUES (300)": 1264, "INSERT INTO a (s) VALUES ('long')": 1406, "INSERT INTO a (at) VALUES ('0000-00-00')": 1292,
		} {
			_, err := db.ExecContext(t.Context(), statement)
			var answered *mysql.MySQLError
			if !errors.As(err, &answered) || answered.Number != code {
				t.Errorf("%q: %v, want error %d: the server must refuse what it cannot store", statement, err, code)
			}
		}
		at := time.Date(2026, 5, 3, 21, 0, 0, 123456000, time.FixedZone("KST", 9*3600))
		exec(t, db, "INSERT INTO a (at) VALUES (?)", at)
		var stored time.Time
		var text string
		var offset int
		err := db.QueryRowContext(t.Context(), "SELECT at, CAST(at AS CHAR), TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), NOW()) FROM a").Scan(&stored, &text, &offset)
		if err != nil || stored != at.UTC() || text != "2026-05-03 12:00:00.123456" || offset != 0 {
			t.Errorf("stored %v as %q, the session is %d s off UTC, %v; want %v", stored, text, offset, err, at.UTC())
		}
	}
}

func TestPoolIsBounded(t *testing.T) {
	t.Parallel()
	db := open(t, servertest.MySQL(t), 2)
	for range 2 {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := db.PingContext(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a third connection: %v", err)
	}
}

// A DSN that cannot be read is not told: it holds a password.
func TestBadDSNHidesThePassword(t *testing.T) {
	t.Parallel()
	const password = "hunter2"
	for _, dsn := range []string{
		"user:" + password, "user:" + password + "@tcp(host:3306", "user:" + password + "@tcp(host:3306)", "user:" + password + "@what/db",
		"user:" + password + "@tcp(host:3306)/db?timeout=" + password, "user:" + password + "@tcp(host:3306)/db?tls=" + password,
		"mysql://user:" + password + "@host/db?x=%zz", "user:" + password + "@tcp(host:3306)/db?loc=" + password,
		"user:" + password + "@tcp(host:3306)/db?collation=" + password + "&maxAllowedPacket=x",
	} {
		db, err := database.Open(dsn, 1)
		if err == nil {
			t.Errorf("accepted %q", dsn)
			_ = db.Close()
			continue
		}
		for unwrapped := err; unwrapped != nil; unwrapped = errors.Unwrap(unwrapped) {
			if strings.Contains(fmt.Sprintf("%+v", unwrapped), password) {
				t.Errorf("the error tells the password: %v", unwrapped)
			}
		}
	}
}

// Nor does a server that refuses it, or is not there.
func TestConnectErrorHidesThePassword(t *testing.T) {
	t.Parallel()
	const password = "hunter2"
	config, err := mysql.ParseDSN(servertest.MySQL(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{config.Addr, "127.0.0.1:1"} {
		config.Passwd, config.Addr = password, addr
		if err := open(t, config.FormatDSN(), 1).PingContext(t.Context()); err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("%s: got %v; want an error without the password", addr, err)
		}
	}
}
