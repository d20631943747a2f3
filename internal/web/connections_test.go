package web

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/devserver/servertest"
)

const ping = "GET /api/v1/shows/1 HTTP/1.1\r\nHost: example.com\r\n\r\n"

// limited is a running server that serves so many connections at once.
func limited(t *testing.T, limit int) (f *fixture, addr string) {
	f = newFixture(t, Options{MaxConnections: limit})
	f.shelf.put(1, -time.Hour, time.Hour, 2*time.Hour, stockOf(5))
	return f, f.running(t)
}

// connect opens a connection that a test's end closes.
func connect(t *testing.T, addr string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	return conn, bufio.NewReader(conn)
}

// exchange sends one request and returns the status, or 0 without an answer.
func exchange(conn net.Conn, reader *bufio.Reader) int {
	if _, err := io.WriteString(conn, ping); err != nil {
		return 0
	}
	answer, err := http.ReadResponse(reader, nil)
	if err != nil {
		return 0
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return 0
	}
	return answer.StatusCode
}

// Six times as many clients as the limit allows, who all keep their connections: each is answered, and none sees an error.
func TestEverybodyIsAnsweredAtTheLimit(t *testing.T) {
	t.Parallel()
	const limit, clients = 50, 300
	f, addr := limited(t, limit)
	var answered, most atomic.Int64
	var running sync.WaitGroup
	for range clients {
		conn, reader := connect(t, addr)
		running.Go(func() {
			if status := exchange(conn, reader); status != http.StatusOK {
				t.Errorf("answered %d", status)
				return
			}
			answered.Add(1)
			most.Store(max(most.Load(), int64(f.connections.len())))
		})
	}
	running.Wait()
	if answered.Load() != clients || most.Load() > limit {
		t.Errorf("%d of %d were answered; %d connections were served at once, of %d", answered.Load(), clients, most.Load(), limit)
	}
}

// Connections that say nothing make room for new ones, but stay while nobody wants their place.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	t.Parallel()
	const limit = 3
	f, addr := limited(t, limit)
	var idle []*bufio.Reader
	for range limit {
		conn, reader := connect(t, addr)
		if status := exchange(conn, reader); status != http.StatusOK {
			t.Fatalf("answered %d", status)
		}
		idle = append(idle, reader)
	}
	if f.connections.crowded.Load() || f.connections.len() != limit {
		t.Errorf("%d connections are open, of %d; crowded: %v", f.connections.len(), limit, f.connections.crowded.Load())
	}
	conn, reader := connect(t, addr)
	if status := exchange(conn, reader); status != http.StatusOK {
		t.Errorf("the newcomer was answered %d", status)
	}
	for _, reader := range idle[:1] {
		if _, err := reader.ReadByte(); err != io.EOF {
			t.Errorf("an idle connection ended with %v", err)
		}
	}
}

// While a newcomer waits, an answer is the last of its connection, whose client is not cut.
func TestAnswersMakeRoom(t *testing.T) {
	t.Parallel()
	f, addr := limited(t, 1)
	conn, reader := connect(t, addr)
	if _, err := io.WriteString(conn, ping[:10]); err != nil { // busy, so it is not swept
		t.Fatal(err)
	}
	servertest.Eventually(t, 10*time.Second, "it is served", func() bool { return f.connections.len() == 1 })
	next, nextReader := connect(t, addr)
	servertest.Eventually(t, 10*time.Second, "the next one waits", f.connections.crowded.Load)
	if _, err := io.WriteString(conn, ping[10:]); err != nil {
		t.Fatal(err)
	}
	if answer, err := http.ReadResponse(reader, nil); err != nil || answer.StatusCode != http.StatusOK || !answer.Close {
		t.Fatalf("got %+v, %v", answer, err)
	}
	if status := exchange(next, nextReader); status != http.StatusOK {
		t.Errorf("the next one was answered %d", status)
	}
	if got := gauge(t, f, "neticket_http_connections_limit"); got != 1 {
		t.Errorf("the limit shows as %v", got)
	}
}

// A stopping server does not wait for room.
func TestStopAtTheLimit(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{MaxConnections: 1})
	f.stopTimeout = 50 * time.Millisecond
	addr, err := f.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	conn, _ := connect(t, addr.String())
	if _, err := io.WriteString(conn, ping[:10]); err != nil {
		t.Fatal(err)
	}
	connect(t, addr.String())
	servertest.Eventually(t, 10*time.Second, "one waits", f.connections.crowded.Load)
	stop()
	select {
	case <-ended: // those who never sent a request are cut
	case <-time.After(20 * time.Second):
		t.Error("it goes on")
	}
}

// outOfFiles refuses some connections as a process without a free file does.
type outOfFiles struct {
	net.Listener
	refuse atomic.Int64
}

func (l *outOfFiles) Accept() (net.Conn, error) {
	if l.refuse.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

func TestNoFileIsLeft(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.shelf.put(1, -time.Hour, time.Hour, 2*time.Hour, stockOf(5))
	addr, err := f.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	short := &outOfFiles{Listener: f.listener}
	short.refuse.Store(5)
	f.listener = short
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	conn, reader := connect(t, addr.String())
	if status := exchange(conn, reader); status != http.StatusOK {
		t.Errorf("answered %d", status)
	}
	told := 0
	for _, line := range f.log.lines() {
		if strings.Contains(line, "no file is left") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("%d lines in the log: %v", told, f.log.lines())
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// gauge returns the value of a metric without labels.
func gauge(t *testing.T, f *fixture, name string) float64 {
	t.Helper()
	families, err := f.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Errorf("there is no metric %s", name)
	return 0
}
