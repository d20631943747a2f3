package web

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/stock"
)

// clock stands still until it is told to move.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return noon.Add(time.Duration(c.ns.Load())) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

func newCounter() prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: "shed"})
}

// taken sends n requests of a key and returns how many are let through.
func taken(l *limiter[int64], key int64, n int) (ok int) {
	for range n {
		if l.take(key) == nil {
			ok++
		}
	}
	return ok
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	var c clock
	l := newLimiter[int64](10, c.now, newCounter())
	if got := taken(l, 1, 100); got != 20 {
		t.Errorf("at once: %d, want a burst of 20", got)
	}
	if got := taken(l, 2, 100); got != 20 {
		t.Errorf("another key: %d, want 20", got)
	}
	many, ok := errors.AsType[*tooManyRequestsError](l.take(1))
	if !ok || many.retryAfter != 100*time.Millisecond {
		t.Errorf("got %+v, want to wait 100 ms", many)
	}
	c.advance(100*time.Millisecond - 1)
	if got := taken(l, 1, 1); got != 0 {
		t.Error("let through a nanosecond early")
	}
	c.advance(1)
	if got := taken(l, 1, 5); got != 1 {
		t.Errorf("after the wait: %d, want 1", got)
	}
	total := 0
	for range 1000 { // 10 s at 100 requests per second
		c.advance(10 * time.Millisecond)
		total += taken(l, 1, 1)
	}
	if total != 100 {
		t.Errorf("10 times too fast for 10 s: %d, want 100", total)
	}
	c.advance(time.Hour)
	if got := taken(l, 1, 100); got != 20 {
		t.Errorf("after an hour: %d, want 20", got)
	}
}

func TestLimiterOff(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{0, 1 << 31} { // more than one per nanosecond is no limit either
		if got := taken(newLimiter[int64](rate, new(clock).now, newCounter()), 1, 10_000); got != 10_000 {
			t.Errorf("rate %d: %d of 10000", rate, got)
		}
	}
}

func TestLimiterForgets(t *testing.T) {
	t.Parallel()
	var c clock
	l := newLimiter[int64](10, c.now, newCounter())
	for key := range int64(1_000_000) {
		if l.take(key) != nil {
			t.Fatal("a key's first request was refused")
		}
		c.advance(100 * time.Microsecond) // each lasts for 1,000 others
	}
	n := 0
	for i := range l.shards {
		n += len(l.shards[i].used)
	}
	if most := limitShards * 2 * sweepFrom; n > most {
		t.Errorf("%d keys are remembered, want %d at most", n, most)
	}
}

func TestLimiterConcurrently(t *testing.T) {
	t.Parallel()
	l := newLimiter[int64](100, new(clock).now, newCounter())
	var ok atomic.Int64
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() { ok.Add(int64(taken(l, 1, 100))) })
	}
	wait.Wait()
	if ok.Load() != 200 {
		t.Errorf("%d of 800 let through, want 200", ok.Load())
	}
}

func TestNetworkIsOneClient(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"198.51.100.7":            "198.51.100.7",
		"2001:db8:1:2:3:4:5:6":    "2001:db8:1:2::",
		"2001:db8:1:2:ffff::ffff": "2001:db8:1:2::",
	} {
		if got := network(netip.MustParseAddr(address)); got.String() != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
	if got := network(netip.Addr{}); got.IsValid() {
		t.Errorf("no address: got %s", got)
	}
}

func TestLimitsOfRequests(t *testing.T) {
	t.Parallel()
	var c clock
	f := newFixture(t, Options{RatePerUser: 2, RatePerAddress: 5, Now: c.now})
	seven, eight := f.token(7, account.Customer), f.token(8, account.Customer)
	for range 4 {
		if w := f.do("GET", "/api/v1/me", "", seven); w.Code != 200 {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
	}
	w := f.do("GET", "/api/v1/me", "", seven)
	if wantProblem(t, w, 429, "too_many_requests"); w.Header().Get("Retry-After") != "1" {
		t.Errorf("Retry-After: %q", w.Header().Get("Retry-After"))
	}
	for range 5 { // the tenth request of the address
		if w := f.do("GET", "/nowhere", "", eight); w.Code != 404 {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
	}
	wantProblem(t, f.do("GET", "/nowhere", "", eight), 429, "too_many_requests")
	c.advance(200 * time.Millisecond)
	if w := f.do("GET", "/api/v1/me", "", eight); w.Code != 200 {
		t.Errorf("after the wait: %d %s", w.Code, w.Body)
	}
	if diff := cmp.Diff(map[string]float64{"rate_per_user": 1, "rate_per_address": 1}, f.samples(t, "neticket_shed_total")); diff != "" {
		t.Error(diff)
	}
}

// What else is refused to protect the rest is counted, too, by its reason.
func TestShed(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	const login = `{"email":"a@example.com","password":"long enough"}`
	f.people.err = fmt.Errorf("verify: %w", account.ErrBusy)
	if w := f.do("POST", "/api/v1/login", login); w.Header().Get("Retry-After") != "2" {
		t.Errorf("Retry-After: %q", w.Header().Get("Retry-After"))
	} else {
		wantProblem(t, w, 503, "busy")
	}
	f.people.err = &account.TooManyAttemptsError{RetryAfter: time.Second}
	wantProblem(t, f.do("POST", "/api/v1/login", login), 429, "too_many_attempts")
	f.people.err = account.ErrBadCredentials // which protects nobody
	wantProblem(t, f.do("POST", "/api/v1/login", login), 401, "bad_credentials")
	for _, busy := range []error{stock.ErrBacklog, stock.ErrQueueFull, stock.ErrQueueWait} {
		f.box.err = fmt.Errorf("reserve: %w", busy)
		wantProblem(t, f.do("POST", bookPath, `{"units":2}`, f.token(7, account.Customer)), 503, "busy")
	}
	if diff := cmp.Diff(map[string]float64{"password_queue": 1, "login_attempts": 1, "backlog": 1, "queue_full": 1, "queue_wait": 1}, f.samples(t, "neticket_shed_total")); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkLimiter(b *testing.B) {
	l := newLimiter[int64](1000, time.Now, newCounter())
	b.ReportAllocs()
	var next atomic.Int64
	b.RunParallel(func(p *testing.PB) {
		for key := next.Add(1 << 32); p.Next(); key++ {
			_ = l.take(key % 100_000)
		}
	})
}
