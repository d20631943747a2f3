package loadgen

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
)

// A server that stalls once answers one request late. Everyone who was due meanwhile is late, too, and counted so; a generator
// that counts from when it got round to sending would not notice: that is the control.
func TestLatencyCountsFromWhenARequestWasDue(t *testing.T) {
	t.Parallel()
	const requests, over, stall = 50, 500 * time.Millisecond, 400 * time.Millisecond
	var first sync.Once
	addr := serve(t, func(http.ResponseWriter, *http.Request) {
		first.Do(func() { <-time.After(stall) })
	})
	g := generator(t, Options{Addr: addr, Connections: 1, Keep: true})
	late, lateSinceSent, worst := 0, 0, time.Duration(0)
	err := g.Run(t.Context(), Load{Requests: requests, Over: over,
		Request: func(b []byte, _, _ int) Request { return get(b, "/") },
		Answered: func(_, _ int, a Answer) Again { // one at a time: there is one connection
			if a.Word() != "200" {
				t.Errorf("%s: %v", a.Word(), a.Err)
			}
			if a.Latency > stall/4 {
				late++
			}
			if a.Latency-a.Waited > stall/4 {
				lateSinceSent++
			}
			worst = max(worst, a.Latency)
			return Again{}
		}})
	if err != nil {
		t.Fatal(err)
	}
	// One is due every 10 ms: those of the first 300 ms wait for 100 ms or more.
	if late < 30 || worst < stall {
		t.Errorf("%d answers are late, the worst by %v; want 30 or more, and %v", late, worst, stall)
	}
	if lateSinceSent >= late {
		t.Errorf("since they were sent %d are late: this test finds nothing", lateSinceSent)
	}
}

// Requests are sent when they are due, not when earlier ones are answered.
func TestOpenLoop(t *testing.T) {
	t.Parallel()
	const requests = 20
	var waiting atomic.Int64
	all := make(chan struct{})
	addr := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		if waiting.Add(1) == requests {
			close(all)
		}
		select {
		case <-all:
		case <-r.Context().Done():
		}
	})
	for _, keep := range []bool{false, true} {
		waiting.Store(0)
		all = make(chan struct{})
		g := generator(t, Options{Addr: addr, Connections: requests, Keep: keep, Timeout: 20 * time.Second})
		tally := NewTally(requests)
		err := g.Run(t.Context(), Load{Requests: requests, Over: 50 * time.Millisecond,
			Request:  func(b []byte, _, _ int) Request { return get(b, "/") },
			Answered: func(_, _ int, a Answer) Again { tally.Add(a); return Again{} }})
		if words := tally.Words(); err != nil || words["200"] != requests {
			t.Errorf("kept %t: %v, %v", keep, words, err)
		}
	}
}

// A try that is to be sent again is sent at its time, and meanwhile others use the connection.
func TestAgain(t *testing.T) {
	t.Parallel()
	const requests, after = 20, 100 * time.Millisecond
	var tries [requests]atomic.Int64
	addr := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var i int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &i); err != nil {
			t.Error(err)
		}
		if tries[i].Add(1) < 3 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	var due, done [requests]time.Time
	var next atomic.Int64
	g := generator(t, Options{Addr: addr, Connections: 2, Keep: true})
	began := time.Now()
	err := g.Run(t.Context(), Load{Requests: requests,
		Request: func(b []byte, i, try int) Request {
			if try > 0 && time.Since(done[i]) < after {
				t.Errorf("request %d was sent again after %v", i, time.Since(done[i]))
			}
			return get(b, fmt.Sprint("/", i))
		},
		Answered: func(i, try int, a Answer) Again {
			if try > 0 && a.Due.Before(due[i].Add(after)) {
				t.Errorf("try %d was due %v after the one before", try, a.Due.Sub(due[i]))
			}
			due[i], done[i] = a.Due, time.Now()
			if a.Status == http.StatusServiceUnavailable {
				if a.RetryAfter != time.Second || try > 1 {
					t.Errorf("try %d: %+v", try, a)
				}
				return Again{Send: true, After: after}
			}
			next.Add(1)
			return Again{}
		}})
	if err != nil || next.Load() != requests {
		t.Errorf("%d requests ended, %v", next.Load(), err)
	}
	if took := time.Since(began); took < 2*after || took >= requests*after {
		t.Errorf("it took %v: they waited for each other", took)
	}
}

