package web

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/stock"
)

func TestReservationJSON(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	f.shelf.shows[0].Image = "a"
	const head = `{"id":"0195f0c1-9f4c-8bb4-8f6c-d0a4b4f3b0a1","number":"%s","show":{"id":1,"title":"Swan Lake",` +
		`"venue":"Seoul Arts Center","starts_at":"2026-05-03T14:00:00Z","image_url":"/images/a-800.jpg"},"units":2,"price_total":100000,`
	confirmed, rejected, cancelled, begun := booked(booking.Confirmed), booked(booking.Rejected), booked(booking.Cancelled), booked(booking.Confirmed)
	rejected.Reason = booking.Lost
	confirmed.ConfirmedAt, cancelled.ConfirmedAt, cancelled.CancelledAt = noon, noon, noon
	begun.AsOf = noon.Add(2 * time.Hour)
	for name, test := range map[string]struct {
		answer booking.Reservation
		want   string
	}{
		"pending": {booked(booking.Pending), `"status":"pending","reason":null,"booked_at":"2026-05-03T11:59:00Z",` +
			`"confirmed_at":null,"cancelled_at":null,"cancellable":false}`},
		"confirmed": {confirmed, `"status":"confirmed","reason":null,"booked_at":"2026-05-03T11:59:00Z",` +
			`"confirmed_at":"2026-05-03T12:00:00Z","cancelled_at":null,"cancellable":true}`},
		"rejected": {rejected, `"status":"rejected","reason":"lost","booked_at":"2026-05-03T11:59:00Z",` +
			`"confirmed_at":null,"cancelled_at":null,"cancellable":false}`},
		"cancelling": {booked(booking.Cancelling), `"status":"cancelling","reason":null,"booked_at":"2026-05-03T11:59:00Z",` +
			`"confirmed_at":null,"cancelled_at":null,"cancellable":false}`},
		"cancelled": {cancelled, `"status":"cancelled","reason":null,"booked_at":"2026-05-03T11:59:00Z",` +
			`"confirmed_at":"2026-05-03T12:00:00Z","cancelled_at":"2026-05-03T12:00:00Z","cancellable":false}`},
		"the show has begun": {begun, `"status":"confirmed","reason":null,"booked_at":"2026-05-03T11:59:00Z",` +
			`"confirmed_at":null,"cancelled_at":null,"cancellable":false}`},
	} {
		f.box.answer = test.answer
		w := f.do("GET", ownPath, "", f.token(7, account.Customer))
		if diff := cmp.Diff(fmt.Sprintf(head, booking.Number(bookingID))+test.want+"\n", w.Body.String()); diff != "" || w.Code != 200 {
			t.Errorf("%s: %d %s", name, w.Code, diff)
		}
	}
}

