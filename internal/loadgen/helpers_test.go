package loadgen

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// serve returns the address of an HTTP server that ends with the test.
func serve(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// serveRaw returns the address of a server that reads a request and answers with these bytes, then closes the connection.
func serveRaw(t *testing.T, answer string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for conn, err := listener.Accept(); err == nil; conn, err = listener.Accept() {
			running.Go(func() {
				defer conn.Close()
				if _, err := conn.Read(make([]byte, 4096)); err == nil {
					_, _ = conn.Write([]byte(answer))
				}
			})
		}
	})
	t.Cleanup(func() { _ = listener.Close(); running.Wait() })
	return listener.Addr().String()
}

func generator(t testing.TB, o Options) *Generator {
	t.Helper()
	g, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// get is a request for a path.
func get(b []byte, path string) Request {
	return Request{Bytes: AppendRequest(b, "GET", "test", path, "")}
}

// answers keeps what became of every try.
type answers struct {
	mu  sync.Mutex
	all []Answer
}

func (a *answers) add(answer Answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	answer.Body = append([]byte(nil), answer.Body...)
	a.all = append(a.all, answer)
}

// one sends one request and returns its answer.
func one(t *testing.T, g *Generator) (answer Answer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got answers
	err := g.Run(ctx, Load{Requests: 1,
		Request:  func(b []byte, _, _ int) Request { return get(b, "/") },
		Answered: func(_, _ int, a Answer) Again { got.add(a); return Again{} },
	})
	if err != nil || len(got.all) != 1 {
		t.Fatalf("%v, answers %+v", err, got.all)
	}
	return got.all[0]
}
