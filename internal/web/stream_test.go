package web

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/show"
)

// pipes is a listener without a network, so that time can stand still.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if conn, ok := <-p; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{} }

// streaming serves f in a bubble of synctest, its feed running, until the returned function is called.
func streaming(t *testing.T, f *fixture) (listener pipes, stop func()) {
	t.Helper()
	listener = make(pipes)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	go func() { done <- f.http.Serve(listener) }()
	go func() { f.feed.run(ctx); done <- nil }()
	return listener, func() {
		cancel()
		_ = f.http.Close()
		<-done
		<-done
	}
}

// watch opens a stream and returns what it says, line by line; nothing is read before somebody asks.
func watch(t *testing.T, listener pipes, path string) (*bufio.Reader, net.Conn) {
	t.Helper()
	client, server := net.Pipe()
	listener <- server
	if _, err := io.WriteString(client, "GET "+path+" HTTP/1.1\r\nHost: example.com\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" || answer.Header.Get("X-Accel-Buffering") != "no" ||
		answer.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", answer.StatusCode, answer.Header)
	}
	return bufio.NewReader(answer.Body), client
}

// line returns the next line that is not empty, or the error.
func line(from *bufio.Reader) string {
	for {
		text, err := from.ReadString('\n')
		if err != nil {
			return err.Error()
		}
		if text = strings.TrimSuffix(text, "\n"); text != "" {
			return text
		}
	}
}

func data(id int64, left int, state show.State) string {
	return fmt.Sprintf(`data: {"show_id":%d,"left":%d,"state":"%s","as_of":"2026-05-03T12:00:00Z"}`, id, left, state)
}

func wantLines(t *testing.T, from *bufio.Reader, want ...string) {
	t.Helper()
	for _, want := range want {
		if diff := cmp.Diff(want, line(from)); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

func newStreamFixture(t *testing.T, options Options) *fixture {
	f := newFixture(t, options)
	for id := range int64(3) {
		f.shelf.put(id+1, -time.Hour, time.Hour, 2*time.Hour, stockOf(5))
		f.shelf.sell(id+1, 5)
	}
	return f
}

// A stream begins with every show, goes on with what changes, says something each 15 s, and outlives the server's time-outs.
func TestStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newStreamFixture(t, Options{})
		listener, stop := streaming(t, f)
		news, _ := watch(t, listener, "/api/v1/stock/stream?shows=2,1,2")
		wantLines(t, news, "retry: 2000", data(2, 5, show.OnSale), data(1, 5, show.OnSale))
		f.shelf.sell(3, 4) // of nobody's interest
		f.shelf.sell(1, 5) // no change
		f.shelf.sell(1, 0)
		wantLines(t, news, data(1, 0, show.SoldOut))
		began := time.Now()
		for range 8 {
			wantLines(t, news, ":")
		}
		if after := time.Since(began); after != 8*heartbeatEvery {
			t.Errorf("8 heartbeats within %v", after)
		}
		f.shelf.sell(1, 1)
		wantLines(t, news, data(1, 1, show.OnSale))
		f.shelf.mu.Lock()
		f.shelf.now = noon.Add(time.Hour) // the sale closes
		f.shelf.mu.Unlock()
		f.shelf.sell(2, 5)
		for range 2 {
			if got := line(news); !strings.Contains(got, `"state":"closed"`) {
				t.Errorf("after the sale: %s", got)
			}
		}
		close(f.ending)
		if got := line(news); got != "EOF" {
			t.Errorf("after the end: %s", got)
		}
		stop()
		synctest.Wait()
		if len(f.feed.topics) != 0 || f.streams.Load() != 0 {
			t.Errorf("%d topics, %d streams are left", len(f.feed.topics), f.streams.Load())
		}
	})
}

// The test above can fail: without deadlines of its own a stream is cut.
func TestStreamWithoutDeadlinesIsCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newStreamFixture(t, Options{})
		f.echo.GET("/naive", func(c echo.Context) error {
			c.Response().Header().Set("Content-Type", "text/event-stream")
			c.Response().Header().Set("X-Accel-Buffering", "no")
			for {
				if _, err := io.WriteString(c.Response(), ":\n"); err != nil {
					return err
				}
				c.Response().Flush()
				select {
				case <-time.After(heartbeatEvery):
				case <-c.Request().Context().Done():
					return nil
				}
			}
		})
		listener, stop := streaming(t, f)
		defer stop()
		news, client := watch(t, listener, "/naive")
		defer client.Close()
		for beats := 0; line(news) == ":"; beats++ {
			if beats > 8 {
				t.Fatal("it goes on")
			}
		}
	})
}

