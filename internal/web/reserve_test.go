package web

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
)

// box is a box office that answers what it is told to, and remembers what it was asked.
type box struct {
	answer   booking.Reservation
	repeated bool
	err      error
	silent   bool // it waits for a server that says nothing
	page     booking.Page

	cancelErr error // of a cancel alone

	wish  booking.Booking
	user  int64
	ref   booking.Ref
	wait  time.Duration
	after booking.Position
	limit int
	calls int
}

func (b *box) Reserve(_ context.Context, wish booking.Booking) (booking.Reservation, bool, error) {
	b.wish = wish
	b.calls++
	return b.answer, b.repeated, b.err
}

func (b *box) Cancel(ctx context.Context, user int64, ref booking.Ref, wait time.Duration) (booking.Reservation, error) {
	r, err := b.Await(ctx, user, ref, wait)
	if b.cancelErr != nil {
		err = b.cancelErr
	}
	return r, err
}

func (b *box) Await(ctx context.Context, user int64, ref booking.Ref, wait time.Duration) (booking.Reservation, error) {
	if b.silent {
		<-ctx.Done()
		return booking.Reservation{}, fmt.Errorf("%w: %w", booking.ErrUnreadable, ctx.Err())
	}
	b.user, b.ref, b.wait = user, ref, wait
	b.calls++
	return b.answer, b.err
}

func (b *box) List(_ context.Context, user int64, after booking.Position, limit int) (booking.Page, error) {
	b.user, b.after, b.limit = user, after, limit
	b.calls++
	return b.page, b.err
}

// bookingRef is as ownPath names the reservation.
var bookingRef = booking.Ref{Show: 1, ID: bookingID}

var bookingID = uuid.MustParse("0195f0c1-9f4c-8bb4-8f6c-d0a4b4f3b0a1")

// booked is a reservation of 2 units of show 1, as of noon.
func booked(status booking.Status) booking.Reservation {
	return booking.Reservation{ID: bookingID, Show: 1, User: 7, Units: 2, Status: status, BookedAt: noon.Add(-time.Minute), AsOf: noon}
}

// withShow is a fixture with show 1, which starts at 14:00.
func withShow(t testing.TB) *fixture {
	f := newFixture(t, Options{})
	f.shelf.put(1, -time.Hour, time.Hour, 2*time.Hour, stockOf(5))
	return f
}

const (
	bookPath = "/api/v1/shows/1/reservations"
	ownPath  = "/api/v1/shows/1/reservations/0195f0c1-9f4c-8bb4-8f6c-d0a4b4f3b0a1"
	oldPath  = "/api/v1/reservations/0195f0c1-9f4c-8bb4-8f6c-d0a4b4f3b0a1"
)

func TestReserve(t *testing.T) {
	t.Parallel()
	rejected := booked(booking.Rejected)
	rejected.Reason = booking.SoldOut
	for name, test := range map[string]struct {
		answer   booking.Reservation
		repeated bool
		status   int
		code     string // of a problem
	}{
		"pending":             {booked(booking.Pending), false, 202, ""},
		"confirmed":           {booked(booking.Confirmed), false, 201, ""},
		"rejected":            {rejected, false, 409, "sold_out"},
		"again, pending":      {booked(booking.Pending), true, 200, ""},
		"again, confirmed":    {booked(booking.Confirmed), true, 200, ""},
		"again, rejected":     {rejected, true, 200, ""},
		"again, cancelled":    {booked(booking.Cancelled), true, 200, ""},
		"again, is cancelled": {booked(booking.Cancelling), true, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := withShow(t)
			f.box.answer, f.box.repeated = test.answer, test.repeated
			w := f.do("POST", bookPath, `{"units":2}`, f.token(7, account.Customer), "Idempotency-Key: k 1", "Prefer: wait=3")
			for name, want := range map[string]string{
				"Location": ownPath, "Idempotency-Key": "k 1", "Preference-Applied": "wait=3", "Retry-After": "",
			} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
			want := booking.Booking{User: 7, Show: 1, Units: 2, Key: "k 1", Wait: 3 * time.Second}
			if f.box.wish != want {
				t.Errorf("asked for %+v, want %+v", f.box.wish, want)
			}
			if test.code != "" {
				wantProblem(t, w, test.status, test.code)
				return
			}
			if got := decode[reservationJSON](t, w); w.Code != test.status || got.ID != bookingID || got.Status != test.answer.Status {
				t.Errorf("got %d %+v, want %d", w.Code, got, test.status)
			}
		})
	}
}

// Every reason of a rejected booking is the code of its problem.
func TestRejectedWhileWaiting(t *testing.T) {
	t.Parallel()
	for _, reason := range []booking.Reason{booking.SoldOut, booking.LimitReached, booking.Lost, booking.Failed} {
		f := withShow(t)
		f.box.answer = booked(booking.Rejected)
		f.box.answer.Reason = reason
		w := f.do("POST", bookPath, `{"units":2}`, f.token(7, account.Customer))
		if p := wantProblem(t, w, 409, string(reason)); p.Left != nil || p.Held != nil || w.Header().Get("Location") != ownPath {
			t.Errorf("%s: %+v at %q", reason, p, w.Header().Get("Location"))
		}
	}
}

