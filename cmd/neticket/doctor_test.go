package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/database"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/diagnosis"
	"github.com/neticket/neticket/internal/stock"
	"github.com/neticket/neticket/internal/system/systemtest"
)

// examine returns what the doctor says, as JSON tells it, and checks that the exit status fits.
func (c cli) examine(t *testing.T) examined {
	t.Helper()
	status, out, logs := c.run(t, "doctor", "--json")
	var found examined
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		t.Fatalf("%v: %q, %q", err, out, logs)
	}
	if found.Healthy != (status == 0) || found.Healthy != (found.Faults == 0) || found.Healthy != (logs == "") {
		t.Errorf("exit status %d, logged %q: %+v", status, logs, found)
	}
	return found
}

// wants reports what is found of a check, and fails unless it has that severity and, where it is not ok, says how to mend it.
func (e examined) wants(t *testing.T, name string, severity diagnosis.Severity, check, says string) {
	t.Helper()
	for _, f := range e.Findings {
		if f.Check == check && f.Severity == severity && strings.Contains(f.Detail, says) && (f.Mend == "") == (severity == diagnosis.OK) {
			return
		}
	}
	t.Errorf("%s: no %s of %s with %q in %+v", name, severity, check, says, e.Findings)
}

// healthy returns a deployment in which all that the doctor looks for is as it should be, on a MySQL of its own, and a show of it.
func healthy(t *testing.T) (c cli, rig *systemtest.Rig, root string, show int64) {
	t.Helper()
	server := servertest.MariaDB(t)
	c = cli{servers: systemtest.Servers{DSN: server.DSN("neticket"), Redis: servertest.Redis(t)}}
	c.env = environ{"NETICKET_MYSQL_DSN=" + c.servers.DSN, "NETICKET_REDIS_ADDRS=" + c.servers.Redis.Addr()}
	rig = systemtest.On(t, c.servers)
	rig.Work(t, "worker")
	if err := rig.Stock.FixShards(t.Context(), rig.Config.Shards); err != nil {
		t.Fatal(err)
	}
	show = rig.Show(t, 10, 0)
	if _, err := rig.Resyncer.Resync(t.Context(), show, "test"); err != nil {
		t.Fatal(err)
	}
	flusher := stock.NewFlusher(rig.Ledger, rig.Stock, rig.Healer, time.Minute, rig.Observers(rig.Registry))
	if _, err := flusher.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	root = server.RootDSN("neticket")
	return c, rig, root, show
}