// Who does not read misses what was in between, holds up nobody, and is cut in the end.
func TestSlowClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newStreamFixture(t, Options{})
		listener, stop := streaming(t, f)
		defer stop()
		slow, _ := watch(t, listener, "/api/v1/stock/stream?shows=1")
		quick, _ := watch(t, listener, "/api/v1/stock/stream?shows=1")
		gone, _ := watch(t, listener, "/api/v1/stock/stream?shows=1")
		for _, news := range []*bufio.Reader{slow, quick, gone} {
			wantLines(t, news, "retry: 2000", data(1, 5, show.OnSale))
		}
		for left := 1000; left > 0; left-- {
			f.shelf.sell(1, left)
			wantLines(t, quick, data(1, left, show.OnSale))
			synctest.Wait()
		}
		wantLines(t, slow, data(1, 1000, show.OnSale), data(1, 1, show.OnSale)) // the first was on its way
		time.Sleep(sendTimeout + time.Second)
		if got := f.samples(t, "neticket_stock_streams_cut_total"); got[""] != 1 {
			t.Errorf("cut: %v, want 1", got)
		}
		if got := f.streams.Load(); got != 2 {
			t.Errorf("%d streams are left, want 2", got)
		}
	})
}

func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newStreamFixture(t, Options{MaxStreams: 2})
		listener, stop := streaming(t, f)
		first, client := watch(t, listener, "/api/v1/stock/stream?shows=1")
		wantLines(t, first, "retry: 2000")
		watch(t, listener, "/api/v1/stock/stream?shows=1")
		w := f.do("GET", "/api/v1/stock/stream?shows=1", "")
		wantProblem(t, w, 503, "too_many_streams")
		if w.Header().Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		if got := f.samples(t, "neticket_shed_total"); got["streams"] != 1 {
			t.Errorf("shed: %v", got)
		}
		client.Close()
		synctest.Wait()
		third, _ := watch(t, listener, "/api/v1/stock/stream?shows=1")
		wantLines(t, third, "retry: 2000")
		stop()
	})
}

func TestStreamRefusesNonsense(t *testing.T) {
	t.Parallel()
	f := newStreamFixture(t, Options{})
	for _, query := range []string{
		"", "?shows=", "?shows=,", "?shows=1,", "?shows=a", "?shows=0", "?shows=-1", "?shows=01", "?shows=1%202", "?shows=99999999999999999999",
		"?shows=" + strings.Repeat("1,", 50) + "1", "?shows=" + strings.Repeat(",", 10_000),
	} {
		if p := wantProblem(t, f.do("GET", "/api/v1/stock/stream"+query, ""), 422, "invalid"); len(p.Errors) != 1 || p.Errors[0].Field != "shows" {
			t.Errorf("%.50s: %v", query, p.Errors)
		}
	}
	wantProblem(t, f.do("GET", "/api/v1/stock/stream?shows=1&shows=2", ""), 400, "malformed")
	wantProblem(t, f.do("GET", "/api/v1/stock/stream?shows=1,4", ""), 404, "not_found")
	wantProblem(t, f.do("GET", "/api/v1/stock/stream?shows=%zz", ""), 400, "malformed")
	f.shelf.levelsErr = io.ErrUnexpectedEOF
	wantProblem(t, f.do("GET", "/api/v1/stock/stream?shows=1", ""), 503, "unavailable")
	if len(f.feed.topics) != 0 || f.streams.Load() != 0 {
		t.Errorf("%d topics, %d streams are left", len(f.feed.topics), f.streams.Load())
	}
}

// Streams end first when a server stops, over real connections, and their clients see a whole answer.
func TestStopEndsStreams(t *testing.T) {
	t.Parallel()
	f := newStreamFixture(t, Options{})
	addr, err := f.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	answer, err := http.Get("http://" + addr.String() + "/api/v1/stock/stream?shows=1")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	news := bufio.NewReader(answer.Body)
	wantLines(t, news, "retry: 2000", data(1, 5, show.OnSale))
	f.shelf.sell(1, 4)
	wantLines(t, news, data(1, 4, show.OnSale))
	stop()
	if got := line(news); got != "EOF" {
		t.Errorf("at the end: %s", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// BenchmarkPublish is one change of each of 50 shows that 1,000 streams show.
func BenchmarkPublish(b *testing.B) {
	f := newFixture(b, Options{})
	ids := make([]int64, maxStreamShows)
	for i := range ids {
		ids[i] = int64(i + 1)
		f.shelf.put(ids[i], -time.Hour, time.Hour, 2*time.Hour, stockOf(5))
	}
	for range 1000 {
		if _, err := f.feed.open(b.Context(), ids); err != nil {
			b.Fatal(err)
		}
	}
	left := 0
	for b.Loop() {
		for _, id := range ids {
			f.shelf.sell(id, left)
		}
		left++
		f.feed.publish(b.Context())
	}
}
