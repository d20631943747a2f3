package stock

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// joinMost is how many requests share a call to Redis, at most. Everybody else waits for Redis meanwhile, about 2 ms; and beyond
// this a longer call makes a request no cheaper (see the decision on joined calls).
const joinMost = 128

// queues have requests of one shard that arrive while a call to Redis is under way share the next one. A request that finds no call
// under way makes one at once: nothing waits for a timer. The request that made a call names the one that makes the next, so no
// goroutine outlives its request.
type queues struct {
	shards  []queue
	call    func(shard int, batch []*turn) []reply
	waiting *atomic.Int64       // turns that have not come, of all shards
	most    int64               // of them; 0: no bound
	maxWait time.Duration       // 0: no bound
	sizes   prometheus.Observer // nil: not measured
}

type queue struct {
	mu      sync.Mutex
	turns   []*turn // that wait, in the order in which they arrived
	calling bool    // a call is under way, or the turn that makes it is named
}

// turn is a request that waits for its turn, and then for its reply.
type turn struct {
	ctx     context.Context
	request Request
	since   time.Time
	replies chan reply // has room for the word to make a call, and for its own reply
}

// reply is what a turn waits for: its answer, an error, or that it is now its own turn to make a call.
type reply struct {
	answer answer
	err    error
	lead   bool
}

func newQueues(shards int, options LedgerOptions, call func(int, []*turn) []reply) queues {
	q := queues{shards: make([]queue, shards), call: call, waiting: new(atomic.Int64),
		most: int64(options.MaxWaiting), maxWait: options.MaxWait}
	if options.Registry != nil {
		q.register(options.Registry)
	}
	return q
}

// do waits for a request's turn and for its reply.
func (q *queues) do(ctx context.Context, shard int, r Request) reply {
	t := &turn{ctx: ctx, request: r, since: time.Now(), replies: make(chan reply, 2)}
	if n := q.waiting.Add(1); q.most > 0 && n > q.most {
		q.waiting.Add(-1)
		return reply{err: ErrQueueFull}
	}
	s := &q.shards[shard]
	s.mu.Lock()
	s.turns = append(s.turns, t)
	lead := !s.calling
	s.calling = true
	s.mu.Unlock()
	if !lead {
		if r := <-t.replies; !r.lead {
			return r
		}
	}
	q.lead(shard)
	return <-t.replies
}

// lead makes one call for the turns that have come. The next call begins before these turns get their replies.
func (q *queues) lead(shard int) {
	s := &q.shards[shard]
	batch := q.take(s)
	var replies []reply
	if len(batch) > 0 {
		replies = q.call(shard, batch)
	}
	q.handOver(s)
	for i, t := range batch {
		t.replies <- replies[i]
	}
}

// take returns the turns that have come. Those that came too late, or whose client has gone, get their reply here.
func (q *queues) take(s *queue) []*turn {
	s.mu.Lock()
	batch := make([]*turn, 0, min(len(s.turns), joinMost))
	taken := 0
	for ; taken < len(s.turns) && len(batch) < joinMost; taken++ {
		if t := s.turns[taken]; !q.dropped(t) {
			batch = append(batch, t)
		}
	}
	s.drop(taken)
	s.mu.Unlock()
	q.waiting.Add(-int64(taken))
	if q.sizes != nil && len(batch) > 0 {
		q.sizes.Observe(float64(len(batch)))
	}
	return batch
}

// handOver names the turn that makes the next call, if one waits.
func (q *queues) handOver(s *queue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calling = len(s.turns) > 0; s.calling {
		s.turns[0].replies <- reply{lead: true}
	}
}

// dropped replies to a turn that is not to be sent any more.
func (q *queues) dropped(t *turn) bool {
	switch {
	case t.ctx.Err() != nil:
		t.replies <- reply{err: t.ctx.Err()}
	case q.maxWait > 0 && time.Since(t.since) > q.maxWait:
		t.replies <- reply{err: ErrQueueWait}
	default:
		return false
	}
	return true
}

// drop removes the first n turns.
func (s *queue) drop(n int) {
	clear(s.turns[:n]) // for the garbage collector
	if s.turns = s.turns[n:]; len(s.turns) == 0 {
		s.turns = nil
	}
}
