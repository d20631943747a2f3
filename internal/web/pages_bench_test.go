package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/stock"
)

// discard is a ResponseWriter that keeps nothing but the headers.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkReading is what an answer costs between the router and the connection:
//
//	go test ./internal/web -run '^$' -bench Reading -benchmem
func BenchmarkReading(b *testing.B) {
	f := newFixture(b, Options{})
	for id := range int64(30) {
		opens := -time.Hour
		if id >= 24 {
			opens = time.Hour
		}
		f.shelf.put(id+1, opens, 48*time.Hour, 72*time.Hour+time.Duration(id), stock.Level{Capacity: 1000, Left: 500, Limit: 4})
		f.shelf.shows[id].Description = strings.Repeat("Two acts, with an interval of twenty minutes.\n", 20)
	}
	f.shelf.shows[1].Image = strings.Repeat("a", 40)
	f.box.answer = booked(booking.Confirmed)
	for name, request := range map[string]struct{ path, header string }{
		"home":         {"/", ""},
		"show":         {"/shows/1", ""},
		"show/member":  {"/shows/1", f.token(7, account.Customer)},
		"booking":      {minePath, f.token(7, account.Customer)},
		"search":       {"/search?q=swan", ""},
		"list JSON":    {"/api/v1/shows", ""},
		"detail JSON":  {"/api/v1/shows/1", ""},
		"booking JSON": {"/api/v1" + minePath, f.token(7, account.Customer)},
	} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, request.path, nil)
			r.Header.Set("Accept", "text/html")
			r.Header.Set("Accept-Language", "ko-KR,ko;q=0.9,en;q=0.8")
			if name, value, ok := strings.Cut(request.header, ": "); ok {
				r.Header.Set(name, value)
			}
			w := &discard{}
			b.ReportAllocs()
			for b.Loop() {
				w.header = http.Header{}
				f.ServeHTTP(w, r)
			}
		})
	}
}
