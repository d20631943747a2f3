package web

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/show"
)

type appender interface{ appendJSON(to []byte) []byte }

// sameAsJSON holds an encoder against encoding/json.
func sameAsJSON(t *testing.T, v appender) {
	t.Helper()
	want, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if got := v.appendJSON([]byte("before")); string(got) != "before"+string(want) {
		t.Errorf("got  %s\nwant %s", got[len("before"):], want)
	}
}

// fill returns one of each struct that is encoded by hand; maximal sets the optional fields, too.
func fill(text string, n int64, at time.Time, maximal bool) []appender {
	r := &reservationJSON{
		ID: uuid.NewSHA1(uuid.Nil, []byte(text)), Number: text, Units: int(n), PriceTotal: -n, Status: booking.Status(text), BookedAt: at,
		Show: bookedShow{ID: n, Title: text, Venue: text + "'", StartsAt: at}, Cancellable: n%2 == 0,
	}
	s := &showJSON{
		ID: n, Title: text, Venue: text, Description: text, Price: n, ImageAlt: text, TimeZone: text, StartsAt: at, SalesOpenAt: at,
		SalesCloseAt: at, Capacity: int(n), Left: int(-n), LimitPerUser: int(n), State: show.State(text), ServerTime: at,
	}
	p := &Problem{Type: text, Title: text, Status: int(n), Detail: text, Code: text, RequestID: text, retryAfter: 1, onPage: text}
	if maximal {
		reason := booking.Reason(text)
		r.Show.ImageURL, r.Reason, r.ConfirmedAt, r.CancelledAt = &text, &reason, &at, &at
		s.ImageURL = &text
		figure := int(n)
		p.Errors = []invalid.Field{{Field: text, Code: text, Message: text}, {Message: text}}
		p.Left, p.Held, p.Limit, p.OpensAt, p.Reserved = &figure, &figure, &figure, &at, &figure
	}
	return []appender{r, s, p}
}

var awkward = []string{
	"", "Swan Lake", "백조의 호수", `"quoted" \ back`, "<b>&amp;</b>", "a\x00b\tc\nd\x1f", "\x7f", "\u2028 \u2029 \u201c", "\xff\xfe", "a\xe2\x80", "\ufffd",
	strings.Repeat("long ", 1000), "é", "😀", "\xed\xa0\x80",
}

func TestEncoders(t *testing.T) {
	t.Parallel()
	seoul := time.FixedZone("KST", 9*60*60)
	for _, text := range awkward {
		for _, at := range []time.Time{{}, noon, noon.Add(123 * time.Millisecond), noon.Add(1), noon.In(seoul), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)} {
			for _, n := range []int64{0, 1, -1, 50_000, 1<<63 - 1, -1 << 63} {
				for _, v := range append(fill(text, n, at, true), fill(text, n, at, false)...) {
					sameAsJSON(t, v)
				}
			}
		}
	}
}

func FuzzEncode(f *testing.F) {
	for i, text := range awkward {
		f.Add(text, int64(i), int64(i)*1e15, i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, text string, n, nanoseconds int64, maximal bool) {
		for _, v := range fill(text, n, time.Unix(0, nanoseconds).UTC(), maximal) {
			sameAsJSON(t, v)
		}
	})
}

// An answer that is encoded by hand costs no allocation, beside the values that it is made of.
func TestEncodersAllocateNothing(t *testing.T) { // not in parallel: AllocsPerRun counts everyone's
	to := make([]byte, 0, 4096)
	for _, v := range fill("백조의 호수", 7, noon, true) {
		if n := testing.AllocsPerRun(100, func() { v.appendJSON(to) }); n != 0 {
			t.Errorf("%T: %v allocations", v, n)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	of := show.Show{ID: 1, Title: "백조의 호수", Venue: "Seoul Arts Center", Price: 50_000, TimeZone: "Asia/Seoul", StartsAt: noon, SalesOpenAt: noon, SalesCloseAt: noon}
	reservation, detail, problem := newReservationJSON(booked(booking.Pending), of), newShowJSON(&of, stockOf(5), noon), soldOut
	for name, v := range map[string]appender{"reservation": &reservation, "show": &detail, "sold out": &problem} {
		b.Run(name, func(b *testing.B) {
			to := make([]byte, 0, 4096)
			b.ReportAllocs()
			for b.Loop() {
				to = v.appendJSON(to[:0])
			}
		})
		b.Run(name+", encoding/json", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := json.Marshal(v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