func TestConnections(t *testing.T) {
	t.Parallel()
	const requests, most = 100, 4
	for _, keep := range []bool{false, true} {
		var mu sync.Mutex
		seen, greetings, now, peak := map[string]bool{}, 0, 0, 0
		addr := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			seen[r.RemoteAddr] = true
			if r.URL.Path == "/greeting" {
				greetings++
			}
			now++
			peak = max(peak, now)
			mu.Unlock()
			mu.Lock()
			now--
		})
		g := generator(t, Options{Addr: addr, Connections: most, Keep: keep, Greeting: get(nil, "/greeting").Bytes})
		want := requests
		if err := g.Open(t.Context()); (err == nil) != keep {
			t.Fatalf("kept %t: %v", keep, err)
		}
		if keep {
			want = most
			if open := g.Progress().Open; open != most || greetings != most {
				t.Errorf("%d connections are open after %d greetings", open, greetings)
			}
		}
		tally := NewTally(requests)
		err := g.Run(t.Context(), Load{Requests: requests,
			Request:  func(b []byte, _, _ int) Request { return get(b, "/") },
			Answered: func(_, _ int, a Answer) Again { tally.Add(a); return Again{} }})
		if words := tally.Words(); err != nil || words["200"] != requests || len(seen) != want || peak > most {
			t.Errorf("kept %t: %v over %d connections, %d at once, want %d and %d; %v", keep, words, len(seen), peak, want, most, err)
		}
		if p := g.Progress(); keep && p.Sent != requests+most || p.Answered != p.Sent {
			t.Errorf("progress %+v", p)
		}
		g.Close()
		if open := g.Progress().Open; open != 0 {
			t.Errorf("%d connections are open after Close", open)
		}
	}
}

// The server gets the whole request of a dropped reply, and the next try comes on another connection.
func TestDroppedReplies(t *testing.T) {
	t.Parallel()
	const requests = 50
	body := `{"units":1}`
	for _, drop := range []Drop{Unread, OnAnswer} {
		got := make(chan string, 2*requests)
		addr := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			text, err := io.ReadAll(r.Body)
			if err != nil || string(text) != body {
				t.Errorf("got %q, %v", text, err)
			}
			got <- r.URL.Path + " " + r.RemoteAddr
		})
		g := generator(t, Options{Addr: addr, Connections: 4, Keep: true})
		tally := NewTally(2 * requests)
		err := g.Run(t.Context(), Load{Requests: requests,
			Request: func(b []byte, i, try int) Request {
				r := Request{Bytes: AppendRequest(b, "POST", "test", fmt.Sprint("/", i), body)}
				if try == 0 {
					r.Drop = drop
				}
				return r
			},
			Answered: func(_, try int, a Answer) Again { tally.Add(a); return Again{Send: try == 0} }})
		if words := tally.Words(); err != nil || words["reply dropped"] != requests || words["200"] != requests {
			t.Errorf("drop %d: %v, %v", drop, words, err)
		}
		seen := map[string]bool{}
		for range 2 * requests {
			select {
			case request := <-got:
				if seen[request] {
					t.Errorf("%s again, on the same connection", request)
				}
				seen[request] = true
			case <-time.After(10 * time.Second):
				t.Fatalf("drop %d: %d of %d requests arrived", drop, len(seen), 2*requests)
			}
		}
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	const requests = 40
	addr := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for _, by := range []string{"context", "Close"} {
		g := generator(t, Options{Addr: addr, Connections: requests / 2, Keep: true})
		ctx, cancel := context.WithCancel(t.Context())
		tally := NewTally(requests)
		ended := make(chan error, 1)
		go func() {
			ended <- g.Run(ctx, Load{Requests: requests,
				Request:  func(b []byte, _, _ int) Request { return get(b, "/") },
				Answered: func(_, _ int, a Answer) Again { tally.Add(a); return Again{Send: true} }})
		}()
		servertest.Eventually(t, 10*time.Second, "each connection has sent a request", func() bool { return g.Progress().Sent == requests/2 })
		if by == "Close" {
			g.Close()
		}
		cancel()
		select {
		case err := <-ended:
			if words := tally.Words(); err == nil || words["cancelled"] != requests {
				t.Errorf("by %s: %v, %v", by, words, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("by %s: it goes on", by)
		}
	}
}

func TestBadLoad(t *testing.T) {
	t.Parallel()
	if _, err := New(t.Context(), Options{Addr: "127.0.0.1:1"}); err == nil {
		t.Error("no connections: no error")
	}
	for _, addr := range []string{"127.0.0.1", "127.0.0.1:x", "host.invalid:1"} {
		if _, err := New(t.Context(), Options{Addr: addr, Connections: 1}); err == nil {
			t.Errorf("%s: no error", addr)
		}
	}
	if err := generator(t, Options{Addr: "localhost:1", Connections: 1}).Run(t.Context(), Load{}); err == nil {
		t.Error("no load: no error")
	}
}
