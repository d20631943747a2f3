package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/stock"
)

// BenchmarkReading measures pages and the list, as BenchmarkHandler does the routes of the sale minute:
//
//	go test ./internal/web -run '^$' -bench 'Reading|Handler/floor' -benchmem
func BenchmarkReading(b *testing.B) {
	for name, path := range map[string]string{"home": "/", "show": "/shows/1", "booking": minePath, "list": "/api/v1/shows", "search": "/search?q=swan"} {
		f := readingFixture(b)
		head := "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAccept: text/html\r\nAccept-Language: ko-KR,ko;q=0.9,en;q=0.8\r\n"
		if path == minePath {
			head += f.token(7, account.Customer) + "\r\n"
		}
		b.Run(name, func(b *testing.B) { handle(b, f, head+"\r\n", http.StatusOK) })
	}
}

// readingFixture has 24 shows on sale, with descriptions as long as those of the bench, and six that open soon.
func readingFixture(b *testing.B) *fixture {
	b.Helper()
	f := hotFixture(b)
	f.shelf.shows = nil
	f.shelf.now = time.Now().UTC().Truncate(time.Millisecond)
	since := f.shelf.now.Sub(noon)
	for id := range int64(30) {
		opens := since - time.Hour
		if id >= 24 {
			opens = since + time.Hour
		}
		f.shelf.put(id+1, opens, since+48*time.Hour, since+72*time.Hour+time.Duration(id)*time.Minute, stock.Level{Capacity: 1000, Left: 500, Limit: 4})
		f.shelf.shows[id].Description = strings.Repeat("두 막, 중간 휴식 20분. Two acts.\n", 8)
	}
	f.box.answer = booked(booking.Confirmed)
	return f
}
