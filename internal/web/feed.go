package web

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
)

// feed hands what a poll has changed to the streams that show it. Each show's newest event is kept once, encoded, for all
// of its streams; a stream looks for it when it has time. So nobody waits for a slow client, which skips what it missed, and
// a stream costs the same memory however slow it is.
type feed struct {
	shows  Shows
	levels Levels

	mu     sync.Mutex
	topics map[int64]*topic // the shows that some stream shows
}

// topic is one show of the feed.
type topic struct {
	newest  atomic.Pointer[event] // nil until the levels are known
	streams map[*follower]struct{}
}

// event is what changed, as it is sent. It is never changed: streams compare pointers.
type event struct {
	state show.State
	left  int
	data  []byte
}

// follower is one client's share of the feed.
type follower struct {
	topics []*topic
	sent   []*event      // of each topic
	wake   chan struct{} // holds one when something may have changed
}

type eventJSON struct {
	ShowID int64      `json:"show_id"`
	Left   int        `json:"left"`
	State  show.State `json:"state"`
	AsOf   time.Time  `json:"as_of"`
}

func newFeed(shows Shows, levels Levels) *feed {
	return &feed{shows: shows, levels: levels, topics: map[int64]*topic{}}
}

// run publishes after each poll, until ctx ends.
func (f *feed) run(ctx context.Context) {
	for {
		polled := f.levels.Polled()
		f.publish(ctx)
		select {
		case <-polled:
		case <-ctx.Done():
			return
		}
	}
}

// publish makes an event of each show that has changed, and wakes the streams that show it.
func (f *feed) publish(ctx context.Context) {
	f.mu.Lock()
	ids := make([]int64, 0, len(f.topics))
	for id := range f.topics {
		ids = append(ids, id)
	}
	f.mu.Unlock()
	f.levels.Follow(ids...)
	levels, now, err := f.levels.Last(ids)
	if err != nil {
		return // streams stay as they are: as_of tells how old what they have is
	}
	for _, level := range levels {
		if of, err := f.shows.Get(ctx, level.ShowID); err == nil { // from memory: somebody asked for it before
			f.put(&of, level, now)
		}
	}
}

func (f *feed) put(of *show.Show, level stock.Level, now time.Time) {
	state := show.StateOf(*of, now, level.Paused, level.Left)
	f.mu.Lock()
	defer f.mu.Unlock()
	topic, ok := f.topics[of.ID]
	if !ok {
		return // its last stream has ended
	}
	if old := topic.newest.Load(); old != nil && old.state == state && old.left == level.Left {
		return
	}
	topic.newest.Store(newEvent(of.ID, state, level))
	for s := range topic.streams {
		s.notify()
	}
}

func newEvent(id int64, state show.State, level stock.Level) *event {
	data, _ := json.Marshal(eventJSON{id, level.Left, state, level.AsOf}) // it is but strings, numbers and a time
	return &event{state, level.Left, append(append([]byte("data: "), data...), "\n\n"...)}
}

// open returns a stream of the shows, which begins with the newest event of each.
func (f *feed) open(ctx context.Context, ids []int64) (*follower, error) {
	s := &follower{topics: make([]*topic, len(ids)), sent: make([]*event, len(ids)), wake: make(chan struct{}, 1)}
	f.mu.Lock()
	for i, id := range ids {
		if f.topics[id] == nil {
			f.topics[id] = &topic{streams: map[*follower]struct{}{}}
		}
		s.topics[i] = f.topics[id]
		s.topics[i].streams[s] = struct{}{}
	}
	f.mu.Unlock()
	for i, id := range ids {
		if s.topics[i].newest.Load() != nil {
			continue
		}
		of, err := f.shows.Get(ctx, id)
		if err == nil {
			var level stock.Level
			var now time.Time
			if level, now, err = f.levels.Level(ctx, id); err == nil {
				f.put(&of, level, now)
			}
		}
		if err != nil {
			f.close(s, ids)
			return nil, err
		}
	}
	s.notify()
	return s, nil
}

// close ends a stream; what no stream shows any more is forgotten.
func (f *feed) close(s *follower, ids []int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, id := range ids {
		delete(s.topics[i].streams, s)
		if len(s.topics[i].streams) == 0 {
			delete(f.topics, id)
		}
	}
}

func (s *follower) notify() {
	select {
	case s.wake <- struct{}{}:
	default: // it has been told and did not look yet
	}
}

// news appends the events to text that were not sent yet, of each show the newest alone.
func (s *follower) news(text []byte) []byte {
	for i, topic := range s.topics {
		if newest := topic.newest.Load(); newest != nil && newest != s.sent[i] {
			s.sent[i] = newest
			text = append(text, newest.data...)
		}
	}
	return text
}