// Every fault is made on real servers, found, and mended; afterwards the deployment is healthy again.
func TestDoctor(t *testing.T) {
	t.Parallel()
	c, rig, rootDSN, show := healthy(t)
	root, err := database.Open(rootDSN, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	sql := func(statement string) func() {
		return func() {
			t.Helper()
			if _, err := root.ExecContext(t.Context(), statement); err != nil {
				t.Errorf("%s: %v", statement, err)
			}
		}
	}
	do := func(command ...any) func() {
		return func() {
			t.Helper()
			if err := rig.Redis.Do(t.Context(), command...).Err(); err != nil {
				t.Errorf("%v: %v", command, err)
			}
		}
	}
	set := func(variable string) func() { return func() { c.env = c.env.with(variable) } }
	set("NETICKET_MAX_CONNECTIONS=100")()                  // whatever this machine allows
	sql("SET GLOBAL innodb_flush_log_at_trx_commit = 1")() // servers of tests are fast
	if found := c.examine(t); !found.Healthy || found.Warnings != 0 || len(found.Findings) < 20 {
		t.Fatalf("healthy: %+v", found)
	}
	if out := c.mustRun(t, "doctor"); !strings.Contains(out, "\nHealthy: no faults, 0 warnings.\n") || !strings.Contains(out, "appendfsync is everysec") {
		t.Errorf("healthy: printed %s", out)
	}

	hash, dead := rig.Shards.Show(show), rig.Shards.Dead(3)
	quiet := rig.Shards.Entries((rig.Shards.Of(show) + 1) % rig.Shards.Len()) // the stream of a shard that sold nothing
	old := func(ago time.Duration) string { return fmt.Sprintf("%d-0", time.Now().Add(-ago).UnixMilli()) }
	for name, test := range map[string]struct {
		spoil, mend func()
		severity    diagnosis.Severity
		check, says string
	}{
		"eviction":           {do("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"), do("CONFIG", "SET", "maxmemory-policy", "noeviction"), "fault", "redis.eviction", `"allkeys-lru"`},
		"AOF off":            {do("CONFIG", "SET", "appendonly", "no"), do("CONFIG", "SET", "appendonly", "yes"), "fault", "redis.aof", "appendonly must be yes"},
		"no fsync":           {do("CONFIG", "SET", "appendfsync", "no"), do("CONFIG", "SET", "appendfsync", "everysec"), "warning", "redis.aof", "appendfsync is no"},
		"memory nearly full": {do("CONFIG", "SET", "maxmemory", "1000000"), do("CONFIG", "SET", "maxmemory", "0"), "fault", "redis.memory", "of maxmemory"},
		"few connections":    {do("CONFIG", "SET", "maxclients", "200"), do("CONFIG", "SET", "maxclients", "10000"), "warning", "redis.clients", "maxclients is 200"},
		"replicas missing":   {do("CONFIG", "SET", "min-replicas-to-write", "1"), do("CONFIG", "SET", "min-replicas-to-write", "0"), "fault", "redis.replicas", "min-replicas-to-write is 1"},
		"dead letter":        {do("XADD", dead, "*", "entry", "1-1"), do("DEL", dead), "warning", "streams.dead_letters", "1 entries"},
		"late entry":         {do("XADD", quiet, old(2*time.Minute), "a", "b"), do("DEL", quiet), "warning", "streams.backlog", "the oldest for 2m"},
		"stuck entry":        {do("XADD", quiet, old(6*time.Minute), "a", "b"), do("DEL", quiet), "fault", "streams.backlog", "the oldest for 6m"},
		"drift":              {do("HINCRBY", hash, "left", 5), do("HINCRBY", hash, "left", -5), "fault", "stock.drift", fmt.Sprintf("show %d", show)},
		"a dead holder":      {do("HSET", hash, "state", "paused", "paused_at", 1, "token", "x"), do("HSET", hash, "state", "open"), "fault", "stock.stuck", fmt.Sprintf("show %d", show)},

		"read-only":        {sql("SET GLOBAL read_only = 1"), sql("SET GLOBAL read_only = 0"), "fault", "mysql.read_only", "read_only=ON"},
		"writes refused":   {sql("SET GLOBAL read_only = 1"), sql("SET GLOBAL read_only = 0"), "fault", "mysql.writes", "read-only"},
		"no flush at all":  {sql("SET GLOBAL innodb_flush_log_at_trx_commit = 0"), sql("SET GLOBAL innodb_flush_log_at_trx_commit = 1"), "fault", "mysql.durability", "when MySQL crashes"},
		"no flush to disk": {sql("SET GLOBAL innodb_flush_log_at_trx_commit = 2"), sql("SET GLOBAL innodb_flush_log_at_trx_commit = 1"), "warning", "mysql.durability", "when the machine crashes"},
		"tiny packets":     {sql("SET GLOBAL max_allowed_packet = 1048576"), sql("SET GLOBAL max_allowed_packet = 16777216"), "fault", "mysql.packet", "1048576 bytes"},
		"small packets":    {sql("SET GLOBAL max_allowed_packet = 8388608"), sql("SET GLOBAL max_allowed_packet = 16777216"), "warning", "mysql.packet", "8388608 bytes"},
		"few sessions":     {sql("SET GLOBAL max_connections = 60"), sql("SET GLOBAL max_connections = 500"), "warning", "mysql.connections", "max_connections is 60, and the pools of all processes may grow to 96"},
		"old schema":       {sql("UPDATE goose_db_version SET version_id = -version_id ORDER BY version_id DESC LIMIT 1"), sql("UPDATE goose_db_version SET version_id = -version_id WHERE version_id < 0"), "fault", "mysql.schema", "must have"},
		"new schema":       {sql("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)"), sql("DELETE FROM goose_db_version WHERE version_id = 9999"), "fault", "mysql.schema", "has version 9999"},
		"other engine":     {sql("ALTER TABLE audit_log ENGINE = MyISAM"), sql("ALTER TABLE audit_log ENGINE = InnoDB"), "fault", "mysql.tables", "audit_log (MyISAM"},
		"other characters": {sql("ALTER TABLE audit_log CONVERT TO CHARACTER SET latin1"), sql("ALTER TABLE audit_log CONVERT TO CHARACTER SET utf8mb4"), "fault", "mysql.tables", "latin1"},
		"no write-back":    {sql("UPDATE deployment SET value = UTC_TIMESTAMP(3) - INTERVAL 5 MINUTE WHERE name = 'flushed'"), sql("UPDATE deployment SET value = UTC_TIMESTAMP(3) WHERE name = 'flushed'"), "fault", "flusher.write_back", "5m"},
		"shards":           {sql("UPDATE deployment SET value = '4' WHERE name = 'shards'"), sql("UPDATE deployment SET value = '16' WHERE name = 'shards'"), "fault", "settings.shards", "16 here, 4 there"},
		"few files":        {set("NETICKET_MAX_CONNECTIONS=1000000"), set("NETICKET_MAX_CONNECTIONS=100"), "warning", "host.files", "NETICKET_MAX_CONNECTIONS is 1000000"},
	} {
		test.spoil()
		c.examine(t).wants(t, name, test.severity, test.check, test.says)
		test.mend()
	}
	if found := c.examine(t); !found.Healthy || found.Warnings != 0 {
		t.Fatalf("healthy again: %+v", found)
	}
}

// A doctor that changed something would be no doctor: nothing is stored, made or stamped.
func TestDoctorOfNothing(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	c.examine(t).wants(t, "no schema", diagnosis.Fault, "mysql.schema", "there is no schema")
	db, err := database.Open(c.servers.DSN, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var tables int
	if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()").Scan(&tables); err != nil || tables != 0 {
		t.Errorf("%d tables were made, %v", tables, err)
	}

	rig := systemtest.Unguarded(t, c.servers)
	found := c.examine(t)
	found.wants(t, "nobody there", diagnosis.Fault, "stock.guardians", "no process runs")
	found.wants(t, "nobody there", diagnosis.Fault, "flusher.write_back", "never")
	found.wants(t, "nothing sold", diagnosis.OK, "streams.workers", "nothing was sold yet")
	found.wants(t, "not fixed", diagnosis.OK, "settings.shards", "stored by the first process")
	var rows int
	if err := rig.DB.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM deployment").Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rows were stored, %v", rows, err)
	}
	if keys := rig.Redis.Keys(t.Context(), "*").Val(); len(keys) != 0 {
		t.Errorf("keys were made: %v", keys)
	}
}

