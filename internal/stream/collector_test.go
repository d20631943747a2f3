package stream_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/stream"
)

func nothing(context.Context, *desk, int, []stream.Entry) error { return nil }

func fails(context.Context, *desk, int, []stream.Entry) error { return errors.New("fails") }

// value returns a metric's value, of the series that has the label value, where one is given.
func value(t *testing.T, from prometheus.Gatherer, name string, label ...string) float64 {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == name && (len(label) == 0 || metric.GetLabel()[0].GetValue() == label[0]) {
				return metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
			}
		}
	}
	return -1 // there is none
}

func TestCollector(t *testing.T) {
	t.Parallel()
	const entries, age = "neticket_stream_entries", "neticket_stream_oldest_entry_age_seconds"
	d := newDesk(t)
	registry := prometheus.NewRegistry()
	registry.MustRegister(stream.NewCollector(stream.NewGroup(d.Client, group, shards), slog.New(slog.DiscardHandler)))
	want := func(name, shard string, least, most float64) {
		t.Helper()
		if got := value(t, registry, name, shard); got < least || got > most {
			t.Errorf("%s of shard %s is %v, want %v to %v", name, shard, got, least, most)
		}
	}
	want(entries, "0", 0, 0) // a stream that is not there
	want(age, "0", 0, 0)
	d.open(t)
	d.add(t, 0, 1, 3)
	now := d.Time(t.Context()).Val().UnixMilli()
	for i, ms := range []int64{now - 90_000, now - 80_000} {
		if err := d.XAdd(t.Context(), &redis.XAddArgs{Stream: shards[1].Entries, ID: fmt.Sprint(ms, "-0"), Values: []any{"n", i}}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	d.die(t, 1, "dead", 0) // read, but not settled
	want(entries, "0", 3, 3)
	want(age, "0", 0, 60)
	want(entries, "1", 2, 2)
	want(age, "1", 90, 150)
	if err := d.server.Kill(); err != nil {
		t.Fatal(err)
	}
	want(entries, "0", -1, -1)
	want(age, "1", -1, -1)
}
