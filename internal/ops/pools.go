package ops

import (
	"database/sql"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
)

// RegisterSQLPool shows how the connections of db are used and waited for, as neticket_mysql_pool_*. It panics when a
// pool is registered already.
func RegisterSQLPool(reg prometheus.Registerer, db *sql.DB) {
	reg.MustRegister(pool{prefix: "neticket_mysql_pool_", read: func(show show) {
		s := db.Stats()
		show("waits_total", "Waits for a connection.", float64(s.WaitCount))
		show("wait_seconds_total", "Time spent waiting for a connection.", s.WaitDuration.Seconds())
		show("max_open", "Connections that may be open.", float64(s.MaxOpenConnections))
		show("open", "Open connections.", float64(s.OpenConnections))
		show("in_use", "Connections in use.", float64(s.InUse))
		show("idle", "Idle connections.", float64(s.Idle))
	}})
}

// RegisterRedisPool shows how the connections of a Redis client are used and waited for, as
// neticket_redis_pool_*{pool=name}. A client that keeps a second pool for pipelines shows it as name-pipelines. It panics
// when name is registered already. The counters of go-redis have 32 bits; a wrap looks like a restart to Prometheus.
func RegisterRedisPool(reg prometheus.Registerer, name string, stats func() *redis.PoolStats) {
	reg.MustRegister(
		redisPool(name, stats),
		redisPool(name+"-pipelines", func() *redis.PoolStats { return (*redis.PoolStats)(stats().PipelineStats) }),
	)
}

// redisPool shows nothing while there are no stats.
func redisPool(name string, stats func() *redis.PoolStats) pool {
	return pool{prefix: "neticket_redis_pool_", labels: prometheus.Labels{"pool": name}, read: func(show show) {
		s := stats()
		if s == nil {
			return
		}
		show("hits_total", "Times a free connection was found.", float64(s.Hits))
		show("misses_total", "Times no free connection was found.", float64(s.Misses))
		show("timeouts_total", "Waits for a connection that timed out.", float64(s.Timeouts))
		show("waits_total", "Waits for a connection.", float64(s.WaitCount))
		show("wait_seconds_total", "Time spent waiting for a connection.", float64(s.WaitDurationNs)/1e9)
		show("stale_total", "Stale connections removed.", float64(s.StaleConns))
		show("waiting", "Requests that wait for a connection.", float64(s.PendingRequests))
		show("open", "Open connections.", float64(s.TotalConns))
		show("idle", "Idle connections.", float64(s.IdleConns))
	}}
}

// pool is a collector that reads the statistics of one pool once per scrape. A name that ends in _total is a counter's.
type pool struct {
	prefix string
	labels prometheus.Labels
	read   func(show)
}

type show func(name, help string, value float64)

// Describe implements prometheus.Collector.
func (p pool) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(p, out) }

// Collect implements prometheus.Collector.
func (p pool) Collect(out chan<- prometheus.Metric) {
	p.read(func(name, help string, value float64) {
		kind := prometheus.GaugeValue
		if strings.HasSuffix(name, "_total") {
			kind = prometheus.CounterValue
		}
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc(p.prefix+name, help, nil, p.labels), kind, value)
	})
}
