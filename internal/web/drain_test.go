package web

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/devserver/servertest"
)

// countingListener remembers which clients it has accepted: what waits in the kernel's queue when a listener closes was never
// this process's to answer.
type countingListener struct {
	net.Listener
	accepted sync.Map // client's address -> true
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.accepted.Store(conn.RemoteAddr().String(), true)
	}
	return conn, err
}

// hammer is a client without mercy or repetition: one request after the other on a connection as long as it is kept open,
// then the next connection, until nobody listens. A request that a server accepted and did not answer whole is cut.
type hammer struct {
	addr     string
	listener *countingListener
	answered atomic.Int64
	closes   atomic.Int64 // answers that were their connection's last
	cut      atomic.Int64
}

func (h *hammer) run() {
	for {
		conn, err := net.Dial("tcp", h.addr)
		if err != nil {
			return
		}
		h.use(conn)
		conn.Close()
	}
}

func (h *hammer) use(conn net.Conn) {
	reader := bufio.NewReader(conn)
	for {
		_, err := io.WriteString(conn, "GET /work HTTP/1.1\r\nHost: example.com\r\n\r\n")
		if err == nil {
			var answer *http.Response
			if answer, err = http.ReadResponse(reader, nil); err == nil {
				_, err = io.Copy(io.Discard, answer.Body)
				if err == nil && answer.Close {
					h.answered.Add(1)
					h.closes.Add(1)
					return
				}
			}
		}
		if err != nil {
			if _, ok := h.listener.accepted.Load(conn.LocalAddr().String()); ok {
				h.cut.Add(1)
			}
			return
		}
		h.answered.Add(1)
	}
}

// hammered runs a server under load, stops it once many requests were answered, and returns what its clients saw.
func hammered(t *testing.T, run func(ctx context.Context, f *fixture) error) *hammer {
	t.Helper()
	f := newFixture(t, Options{DrainFor: 300 * time.Millisecond, Now: time.Now})
	f.echo.GET("/work", func(c echo.Context) error {
		<-time.After(time.Millisecond) // work that a stop can hit
		return answer(c, http.StatusOK, map[string]string{"work": "done"})
	})
	addr, err := f.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hammer{addr: addr.String(), listener: &countingListener{Listener: f.listener}}
	f.listener = h.listener
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, f) }()
	var clients sync.WaitGroup
	for range 16 {
		clients.Go(h.run)
	}
	servertest.Eventually(t, 30*time.Second, "500 answers", func() bool { return h.answered.Load() >= 500 })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	clients.Wait()
	return h
}

func TestStopCutsNoRequest(t *testing.T) {
	t.Parallel()
	h := hammered(t, func(ctx context.Context, f *fixture) error { return f.Run(ctx) })
	if n := h.cut.Load(); n > 0 {
		t.Errorf("%d requests were cut, %d answered", n, h.answered.Load())
	}
	if h.closes.Load() < 16 {
		t.Errorf("%d answers were their connection's last: want one of each client, and new connections answered", h.closes.Load())
	}
}

// The test above can fail: a server that just closes cuts requests. Now and then it is lucky, so it may try again.
func TestCloseCutsRequests(t *testing.T) {
	t.Parallel()
	for range 10 {
		h := hammered(t, func(ctx context.Context, f *fixture) error {
			go f.http.Serve(f.listener)
			<-ctx.Done()
			return f.http.Close()
		})
		if h.cut.Load() > 0 {
			return
		}
	}
	t.Error("no request was cut")
}

// A request that waits when draining begins is told so at once, and its answer is its connection's last, though it came
// before.
func TestDrainEndsWaits(t *testing.T) {
	t.Parallel()
	draining := make(chan struct{})
	f := newFixture(t, Options{OnDrain: func() { close(draining) }})
	waiting := make(chan struct{})
	f.echo.GET("/wait", func(c echo.Context) error {
		close(waiting)
		<-draining
		return answer(c, http.StatusOK, "early")
	})
	addr, err := f.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	go func() {
		<-waiting
		stop()
	}()
	response, err := http.Get("http://" + addr.String() + "/wait")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if !response.Close {
		t.Error("the connection stays open")
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Whatever a request or a client does, Run ends: after DrainFor and stopTimeout.
func TestStopIsBounded(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.stopTimeout = 50 * time.Millisecond
	stuck, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	f.echo.GET("/stuck", func(echo.Context) error {
		close(stuck)
		<-release
		return nil
	})
	addr, err := f.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	for _, request := range []string{"GET /stuck HTTP/1.1\r\nHost: example.com\r\n\r\n", "GET / HT", ""} {
		conn, err := net.Dial("tcp", addr.String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
	}
	<-stuck
	stop()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("no word of the requests that were cut")
		}
	case <-time.After(20 * time.Second):
		t.Error("Run goes on")
	}
}

func TestRunFails(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	addr, err := f.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newFixture(t, Options{}).Listen(t.Context(), addr.String()); err == nil {
		t.Error("two servers listen on one address")
	}
	f.listener.Close()
	if err := f.Run(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestProblemWhileDraining(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.draining.Store(true)
	for _, path := range []string{"/api/v1/shows", "/nowhere"} {
		w := httptest.NewRecorder()
		f.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Header().Get("Connection") != "close" {
			t.Errorf("%s: the connection stays open", path)
		}
	}
}
