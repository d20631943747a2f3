package ops_test

import (
	"bytes"
	"database/sql"
	"log/slog"
	"runtime"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/ops"
)

func TestNewLogger(t *testing.T) {
	t.Parallel()
	tests := map[string]string{"json": `"msg":"shown","n":1}`, "text": "msg=shown n=1"}
	for format, want := range tests {
		var out bytes.Buffer
		log := ops.NewLogger(&out, slog.LevelInfo, format)
		log.Debug("hidden")
		log.Info("shown", "n", 1)
		if got := out.String(); !strings.Contains(got, want) || strings.Contains(got, "hidden") {
			t.Errorf("%s: %s", format, got)
		}
	}
}

func TestNewRegistry(t *testing.T) {
	t.Parallel()
	if build := ops.ReadBuild(); build.Go != runtime.Version() || build.Version == "" || build.Revision == "" {
		t.Errorf("build %+v", build)
	}
	reg := ops.NewRegistry(ops.Build{Version: "v1", Revision: "abc", Go: "go1"})
	want := `
# HELP neticket_build_info 1; its labels say what the process was built of.
# TYPE neticket_build_info gauge
neticket_build_info{go="go1",revision="abc",version="v1"} 1
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "neticket_build_info"); err != nil {
		t.Error(err)
	}
	if n, err := testutil.GatherAndCount(reg, "go_goroutines", "process_start_time_seconds"); n != 2 {
		t.Errorf("%d runtime metrics, %v", n, err)
	}
}

func TestPools(t *testing.T) {
	t.Parallel()
	connector, err := mysql.NewConnector(mysql.NewConfig()) // never dialled
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(7)
	reg := prometheus.NewPedanticRegistry()
	ops.RegisterSQLPool(reg, db)

	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"}) // never dialled
	t.Cleanup(func() { _ = client.Close() })
	ops.RegisterRedisPool(reg, "booking", client.PoolStats)
	stats := redis.PoolStats{Hits: 1, Misses: 2, Timeouts: 3, WaitCount: 4, WaitDurationNs: 5e8, StaleConns: 6, TotalConns: 7, IdleConns: 8, PendingRequests: 9}
	ops.RegisterRedisPool(reg, "streams", func() *redis.PoolStats { return &stats })

	const mysqlMetrics, mainPool, bothPools = 6, 9, 18
	if n, err := testutil.GatherAndCount(reg); n != mysqlMetrics+mainPool+bothPools {
		t.Errorf("%d metrics, %v", n, err)
	}
	want := `
# HELP neticket_mysql_pool_max_open Connections that may be open.
# TYPE neticket_mysql_pool_max_open gauge
neticket_mysql_pool_max_open 7
# HELP neticket_redis_pool_wait_seconds_total Time spent waiting for a connection.
# TYPE neticket_redis_pool_wait_seconds_total counter
neticket_redis_pool_wait_seconds_total{pool="booking"} 0
neticket_redis_pool_wait_seconds_total{pool="booking-pipelines"} 0
neticket_redis_pool_wait_seconds_total{pool="streams"} 0.5
`
	err = testutil.GatherAndCompare(reg, strings.NewReader(want), "neticket_mysql_pool_max_open", "neticket_redis_pool_wait_seconds_total")
	if err != nil {
		t.Error(err)
	}
}
