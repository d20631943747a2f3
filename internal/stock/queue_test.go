package stock

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fakeServer answers calls as long as it is let, each with the ids of its requests.
type fakeServer struct {
	let      chan struct{} // a value lets one call return; closed: all
	calls    [][]string    // ids of the requests of each call
	inFlight atomic.Int32
	most     int32 // calls at a time
	mu       sync.Mutex
}

func (s *fakeServer) call(_ int, batch []*turn) []reply {
	n := s.inFlight.Add(1)
	defer s.inFlight.Add(-1)
	s.mu.Lock()
	s.most = max(s.most, n)
	ids := make([]string, len(batch))
	replies := make([]reply, len(batch))
	for i, t := range batch {
		ids[i], replies[i].answer = t.request.ID, answer(t.request.ID)
	}
	s.calls = append(s.calls, ids)
	s.mu.Unlock()
	<-s.let
	return replies
}

// crowd sends requests, each from a client of its own, and collects what they are answered.
type crowd struct {
	queues  queues
	mu      sync.Mutex
	answers map[string]reply
}

func newCrowd(options LedgerOptions, call func(int, []*turn) []reply) *crowd {
	return &crowd{queues: newQueues(2, options, call), answers: map[string]reply{}}
}

// send has a request wait for its answer, and returns when it does.
func (c *crowd) send(ctx context.Context, shard int, id string) {
	go func() {
		r := c.queues.do(ctx, shard, Request{ID: id})
		c.mu.Lock()
		defer c.mu.Unlock()
		c.answers[id] = r
	}()
	synctest.Wait()
}

func (c *crowd) wantAnswers(t *testing.T, want int) {
	t.Helper()
	for id, r := range c.answers {
		if r.err != nil || string(r.answer) != id {
			t.Errorf("request %s got %q, %v", id, r.answer, r.err)
		}
	}
	if len(c.answers) != want {
		t.Errorf("%d answers, want %d", len(c.answers), want)
	}
	if n := c.queues.waiting.Load(); n != 0 {
		t.Errorf("%d still wait", n)
	}
}

// A lone request goes out at once; those that come meanwhile share the next calls, in their order, and other shards do not wait.
func TestRequestsShareCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{let: make(chan struct{})}
		c := newCrowd(LedgerOptions{}, s.call)
		c.send(t.Context(), 0, "first")
		for i := range joinMost + 2 {
			c.send(t.Context(), 0, fmt.Sprint(i))
		}
		c.send(t.Context(), 1, "elsewhere")
		if len(s.calls) != 2 || len(s.calls[0]) != 1 || s.calls[1][0] != "elsewhere" {
			t.Fatalf("before the first answer: %v", s.calls)
		}
		close(s.let)
		synctest.Wait()
		c.wantAnswers(t, joinMost+4)
		if len(s.calls) != 4 || len(s.calls[2]) != joinMost || len(s.calls[3]) != 2 {
			t.Fatalf("%d calls, of %d and %d requests", len(s.calls), len(s.calls[2]), len(s.calls[3]))
		}
		for i, id := range append(s.calls[2], s.calls[3]...) {
			if id != fmt.Sprint(i) {
				t.Fatalf("request %s was sent in place %d", id, i)
			}
		}
		c.send(t.Context(), 0, "later") // the queue is idle again
		c.wantAnswers(t, joinMost+5)
	})
}

// A shard has one call under way at a time, whatever comes at once. The control, which calls for each request, has more.
func TestOneCallAtATime(t *testing.T) {
	t.Parallel()
	const clients, each = 50, 40
	rush := func(do func(s *fakeServer, id string) reply) (most int32, wrong int32) {
		s := &fakeServer{let: make(chan struct{})}
		var all sync.WaitGroup
		var bad atomic.Int32
		for client := range clients {
			all.Go(func() {
				for i := range each {
					id := fmt.Sprint(client, " ", i)
					if r := do(s, id); r.err != nil || string(r.answer) != id {
						bad.Add(1)
					}
				}
			})
		}
		s.let <- struct{}{} // the first call has begun; the others may come while the next ones wait
		close(s.let)
		all.Wait()
		return s.most, bad.Load()
	}
	var once sync.Once
	var q queues
	joined := func(s *fakeServer, id string) reply {
		once.Do(func() { q = newQueues(1, LedgerOptions{}, s.call) })
		return q.do(t.Context(), 0, Request{ID: id})
	}
	if most, wrong := rush(joined); most != 1 || wrong != 0 {
		t.Errorf("%d calls at a time, %d wrong answers", most, wrong)
	}
	alone := func(s *fakeServer, id string) reply { return s.call(0, []*turn{{request: Request{ID: id}}})[0] }
	if most, _ := rush(alone); most < 2 {
		t.Error("the test does not see calls that overlap")
	}
}

// The number of waiting requests is bounded over all shards; the next is refused at once.
func TestQueueIsFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{let: make(chan struct{})}
		c := newCrowd(LedgerOptions{MaxWaiting: 3}, s.call)
		c.send(t.Context(), 0, "under way") // waits no more
		for _, id := range []string{"a", "b"} {
			c.send(t.Context(), 0, id)
		}
		c.send(t.Context(), 1, "under way elsewhere")
		c.send(t.Context(), 1, "c")
		for range 3 {
			if r := c.queues.do(t.Context(), 1, Request{ID: "d"}); !errors.Is(r.err, ErrQueueFull) || !errors.Is(r.err, ErrBusy) {
				t.Errorf("a request too many: %+v", r)
			}
		}
		close(s.let)
		synctest.Wait()
		c.wantAnswers(t, 5)
		c.send(t.Context(), 0, "d")
		c.wantAnswers(t, 6)
	})
}

// Who waited for too long, or whose client has gone, is not sent; the others are, also where the one who leads them has gone.
func TestTurnsThatAreNotSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{let: make(chan struct{})}
		c := newCrowd(LedgerOptions{MaxWait: time.Second}, s.call)
		c.send(t.Context(), 0, "under way")
		c.send(t.Context(), 0, "late")
		time.Sleep(time.Second) // on the test's own clock
		gone, leave := context.WithCancel(t.Context())
		c.send(gone, 0, "gone")
		c.send(t.Context(), 0, "in time")
		leave()
		time.Sleep(time.Second)
		close(s.let)
		synctest.Wait()
		if r := c.answers["late"]; !errors.Is(r.err, ErrQueueWait) {
			t.Errorf("late: %+v", r)
		}
		if r := c.answers["gone"]; !errors.Is(r.err, context.Canceled) {
			t.Errorf("gone: %+v", r)
		}
		if len(s.calls) != 2 || len(s.calls[1]) != 1 || s.calls[1][0] != "in time" {
			t.Errorf("calls %v", s.calls)
		}
		delete(c.answers, "late")
		delete(c.answers, "gone")
		c.wantAnswers(t, 2)
	})
}

func BenchmarkQueue(b *testing.B) {
	q := newQueues(1, LedgerOptions{}, func(_ int, batch []*turn) []reply { return make([]reply, len(batch)) })
	b.ReportAllocs()
	b.SetParallelism(500)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			q.do(b.Context(), 0, Request{})
		}
	})
}
