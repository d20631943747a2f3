package loadgen

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Load is requests that are due at regular times, whether or not earlier ones have been answered: an open loop.
type Load struct {
	Requests int
	Over     time.Duration // request i is due i/Requests of that after the start; 0: all are due at once

	// Request returns request i, for the first try (0) or a later one. It may append its bytes to b, which holds nothing.
	Request func(b []byte, i, try int) Request
	// Answered takes what became of a try, and may have the request sent again. Both are called by many goroutines, for one
	// request at a time.
	Answered func(i, try int, a Answer) Again
}

// Again is whether and when a request is sent again; the zero value: never. A later try counts its latency from then.
type Again struct {
	Send  bool
	After time.Duration // from now
}

// job is one try of a request.
type job struct {
	i, try int
	due    time.Time
}

// Run sends all requests and returns when none is to be sent again. When ctx ends it ends what is under way, with an answer of
// its own (Cancelled), leaves the rest, and returns an error. The connections stay open if they are kept.
func (g *Generator) Run(ctx context.Context, load Load) error {
	if load.Requests < 1 || load.Over < 0 || load.Request == nil || load.Answered == nil {
		return errors.New("load generator: a load needs Requests, Over, Request and Answered")
	}
	g.busy.Lock()
	defer g.busy.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(g.closed, cancel)
	defer stop()

	workers := g.workers[:min(len(g.workers), load.Requests)]
	ready := make(chan job, load.Requests) // a request is in it once at most, so nothing waits to put one in
	done := make(chan *job, len(workers))  // nil: a request is done; else it is to be sent again
	var working sync.WaitGroup
	for _, w := range workers {
		working.Go(func() {
			stop := context.AfterFunc(ctx, w.interrupt)
			defer stop()
			for j := range ready {
				done <- w.do(ctx, load, j)
			}
		})
	}
	complete := dispatch(ctx, load, ready, done)
	close(ready)
	if !complete {
		go func() { working.Wait(); close(done) }()
		for range done { // so that no worker waits to report
		}
		return fmt.Errorf("the load was cut short: %w", context.Cause(ctx))
	}
	working.Wait()
	return nil
}

// dispatch hands out jobs as they become due, until all requests are done or ctx ends, and reports whether they are.
func dispatch(ctx context.Context, load Load, ready chan<- job, done <-chan *job) (complete bool) {
	began := time.Now()
	first := func(i int) job {
		return job{i: i, due: began.Add(time.Duration(float64(load.Over) * float64(i) / float64(load.Requests)))}
	}
	next, again := 0, laterJobs{}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for left := load.Requests; left > 0; {
		now, wait := time.Now(), time.Hour
		for next < load.Requests {
			j := first(next)
			if j.due.After(now) {
				wait = j.due.Sub(now)
				break
			}
			ready <- j
			next++
		}
		for len(again) > 0 {
			if again[0].due.After(now) {
				wait = min(wait, again[0].due.Sub(now))
				break
			}
			ready <- heap.Pop(&again).(job)
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
		case j := <-done:
			if j != nil {
				heap.Push(&again, *j)
			} else {
				left--
			}
		}
	}
	return true
}

// do is one try of a request; it returns the next, if there is one.
func (w *worker) do(ctx context.Context, load Load, j job) *job {
	began := time.Now()
	request := load.Request(w.request[:0], j.i, j.try)
	w.request = request.Bytes
	err := w.send(ctx, request)
	a := w.answer(ctx, request.Drop, j.due, began, err)
	again := load.Answered(j.i, j.try, a)
	if !again.Send || a.Outcome == Cancelled {
		return nil
	}
	return &job{i: j.i, try: j.try + 1, due: time.Now().Add(again.After)}
}

// laterJobs is a heap of jobs by when they are due.
type laterJobs []job

func (l laterJobs) Len() int           { return len(l) }
func (l laterJobs) Less(i, j int) bool { return l[i].due.Before(l[j].due) }
func (l laterJobs) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *laterJobs) Push(x any)        { *l = append(*l, x.(job)) }
func (l *laterJobs) Pop() any {
	last := len(*l) - 1
	j := (*l)[last]
	*l = (*l)[:last]
	return j
}