func TestReserveMakesAKey(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	f.box.err = stock.ErrUnknown // the answer that needs it most
	seen := map[string]bool{}
	for range 2 {
		w := f.do("POST", bookPath, `{"units":2}`, f.token(7, account.Customer))
		wantProblem(t, w, 503, "unknown")
		key := w.Header().Get("Idempotency-Key")
		if len(key) < 20 || key != f.box.wish.Key || seen[key] || f.box.wish.Wait != 0 {
			t.Errorf("returned key %q, used %+v", key, f.box.wish)
		}
		seen[key] = true
	}
}

func TestReserveRefusesNonsense(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	const good = `{"units":2}`
	for name, test := range map[string]struct {
		body    string
		headers []string
		status  int
		field   string
	}{
		"no unit":                  {`{"units":0}`, nil, 422, "units"},
		"no units":                 {`{}`, nil, 422, "units"},
		"less than none":           {`{"units":-1}`, nil, 422, "units"},
		"too many":                 {`{"units":101}`, nil, 422, "units"},
		"more than a number holds": {`{"units":99999999999999999999}`, nil, 422, "units"},
		"a string":                 {`{"units":"2"}`, nil, 400, "units"},
		"a fraction":               {`{"units":1.5}`, nil, 400, "units"},
		"unknown field":            {`{"units":2,"seat":1}`, nil, 400, "seat"},
		"not JSON":                 {`units=2`, nil, 400, ""},
		"empty key":                {good, []string{"Idempotency-Key: "}, 422, "Idempotency-Key"},
		"long key":                 {good, []string{"Idempotency-Key: " + strings.Repeat("k", 256)}, 422, "Idempotency-Key"},
		"long key of wide letters": {good, []string{"Idempotency-Key: " + strings.Repeat("가", 256)}, 422, "Idempotency-Key"},
		"key with a tab":           {good, []string{"Idempotency-Key: a\tb"}, 422, "Idempotency-Key"},
		"key that is not UTF-8":    {good, []string{"Idempotency-Key: a\xff"}, 422, "Idempotency-Key"},
		"key with a hidden letter": {good, []string{"Idempotency-Key: a\u202eb"}, 422, "Idempotency-Key"},
		"two keys":                 {good, []string{"Idempotency-Key: a", "Idempotency-Key: b"}, 422, "Idempotency-Key"},
		"the same key twice":       {good, []string{"Idempotency-Key: a", "Idempotency-Key: a"}, 422, "Idempotency-Key"},
		"wait":                     {good, []string{"Prefer: wait=11"}, 422, "Prefer"},
	} {
		w := f.do("POST", bookPath, test.body, append(test.headers, f.token(7, account.Customer))...)
		p := wantProblem(t, w, test.status, map[int]string{400: "malformed", 422: "invalid"}[test.status])
		if test.field != "" && (len(p.Errors) != 1 || p.Errors[0].Field != test.field) {
			t.Errorf("%s: got %v, want a fault of %s", name, p.Errors, test.field)
		}
		for _, header := range []string{"Location", "Idempotency-Key", "Preference-Applied"} {
			if got := w.Header().Get(header); got != "" {
				t.Errorf("%s: %s is %q", name, header, got)
			}
		}
	}
	w := f.do("POST", bookPath, `{"units":0}`, f.token(7, account.Customer), "Idempotency-Key: ", "Prefer: wait=x")
	if p := wantProblem(t, w, 422, "invalid"); len(p.Errors) != 3 {
		t.Errorf("not every fault is named: %v", p.Errors)
	}
	if w := f.do("POST", bookPath, `{"units":0}`, f.token(7, account.Customer), "Prefer: wait=3"); w.Header().Get("Preference-Applied") != "" {
		t.Error("a wait was heeded, though the request was refused")
	}
	wantProblem(t, f.do("POST", bookPath, "", f.token(7, account.Customer)), 415, "unsupported_media_type")
	wantProblem(t, f.do("POST", bookPath, good), 401, "unauthenticated")
	for _, id := range []string{"2", "x", "01", "-1"} {
		wantProblem(t, f.do("POST", "/api/v1/shows/"+id+"/reservations", good, f.token(7, account.Customer)), 404, "not_found")
	}
	f.shelf.showsErr = show.ErrUnavailable
	wantProblem(t, f.do("POST", bookPath, good, f.token(7, account.Customer)), 503, "unavailable")
	if f.box.calls > 0 {
		t.Errorf("the box office was asked for %+v", f.box.wish)
	}
}

func TestReserveTakesAnyPrintableKey(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	f.box.answer = booked(booking.Pending)
	for _, key := range []string{"k", "~", `"quoted"`, "a b", strings.Repeat("k", 255), strings.Repeat("가", 255), "0195f0c1-9f4c-7bb4-8f6c-d0a4b4f3b0a1"} {
		w := f.do("POST", bookPath, `{"units":100}`, f.token(7, account.Customer), "Idempotency-Key: "+key)
		if w.Code != 202 || f.box.wish.Key != key || w.Header().Get("Idempotency-Key") != key || w.Header().Get("Preference-Applied") != "" {
			t.Errorf("%q: %d, key %q, header %v", key, w.Code, f.box.wish.Key, w.Header())
		}
	}
}

func BenchmarkReserve(b *testing.B) {
	f := withShow(b)
	f.box.answer = booked(booking.Pending)
	token := f.token(7, account.Customer)
	for name, err := range map[string]error{"accepted": nil, "sold out": &stock.SoldOutError{}} {
		f.box.err = err
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f.do("POST", bookPath, `{"units":2}`, token)
			}
		})
	}
}
