package stream

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
)

// Collector tells Prometheus how many entries wait in each shard and for how long the oldest has. It asks Redis at each
// scrape. Only the flusher registers it: it describes the whole system, not a process.
type Collector struct {
	group        *Group
	log          *slog.Logger
	entries, age *prometheus.Desc
}

// NewCollector returns a collector for the group's streams.
func NewCollector(group *Group, log *slog.Logger) *Collector {
	labels := []string{"shard"}
	return &Collector{group: group, log: log,
		entries: prometheus.NewDesc("neticket_stream_entries", "Entries that are not settled yet.", labels, nil),
		age: prometheus.NewDesc("neticket_stream_oldest_entry_age_seconds",
			"Age of the oldest entry that is not settled yet, by Redis's clock; 0 when there is none.", labels, nil)}
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- c.entries
	descriptions <- c.age
}

// Collect implements prometheus.Collector. While Redis is away there are no values, rather than wrong ones.
func (c *Collector) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	pipe := c.group.client.Pipeline()
	clock := pipe.Time(ctx)
	lengths := make([]*redis.IntCmd, len(c.group.shards))
	oldest := make([]*redis.XMessageSliceCmd, len(c.group.shards))
	for i, shard := range c.group.shards {
		lengths[i] = pipe.XLen(ctx, shard.Entries)
		oldest[i] = pipe.XRangeN(ctx, shard.Entries, "-", "+", 1)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		c.log.Warn("the streams could not be measured for this scrape", "error", err)
		return
	}
	for i := range c.group.shards {
		shard := strconv.Itoa(i)
		metrics <- prometheus.MustNewConstMetric(c.entries, prometheus.GaugeValue, float64(lengths[i].Val()), shard)
		metrics <- prometheus.MustNewConstMetric(c.age, prometheus.GaugeValue, age(oldest[i].Val(), clock.Val()).Seconds(), shard)
	}
}

// age returns how long the first of the entries has been there, 0 where there is none.
func age(entries []Entry, now time.Time) time.Duration {
	if len(entries) == 0 {
		return 0
	}
	return ageOf(entries[0].ID, now)
}

// ageOf returns how long ago the entry of an id was made; 0 for what is no id.
func ageOf(id string, now time.Time) time.Duration {
	text, _, _ := strings.Cut(id, "-")
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return max(0, now.Sub(time.UnixMilli(ms)))
}
