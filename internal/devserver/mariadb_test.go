package devserver_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver"
)

func TestMariaDBForDevelopment(t *testing.T) {
	t.Parallel()
	// Too long for a unix socket, and with a blank.
	dir := filepath.Join(t.TempDir(), "a folder", strings.Repeat("long", 25))
	if err := os.MkdirAll(filepath.Join(dir, "data.new-123", "mysql"), 0o700); err != nil { // an interrupted start
		t.Fatal(err)
	}
	server, err := devserver.StartMariaDB(t.Context(), devserver.MariaDBOptions{Dir: dir, ExtraArgs: []string{"--max-connections=400"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	ours, root := open(t, server.DSN("neticket")), open(t, server.RootDSN(""))
	for name, want := range map[string]string{
		"innodb_flush_log_at_trx_commit": "1", "innodb_doublewrite": "1", "character_set_server": "utf8mb4",
		"max_connections": "400", "bind_address": "127.0.0.1",
	} {
		var got string
		if err := ours.QueryRowContext(t.Context(), "SELECT @@global."+name).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	execute(t, ours, "CREATE TABLE a (id INT PRIMARY KEY)")
	execute(t, root, "CREATE DATABASE other")
	if _, err := ours.ExecContext(t.Context(), "CREATE TABLE other.a (id INT PRIMARY KEY)"); err == nil {
		t.Error("neticket may write where it has no rights")
	}
	overTCP := strings.NewReplacer("neticket:neticket@", "root@").Replace(server.DSN(""))
	if err := open(t, overTCP).PingContext(t.Context()); err == nil {
		t.Error("root may log in over TCP")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "data.new-*")); len(left) > 0 {
		t.Errorf("left of an interrupted start: %v", left)
	}

	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := devserver.StartMariaDB(t.Context(), devserver.MariaDBOptions{Dir: dir, Port: server.Port()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = again.Kill(); _ = again.Close() })
	execute(t, open(t, again.DSN("neticket")), "INSERT INTO a VALUES (1)")
}

func TestMariaDBFirstStartInterrupted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := devserver.StartMariaDB(ctx, devserver.MariaDBOptions{Dir: dir, Fast: true})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v, want %v", err, context.DeadlineExceeded)
	}
	server, err := devserver.StartMariaDB(t.Context(), devserver.MariaDBOptions{Dir: dir, Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func execute(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
