package stream_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/neticket/neticket/internal/devserver"
	"github.com/neticket/neticket/internal/devserver/servertest"
	"github.com/neticket/neticket/internal/stream"
)

const group = "readers"

var shards = []stream.Shard{{Entries: "{0}entries", Dead: "{0}dead"}, {Entries: "{1}entries", Dead: "{1}dead"}}

// desk is a handler that remembers what it was handed, and a client that does by hand what others would.
type desk struct {
	*redis.Client
	server *devserver.Redis
	handle func(ctx context.Context, d *desk, shard int, entries []stream.Entry) error

	mu       sync.Mutex
	batches  [][]string // "shard:n" of each entry
	vanished [2]int
}

// newDesk has a server of its own. Entries are settled unless handle is set.
func newDesk(t *testing.T) *desk {
	t.Helper()
	server := servertest.Redis(t)
	return &desk{Client: servertest.Client(t, server), server: server, handle: settleAll}
}

// settleAll acks and deletes entries, as a handler does that has nothing left to do for them.
func settleAll(ctx context.Context, d *desk, shard int, entries []stream.Entry) error {
	for _, e := range entries {
		if err := errors.Join(d.XAck(ctx, shards[shard].Entries, group, e.ID).Err(), d.XDel(ctx, shards[shard].Entries, e.ID).Err()); err != nil {
			return err
		}
	}
	return nil
}

// Handle implements stream.Handler.
func (d *desk) Handle(ctx context.Context, shard int, entries []stream.Entry) error {
	batch := make([]string, len(entries))
	for i, e := range entries {
		batch[i] = fmt.Sprintf("%d:%v", shard, e.Values["n"])
	}
	d.mu.Lock()
	d.batches = append(d.batches, batch)
	d.mu.Unlock()
	return d.handle(ctx, d, shard, entries)
}

// Vanished implements stream.Handler.
func (d *desk) Vanished(_ context.Context, shard int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.vanished[shard]++
}

func (d *desk) told(shard int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.vanished[shard]
}

// handed returns what the desk was handed of a shard, one after the other.
func (d *desk) handed(shard int) (all []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, entry := range slices.Concat(d.batches...) {
		if strings.HasPrefix(entry, fmt.Sprint(shard, ":")) {
			all = append(all, entry)
		}
	}
	return all
}

// gets waits until the desk was handed that many entries of a shard.
func (d *desk) gets(t *testing.T, shard, n int) {
	t.Helper()
	servertest.Eventually(t, 15*time.Second, fmt.Sprintf("%d entries of shard %d are handed out", n, shard), func() bool { return len(d.handed(shard)) >= n })
}

// open makes the groups of the shards, or of both where none is named.
func (d *desk) open(t *testing.T, which ...int) {
	t.Helper()
	for shard := range shards {
		if len(which) > 0 && !slices.Contains(which, shard) {
			continue
		}
		if err := d.XGroupCreateMkStream(t.Context(), shards[shard].Entries, group, "0").Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// add appends entries numbered from first to last.
func (d *desk) add(t *testing.T, shard, first, last int) (ids []string) {
	t.Helper()
	for n := first; n <= last; n++ {
		id, err := d.XAdd(t.Context(), &redis.XAddArgs{Stream: shards[shard].Entries, Values: []any{"n", n}}).Result()
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

// die has a consumer read all that is new in a shard and never be heard of again, since that long.
func (d *desk) die(t *testing.T, shard int, consumer string, silent time.Duration) {
	t.Helper()
	streams, err := d.XReadGroup(t.Context(), &redis.XReadGroupArgs{Group: group, Consumer: consumer,
		Streams: []string{shards[shard].Entries, ">"}, Block: -1}).Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range streams[0].Messages {
		if err := d.Do(t.Context(), "XCLAIM", shards[shard].Entries, group, consumer, 0, e.ID, "IDLE", silent.Milliseconds()).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// consumers names the consumers of a shard with the entries that each owns.
func (d *desk) consumers(t *testing.T, shard int) map[string]int64 {
	t.Helper()
	list, err := d.XInfoConsumers(t.Context(), shards[shard].Entries, group).Result()
	if err != nil {
		t.Fatal(err)
	}
	owned := map[string]int64{}
	for _, consumer := range list {
		owned[consumer.Name] = consumer.Pending
	}
	return owned
}

// calls counts the commands of a client by name.
type calls struct {
	mu    sync.Mutex
	count map[string]int
}

func (*calls) DialHook(next redis.DialHook) redis.DialHook { return next }
func (*calls) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
func (c *calls) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		err := next(ctx, command)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.count[command.Name()]++
		return err
	}
}

func (c *calls) of(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count[name]
}

// reader is a reader under test.
type reader struct {
	*stream.Reader
	desk *desk
	*calls
	metrics *prometheus.Registry
}

// newReader returns a reader with a client of its own that hands entries to the desk.
func newReader(t *testing.T, d *desk, options stream.Options) reader {
	t.Helper()
	client := servertest.Client(t, d.server)
	count := &calls{count: map[string]int{}}
	client.AddHook(count)
	registry := prometheus.NewRegistry()
	return reader{stream.NewReader(stream.NewGroup(client, group, shards), d, options, slog.New(slog.DiscardHandler), registry), d, count, registry}
}

// start runs a reader until the returned function is called or the test ends, and waits for it.
func (r reader) start(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := r.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		r.desk.awake(done)
	})
	t.Cleanup(stop)
	return stop
}

// awake ends reads that wait for new entries, as the end of their time would, until done is closed: so that no test waits for it.
func (d *desk) awake(done <-chan struct{}) {
	ctx := context.Background()
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-done:
			return
		case <-poll.C:
		}
		for client := range strings.Lines(d.ClientList(ctx).Val()) {
			var id int64
			if n, err := fmt.Sscanf(client, "id=%d", &id); n == 1 && err == nil && strings.Contains(client, "cmd=xreadgroup") {
				d.ClientUnblock(ctx, id)
			}
		}
	}
}