func TestDoctorMissesProcesses(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	rig := systemtest.Unguarded(t, c.servers)
	unguard := systemtest.Go(t, rig.Guardian.Run)
	stop := rig.Work(t, "worker")
	servertest.Eventually(t, 10*time.Second, "the fence opens", func() bool { return rig.Ledger.CheckFence(t.Context()) == nil })
	if _, err := rig.Resyncer.Resync(t.Context(), rig.Show(t, 10, 0), "test"); err != nil {
		t.Fatal(err)
	}
	found := c.examine(t)
	found.wants(t, "a worker that waits", diagnosis.OK, "streams.workers", "workers read")
	found.wants(t, "a guardian", diagnosis.OK, "stock.guardians", "")
	stop()
	c.examine(t).wants(t, "the worker is gone", diagnosis.Fault, "streams.workers", "no worker reads 1 of 1 streams")
	unguard()
	servertest.Eventually(t, 10*time.Second, "the guardian is gone", func() bool { return rig.Ledger.CheckFence(t.Context()) != nil })
	c.examine(t).wants(t, "the guardian is gone", diagnosis.Fault, "stock.guardians", "no process runs")
}

func TestDoctorWithoutServers(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	systemtest.Unguarded(t, c.servers)
	full := c.env

	c.env = full.with("NETICKET_MYSQL_DSN=kim:hunter2@tcp(127.0.0.1:1)/neticket")
	found := c.examine(t)
	found.wants(t, "no MySQL", diagnosis.Fault, "mysql.reachable", "refused")
	found.wants(t, "Redis all the same", diagnosis.OK, "redis.role", "master")
	if strings.Contains(fmt.Sprint(found), "hunter2") {
		t.Errorf("the password is told: %+v", found)
	}
	c.env = full.with("NETICKET_REDIS_ADDRS=127.0.0.1:1,127.0.0.1:2")
	found = c.examine(t)
	found.wants(t, "no Redis", diagnosis.Fault, "redis.reachable", "refused")
	found.wants(t, "MySQL all the same", diagnosis.OK, "mysql.schema", "")
	if status, out, _ := c.run(t, "doctor"); status != 1 || !strings.Contains(out, "-> start it, or set NETICKET_REDIS_ADDRS") || !strings.Contains(out, "Not healthy: ") {
		t.Errorf("%d, printed %s", status, out)
	}
	c.env = full.with("NETICKET_REDIS_ADDRS=" + c.servers.Redis.Addr() + "," + c.servers.Redis.Addr())
	c.examine(t).wants(t, "no cluster", diagnosis.Fault, "redis.reachable", "cluster")

	master := servertest.Redis(t)
	host, port, _ := strings.Cut(master.Addr(), ":")
	if err := servertest.Client(t, c.servers.Redis).ReplicaOf(t.Context(), host, port).Err(); err != nil {
		t.Fatal(err)
	}
	c.env = full
	c.examine(t).wants(t, "a replica", diagnosis.Fault, "redis.role", "replica of "+master.Addr())
	c.env = full.with("NETICKET_REDIS_ADDRS=" + master.Addr())
	servertest.Eventually(t, 20*time.Second, "the replica follows", func() bool {
		for _, f := range c.examine(t).Findings {
			if f.Check == "redis.replicas" && strings.Contains(f.Detail, "1 replicas follow") {
				return true
			}
		}
		return false
	})

	// The clock of a session, in place of a machine's.
	c.env = full.with("NETICKET_MYSQL_DSN=" + c.servers.DSN + "?timestamp=1000000000")
	c.examine(t).wants(t, "clocks", diagnosis.Fault, "clocks", "MySQL +0.000 s")
	c.env = full.with("NETICKET_MYSQL_DSN=" + c.servers.DSN + fmt.Sprintf("?timestamp=%d", time.Now().Unix()+5))
	c.examine(t).wants(t, "clocks", diagnosis.Warning, "clocks", "the clocks differ by ")
}

