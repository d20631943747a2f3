package web

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/stock"
)

// The routes of the sale minute over parts that cost nothing, so what is measured is this package, Echo and net/http. "floor" is
// the reference of `make bench`: an Echo handler that binds a small JSON body and answers one.
//
//	go test ./internal/web -run '^$' -bench 'Handler|Connection' -benchmem
var hotRoutes = []struct {
	name    string
	request func(f *fixture) string // as a client sends it
	status  int
}{
	{"accepted", book, http.StatusAccepted},
	{"sold out", func(f *fixture) string {
		f.box.err = &stock.SoldOutError{}
		return book(f)
	}, http.StatusConflict},
	{"detail", func(*fixture) string {
		return "GET /api/v1/shows/1 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"
	}, http.StatusOK},
}

func book(f *fixture) string {
	return "POST " + bookPath + " HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/json\r\n" +
		f.token(7, account.Customer) + "\r\nContent-Length: 11\r\n\r\n" + `{"units":2}`
}

const floorRequest = "POST / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n" + `{"units":2}`

func floor() http.Handler {
	e := echo.New()
	e.POST("/", func(c echo.Context) error {
		var body struct {
			Units int `json:"units"`
		}
		if err := c.Bind(&body); err != nil {
			return err
		}
		return c.JSON(http.StatusAccepted, struct {
			Status string `json:"status"`
			Units  int    `json:"units"`
		}{"pending", body.Units})
	})
	return e
}

// hotFixture is limited as a default deployment is, but never refuses.
func hotFixture(b *testing.B) *fixture {
	b.Helper()
	f := newFixture(b, Options{RatePerUser: 1 << 30, RatePerAddress: 1 << 30, Now: time.Now})
	f.shelf.put(1, -time.Hour, time.Hour, 2*time.Hour, stockOf(5))
	f.box.answer = booked(booking.Pending)
	return f
}

// BenchmarkHandler calls ServeHTTP, without net/http's own work.
func BenchmarkHandler(b *testing.B) {
	for _, route := range hotRoutes {
		b.Run(route.name, func(b *testing.B) {
			f := hotFixture(b)
			handle(b, f, route.request(f), route.status)
		})
	}
	b.Run("floor", func(b *testing.B) { handle(b, floor(), floorRequest, http.StatusAccepted) })
}

func handle(b *testing.B, handler http.Handler, request string, status int) {
	head, body, _ := strings.Cut(request, "\r\n\r\n")
	sent, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head + "\r\n\r\n")))
	if err != nil {
		b.Fatal(err)
	}
	sent.RemoteAddr = "127.0.0.1:54321"
	content := strings.NewReader(body)
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	defer reportCPU(b)()
	for b.Loop() {
		content.Reset(body)
		r := *sent
		r.Body = io.NopCloser(content)
		w.status = 0
		clear(w.header)
		handler.ServeHTTP(w, &r)
		if w.status != status {
			b.Fatalf("answered %d, want %d", w.status, status)
		}
	}
}

// discard is a ResponseWriter that keeps the status alone.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkConnection sends one request after the other on a loopback connection; it counts the client's work, too.
func BenchmarkConnection(b *testing.B) {
	for _, route := range hotRoutes {
		b.Run(route.name, func(b *testing.B) {
			f := hotFixture(b)
			converse(b, f.running(b), route.request(f), route.status)
		})
	}
	b.Run("floor", func(b *testing.B) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		server := http.Server{Handler: floor(), ReadHeaderTimeout: readHeaderTimeout}
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(listener) }()
		converse(b, listener.Addr().String(), floorRequest, http.StatusAccepted)
		_ = server.Shutdown(context.Background())
		<-ended
	})
}

func converse(b *testing.B, addr, request string, status int) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	sent, want := []byte(request), fmt.Appendf(nil, "HTTP/1.1 %d ", status)
	received := make([]byte, 4096)
	b.ReportAllocs()
	defer reportCPU(b)()
	for b.Loop() {
		if _, err := conn.Write(sent); err != nil {
			b.Fatal(err)
		}
		n, err := conn.Read(received) // an answer is written at once
		if err != nil || !bytes.HasPrefix(received[:n], want) {
			b.Fatalf("got %q, %v", received[:n], err)
		}
	}
}

// reportCPU adds the processor time of the whole process, which other processes disturb less than the time that passes.
func reportCPU(b *testing.B) (end func()) {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	began := used()
	return func() { b.ReportMetric(float64((used()-began).Nanoseconds())/float64(b.N), "cpu-ns/op") }
}
