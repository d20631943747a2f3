package servertest_test

import (
	"database/sql"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"

	"github.com/neticket/neticket/internal/devserver"
	"github.com/neticket/neticket/internal/devserver/servertest"
)

func TestRedisIsOurOwn(t *testing.T) {
	t.Parallel()
	first := servertest.Client(t, servertest.Redis(t))
	second := servertest.Client(t, servertest.Redis(t))
	if err := first.Set(t.Context(), "key", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if n, err := second.Exists(t.Context(), "key").Result(); err != nil || n != 0 {
		t.Errorf("the second server has %d keys of the first, error %v", n, err)
	}
}

func TestRedisOptions(t *testing.T) {
	t.Parallel()
	server := servertest.Redis(t, func(o *devserver.RedisOptions) {
		o.AppendFsync = "always"
		o.ExtraArgs = []string{"--maxmemory", "50mb"}
	})
	client := servertest.Client(t, server)
	for name, want := range map[string]string{
		"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction", "save": "",
		"maxmemory": "52428800", "bind": "127.0.0.1",
	} {
		got, err := client.ConfigGet(t.Context(), name).Result()
		if err != nil {
			t.Fatal(err)
		}
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}

func TestMySQLIsEmptyAndOurOwn(t *testing.T) {
	t.Parallel()
	first, second := open(t, servertest.MySQL(t)), open(t, servertest.MySQL(t))
	for _, db := range []*sql.DB{first, second} { // fails if they are the same
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE a (id INT PRIMARY KEY)"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMySQLIsDropped(t *testing.T) {
	t.Parallel()
	var dsn string
	t.Run("a test", func(t *testing.T) { dsn = servertest.MySQL(t) })
	if err := open(t, dsn).PingContext(t.Context()); err == nil {
		t.Error("the database is still there after the test that made it")
	}
}

func TestMariaDBIsOurOwn(t *testing.T) {
	t.Parallel()
	server := servertest.MariaDB(t)
	db := open(t, server.DSN("neticket"))
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE a (id INT PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, server.RootDSN("")).ExecContext(t.Context(), "SET GLOBAL max_connections = 17"); err != nil {
		t.Fatal(err)
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	servertest.Eventually(t, 5*time.Second, "the table is there after a kill", func() bool {
		_, err := db.ExecContext(t.Context(), "INSERT INTO a VALUES (1)")
		return err == nil
	})
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