func TestDoctorOfSettings(t *testing.T) {
	t.Parallel()
	c := cli{env: environ{"NETICKET_SHARDS=none", "NETICKET_OPS_ADDR=8081", "NETICKET_TOKEN_SECRET=hunter2", "NETICKET_SHARD=1"}}
	found := c.examine(t)
	for _, name := range []string{"NETICKET_SHARDS", "NETICKET_OPS_ADDR", "NETICKET_TOKEN_SECRET"} {
		found.wants(t, name, diagnosis.Fault, "settings.value", name+" must be")
	}
	found.wants(t, "misspelt", diagnosis.Warning, "settings.name", "NETICKET_SHARD;")
	if found.Faults != 3 || found.Warnings != 1 || strings.Contains(fmt.Sprint(found), "hunter2") {
		t.Errorf("%+v", found)
	}
	c.env = environ{"NETICKET_TOKEN_SECRET=" + strings.Repeat("secret", 6), "NETICKET_REDIS_UNSAFE=true"}
	found = c.examine(t)
	found.wants(t, "guessable", diagnosis.Fault, "settings.token_secret", "can be guessed")
	found.wants(t, "unsafe", diagnosis.Warning, "settings.unsafe", "NETICKET_REDIS_UNSAFE")
	if strings.Contains(fmt.Sprint(found), "secretsecret") {
		t.Errorf("the secret is told: %+v", found)
	}
}
