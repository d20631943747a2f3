package stream

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// paceOver is over how long a pace is measured, at least: two looks at once would tell nothing.
	paceOver = time.Second
	// paceWithin is how old a look may be that is compared with: what was an hour ago is no pace of now.
	paceWithin = time.Minute
)

// Queue is what waits in all shards, by Redis's clock.
type Queue struct {
	At      time.Time
	Shards  []Depth
	Workers []Worker // by name
}

// Depth is what waits in a shard.
type Depth struct {
	Entries int64         // not settled yet
	InHand  int64         // of these, the ones that a worker has read
	Oldest  time.Duration // age of the oldest entry; 0: there is none
	Workers int
	Missing bool  // there is no stream or no group: nothing was sold on the shard yet, or it was lost
	Pace    *Pace // nil: it was not looked at lately
	added   int64 // entries that were ever made
}

// Pace is how many entries are made and settled in a second.
type Pace struct{ Made, Settled float64 }

// Worker is a consumer of the group.
type Worker struct {
	Name   string
	Idle   time.Duration // since it last asked any of its shards
	InHand int64
	Shards int
}

// Monitor looks at the streams for people. It remembers its looks for a while, so that the next one tells a pace.
type Monitor struct {
	group *Group
	mu    sync.Mutex
	looks []Queue // the oldest first, paceOver apart
}

// NewMonitor returns a monitor of the group's streams.
func NewMonitor(group *Group) *Monitor { return &Monitor{group: group} }

// Look tells what waits now, in one round trip to each server.
func (m *Monitor) Look(ctx context.Context) (Queue, error) {
	queue, err := m.group.look(ctx)
	if err != nil {
		return Queue{}, fmt.Errorf("look at the streams: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.looks = slices.DeleteFunc(m.looks, func(q Queue) bool { return queue.At.Sub(q.At).Abs() > paceWithin })
	for i := len(m.looks) - 1; i >= 0; i-- { // the newest that is old enough
		if before := m.looks[i]; queue.At.Sub(before.At) >= paceOver {
			queue.measure(before)
			break
		}
	}
	if len(m.looks) == 0 || queue.At.Sub(m.looks[len(m.looks)-1].At) >= paceOver {
		m.looks = append(m.looks, queue)
	}
	return queue, nil
}

// measure tells the pace since an earlier look. Where a stream was made anew meanwhile, there is none to tell.
func (q *Queue) measure(before Queue) {
	seconds := q.At.Sub(before.At).Seconds()
	for i := range q.Shards {
		now, then := &q.Shards[i], before.Shards[i]
		made := now.added - then.added
		if settled := made - (now.Entries - then.Entries); made >= 0 && settled >= 0 {
			now.Pace = &Pace{float64(made) / seconds, float64(settled) / seconds}
		}
	}
}

// look is Look without a pace.
func (g *Group) look(ctx context.Context) (Queue, error) {
	pipe := g.client.Pipeline()
	clock := pipe.Time(ctx)
	streams := make([]*redis.XInfoStreamCmd, len(g.shards))
	consumers := make([]*redis.XInfoConsumersCmd, len(g.shards))
	for i, shard := range g.shards {
		streams[i] = pipe.XInfoStream(ctx, shard.Entries)
		consumers[i] = pipe.XInfoConsumers(ctx, shard.Entries, g.name)
	}
	_, _ = pipe.Exec(ctx) // each reply carries its own error
	queue := Queue{At: clock.Val().UTC(), Shards: make([]Depth, len(g.shards))}
	if err := clock.Err(); err != nil {
		return Queue{}, err
	}
	workers := map[string]Worker{}
	for i := range g.shards {
		info, err := streams[i].Result()
		if err == nil {
			err = consumers[i].Err()
		}
		if err != nil && !missing(err) {
			return Queue{}, fmt.Errorf("shard %d: %w", i, err)
		}
		depth := &queue.Shards[i]
		depth.Missing = err != nil
		if streams[i].Err() == nil {
			depth.Entries, depth.added = info.Length, info.EntriesAdded
			depth.Oldest = ageOf(info.FirstEntry.ID, queue.At)
		}
		for _, consumer := range consumers[i].Val() {
			depth.Workers++
			depth.InHand += consumer.Pending
			worker, known := workers[consumer.Name]
			if !known || consumer.Idle < worker.Idle {
				worker.Idle = consumer.Idle
			}
			worker.Name = consumer.Name
			worker.InHand += consumer.Pending
			worker.Shards++
			workers[consumer.Name] = worker
		}
	}
	queue.Workers = slices.SortedFunc(maps.Values(workers), func(a, b Worker) int { return cmp.Compare(a.Name, b.Name) })
	return queue, nil
}

// missing tells whether an error says that there is no such stream or group.
func missing(err error) bool {
	return redis.HasErrorPrefix(err, "NOGROUP") || strings.Contains(err.Error(), "no such key")
}