// What was recorded at another price than today's costs what it cost.
func TestPriceOfAReservation(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	f.box.answer = booked(booking.Confirmed)
	f.box.answer.Price = new(int64(40_000))
	if w := f.do("GET", ownPath, "", f.token(7, account.Customer)); !strings.Contains(w.Body.String(), `"price_total":80000,`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestGetReservation(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	f.box.answer = booked(booking.Pending)
	for _, method := range []string{"GET", "HEAD"} {
		w := f.do(method, ownPath, "", f.token(7, account.Customer), "Prefer: wait=10")
		if w.Code != 200 || w.Header().Get("Preference-Applied") != "wait=10" || f.box.user != 7 || f.box.ref != bookingRef || f.box.wait != 10*time.Second {
			t.Errorf("%s: %d, asked for %+v", method, w.Code, f.box)
		}
	}
	if f.do("GET", oldPath, "", f.token(7, account.Customer)); f.box.ref != (booking.Ref{ID: bookingID}) {
		t.Errorf("by its id alone: asked for %+v", f.box.ref)
	}
	for err, want := range map[error]int{booking.ErrNotFound: 404, booking.ErrUnreadable: 503} {
		f.box.err = err
		wantProblem(t, f.do("GET", ownPath, "", f.token(7, account.Customer)), want, map[int]string{404: "not_found", 503: "unavailable"}[want])
	}
}

// What markers alone tell says so in a header, wherever it is answered; what rows tell does not.
func TestProvisionalIsSaid(t *testing.T) {
	t.Parallel()
	for _, provisional := range []bool{false, true} {
		f := withShow(t)
		for call, status := range map[string]booking.Status{
			"GET " + ownPath: booking.Pending, "GET " + oldPath: booking.Pending, "HEAD " + ownPath: booking.Pending,
			"DELETE " + ownPath: booking.Cancelling, "POST " + bookPath: booking.Pending,
		} {
			f.box.answer = booked(status)
			f.box.answer.Provisional = provisional
			method, path, _ := strings.Cut(call, " ")
			body := map[bool]string{true: `{"units":2}`}[method == "POST"]
			w := f.do(method, path, body, f.token(7, account.Customer))
			if got := w.Header().Get("Reservation-Provisional"); w.Code >= 300 || got != map[bool]string{true: "true"}[provisional] {
				t.Errorf("%s, provisional %v: %d, the header is %q", call, provisional, w.Code, got)
			}
		}
	}
}

// What is said of one reservation holds for GET and DELETE.
func TestOwnReservationRefusesNonsense(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	for _, method := range []string{"GET", "DELETE"} {
		for _, id := range []string{"1", "x", strings.ToUpper(bookingID.String()), "{" + bookingID.String() + "}", "urn:uuid:" + bookingID.String(),
			strings.ReplaceAll(bookingID.String(), "-", ""), bookingID.String() + "0"} {
			wantProblem(t, f.do(method, "/api/v1/reservations/"+id, "", f.token(7, account.Customer)), 404, "not_found")
			wantProblem(t, f.do(method, bookPath+"/"+id, "", f.token(7, account.Customer)), 404, "not_found")
		}
		for _, show := range []string{"0", "-1", "01", "x", "", "9223372036854775808"} {
			path := "/api/v1/shows/" + show + "/reservations/" + bookingID.String()
			wantProblem(t, f.do(method, path, "", f.token(7, account.Customer)), 404, "not_found")
		}
		if p := wantProblem(t, f.do(method, ownPath, "", f.token(7, account.Customer), "Prefer: wait=11"), 422, "invalid"); p.Errors[0].Field != "Prefer" {
			t.Errorf("%s: %v", method, p.Errors)
		}
		wantProblem(t, f.do(method, ownPath, ""), 401, "unauthenticated")
	}
	if f.box.calls > 0 {
		t.Errorf("the box office was asked for %+v", f.box.ref)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer     booking.Reservation
		err        error
		status     int
		code       string
		retryAfter string
	}{
		"under way":       {booked(booking.Cancelling), nil, 202, "", ""},
		"done":            {booked(booking.Cancelled), nil, 200, "", ""},
		"pending":         {booking.Reservation{}, booking.ErrPending, 409, "pending", "1"},
		"started":         {booking.Reservation{}, stock.ErrStarted, 409, "show_started", ""},
		"rejected":        {booking.Reservation{}, booking.ErrNotCancellable, 409, "not_cancellable", ""},
		"somebody else's": {booking.Reservation{}, booking.ErrNotFound, 404, "not_found", ""},
		"no answer":       {booking.Reservation{}, stock.ErrUnknown, 503, "unknown", "1"},
		"paused":          {booking.Reservation{}, stock.ErrPaused, 503, "paused", "1"},
	} {
		f := withShow(t)
		f.box.answer, f.box.err = test.answer, test.err
		w := f.do("DELETE", ownPath, "", f.token(7, account.Customer), "Prefer: wait=2")
		if f.box.user != 7 || f.box.ref != bookingRef || f.box.wait != 2*time.Second {
			t.Errorf("%s: asked for %+v", name, f.box)
		}
		if got := w.Header().Get("Retry-After"); got != test.retryAfter {
			t.Errorf("%s: Retry-After is %q, want %q", name, got, test.retryAfter)
		}
		if test.code != "" {
			wantProblem(t, w, test.status, test.code)
		} else if got := decode[reservationJSON](t, w); w.Code != test.status || got.Status != test.answer.Status {
			t.Errorf("%s: got %d %s, want %d", name, w.Code, got.Status, test.status)
		}
	}
}

type reservationsJSON struct {
	Reservations []reservationJSON `json:"reservations"`
	NextCursor   *string           `json:"next_cursor"`
}

func TestListReservations(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	token := f.token(7, account.Customer)
	if got := strings.TrimSpace(f.do("GET", "/api/v1/reservations", "", token).Body.String()); got != `{"reservations":[],"next_cursor":null}` {
		t.Errorf("no reservations: %s", got)
	}
	if f.box.user != 7 || f.box.limit != defaultPage || f.box.after != (booking.Position{}) {
		t.Errorf("asked for %+v", f.box)
	}

	next := booking.Position{BookedAt: noon.Add(-time.Minute), ID: bookingID}
	f.box.page = booking.Page{Reservations: []booking.Reservation{booked(booking.Confirmed), booked(booking.Pending)}, Next: next}
	got := decode[reservationsJSON](t, f.do("GET", "/api/v1/reservations?limit=2", "", token))
	if f.box.limit != 2 || len(got.Reservations) != 2 || got.NextCursor == nil {
		t.Fatalf("got %+v, asked for %+v", got, f.box)
	}
	if first, second := got.Reservations[0], got.Reservations[1]; !first.Cancellable || second.Cancellable || second.Status != booking.Pending || second.Show.Title != "Swan Lake" {
		t.Errorf("got %+v", got.Reservations)
	}
	if f.do("GET", "/api/v1/reservations?cursor="+*got.NextCursor, "", token); f.box.after != next {
		t.Errorf("the cursor leads to %+v, want %+v", f.box.after, next)
	}

	f.box.err = booking.ErrUnreadable
	wantProblem(t, f.do("GET", "/api/v1/reservations", "", token), 503, "unavailable")
	f.box.err, f.box.page.Partial = nil, booking.ErrUnreadable
	wantProblem(t, f.do("GET", "/api/v1/reservations", "", token), 503, "unavailable")
	wantProblem(t, f.do("GET", "/api/v1/reservations", ""), 401, "unauthenticated")
}

func TestListReservationsRefusesNonsense(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	good := positionCursor(booking.Position{BookedAt: noon, ID: bookingID})
	at := func(t time.Time) string { return positionCursor(booking.Position{BookedAt: t, ID: bookingID}) }
	for query, field := range map[string]string{
		"limit=0":                                     "limit",
		"limit=101":                                   "limit",
		"limit=x":                                     "limit",
		"cursor=x":                                    "cursor",
		"cursor=1":                                    "cursor",
		"cursor=" + bookingID.String():                "cursor",
		"cursor=" + good[1:]:                          "cursor",
		"cursor=" + good + "AAAA":                     "cursor",
		"cursor=" + good + "%0A":                      "cursor",
		"cursor=" + good + "=":                        "cursor",
		"cursor=%00":                                  "cursor",
		"cursor=" + place{0, noon, 5}.cursor(0):       "cursor", // of the other list
		"cursor=" + at(noon.AddDate(-27, 0, 0)):       "cursor",
		"cursor=" + at(noon.AddDate(6975, 0, 0)):      "cursor",
		"cursor=" + at(time.UnixMilli(0)):             "cursor",
		"cursor=" + at(time.UnixMilli(math.MinInt64)): "cursor",
		"cursor=" + at(time.UnixMilli(math.MaxInt64)): "cursor",
		"cursor=" + good[:31] + "%20":                 "cursor",
		"cursor=%27%20OR%201%3D1":                     "cursor",
		"cursor=" + strings.Repeat("A", 100_000):      "cursor",
	} {
		w := f.do("GET", "/api/v1/reservations?"+query, "", f.token(7, account.Customer))
		if p := wantProblem(t, w, 422, "invalid"); len(p.Errors) != 1 || p.Errors[0].Field != field {
			t.Errorf("%.50s: got %v, want a fault of %s", query, p.Errors, field)
		}
	}
	for _, path := range []string{"/api/v1/reservations?cursor=%zz", "/api/v1/shows?cursor=%", "/api/v1/shows?limit=1;state=on_sale"} {
		wantProblem(t, f.do("GET", path, "", f.token(7, account.Customer)), 400, "malformed")
	}
	if f.box.calls > 0 {
		t.Errorf("the list was asked for %+v", f.box)
	}
}
