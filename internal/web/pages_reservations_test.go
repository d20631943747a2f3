package web

import (
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/booking"
	"github.com/neticket/neticket/internal/show"
	"github.com/neticket/neticket/internal/stock"
)

const (
	minePath    = "/shows/1/reservations/0195f0c1-9f4c-8bb4-8f6c-d0a4b4f3b0a1"
	oldMinePath = "/reservations/0195f0c1-9f4c-8bb4-8f6c-d0a4b4f3b0a1"
)

// A page tells what a reservation is, and no more: a number and a code only when they hold.
func TestReservationPage(t *testing.T) {
	t.Parallel()
	number := booking.Number(bookingID)
	rejected := func(reason booking.Reason) booking.Reservation {
		r := booked(booking.Rejected)
		r.Reason = reason
		return r
	}
	begun := booked(booking.Confirmed)
	begun.AsOf = noon.Add(2 * time.Hour)
	guess, undone := booked(booking.Pending), booked(booking.Cancelling)
	guess.Provisional, undone.Provisional = true, true
	const follows, refreshes, cancels, calendar = "data-follow=", `http-equiv="refresh"`, `/cancel"`, "calendar.ics"
	for name, test := range map[string]struct {
		answer   booking.Reservation
		ko, en   string
		has, not []string
	}{
		"pending": {booked(booking.Pending), "표를 확보했습니다", "We are holding your tickets", []string{follows, refreshes}, []string{number, "onfirmed<", "확정되었", "<svg class=\"qr\"", cancels, calendar}},
		"provisional": {guess, "확정되었는지 조회할 수 없습니다", "can’t look up whether it is confirmed", []string{follows, refreshes, `data-status="pending"`},
			[]string{number, "We are holding", "표를 확보", "mostly within a second", "<svg class=\"qr\"", cancels, calendar}},
		"cancelling, provisional": {undone, "예매를 취소하고 있습니다", "is being cancelled", []string{follows, refreshes}, []string{number, cancels, calendar}},
		"confirmed":               {booked(booking.Confirmed), "예매가 확정되었습니다", "Your booking is confirmed", []string{number, `<svg class="qr"`, cancels, calendar}, []string{follows, refreshes}},
		"begun":                   {begun, "공연이 시작되어", "can no longer be cancelled", []string{number}, []string{follows, cancels, calendar}},
		"cancelling":              {booked(booking.Cancelling), "예매를 취소하고 있습니다", "is being cancelled", []string{follows, refreshes}, []string{number, cancels, calendar}},
		"cancelled":               {booked(booking.Cancelled), "예매가 취소되었습니다", "Your booking is cancelled", nil, []string{number, follows, refreshes, cancels, calendar}},
		"sold out":                {rejected(booking.SoldOut), "남은 표가 없었습니다", "The last tickets were gone", nil, []string{number, follows, cancels, calendar}},
		"limit":                   {rejected(booking.LimitReached), "매수를 넘는", "than one person may", nil, []string{number}},
		"lost":                    {rejected(booking.Lost), "다시 예매해 주세요", "please book again", nil, []string{number}},
		"error":                   {rejected(booking.Failed), "저희 쪽 문제로", "that is our fault", nil, []string{number}},
	} {
		f := withShow(t)
		f.shelf.shows[0].Title = "<i>Swan"
		f.box.answer = test.answer
		for lang, want := range map[string]string{"ko": test.ko, "en": test.en} {
			w := f.page("GET", minePath, "", f.token(7, account.Customer), "Accept-Language: "+lang)
			body := html.UnescapeString(w.Body.String())
			if w.Code != 200 || w.Header().Get("Cache-Control") != "no-store" || f.box.user != 7 || f.box.wait != 0 {
				t.Errorf("%s: %d %v, asked for %+v", name, w.Code, w.Header(), f.box)
			}
			for _, want := range append(test.has, want, `href="/reservations"`, `href="/shows/1"`, "100,000", map[string]string{"ko": "오후\u00a011:00", "en": "23:00"}[lang]) {
				if !strings.Contains(body, want) {
					t.Errorf("%s: %s is not in\n%s", name, want, body)
				}
			}
			for _, not := range test.not {
				if strings.Contains(body, not) {
					t.Errorf("%s: %s is in\n%s", name, not, body)
				}
			}
			if strings.Contains(w.Body.String(), "<i>Swan") {
				t.Errorf("%s: the title is taken for HTML", name)
			}
		}
	}
}

func TestReservationThatIsNot(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	f.box.err = booking.ErrNotFound
	for _, path := range []string{minePath, oldMinePath, "/reservations/1", "/shows/x/reservations/" + bookingID.String(), minePath + "/cancel", minePath + "/calendar.ics", "/reservations/" + strings.ToUpper(bookingID.String())} {
		w := f.page("GET", path, "", f.token(7, account.Customer))
		if w.Code != 404 || !strings.Contains(w.Body.String(), "There is no such booking of yours.") || !strings.Contains(w.Body.String(), `class="button" href="/reservations"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	f.box.err = booking.ErrUnreadable
	if w := f.page("GET", minePath, "", f.token(7, account.Customer)); w.Code != 503 || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), "before you book anew") ||
		!strings.Contains(w.Body.String(), `href="`+minePath+`">Try again`) {
		t.Errorf("MySQL away: %d %s", w.Code, w.Body)
	}
}

// Links, bookmarks and calendar entries from before addresses named the show lead on to the address that does.
func TestOldAddresses(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	token := f.token(7, account.Customer)
	f.box.answer = booked(booking.Confirmed)
	for from, to := range map[string]string{
		"": "", "?lang=en&x=%2F": "?lang=en&x=%2F", "/calendar.ics": "/calendar.ics", "/cancel": "/cancel", "/cancel?lang=ko": "/cancel?lang=ko",
	} {
		w := f.page("GET", oldMinePath+from, "", token)
		if w.Code != 303 || w.Header().Get("Location") != minePath+to || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s leads to %d %v", from, w.Code, w.Header())
		}
		if f.box.user != 7 || f.box.ref != (booking.Ref{ID: bookingID}) {
			t.Errorf("%s: asked for %+v", from, f.box)
		}
	}
	if w := f.page("GET", oldMinePath, ""); w.Code != 401 || strings.Contains(w.Body.String(), "/shows/1/") {
		t.Errorf("nobody is logged in: %d %s", w.Code, w.Body)
	}
	f.box.answer = booked(booking.Cancelled) // of a form that was open meanwhile
	w := f.postForm(oldMinePath+"/cancel", url.Values{}, token)
	if w.Code != 303 || w.Header().Get("Location") != minePath || f.box.wait != cancelWait {
		t.Errorf("cancelled at the old address: %d %v", w.Code, w.Header())
	}
	for _, err := range []error{booking.ErrNotFound, booking.ErrUnreadable} {
		f.box.err = err
		for _, part := range []string{"", "/calendar.ics", "/cancel"} {
			if w := f.page("GET", oldMinePath+part, "", token); w.Code != problemOf(err).Status {
				t.Errorf("%s, %v: %d", part, err, w.Code)
			}
		}
	}
}

func TestCalendarFile(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	f.shelf.shows[0].Title = "Swan, Lake"
	r := booked(booking.Confirmed)
	r.ConfirmedAt = noon
	f.box.answer = r
	w := f.page("GET", minePath+"/calendar.ics", "", f.token(7, account.Customer))
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/calendar; charset=utf-8" || !strings.Contains(w.Header().Get("Content-Disposition"), "neticket-") {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	for _, want := range []string{"UID:" + bookingID.String() + "\r\n", "DTSTAMP:20260503T120000Z\r\n", "DTSTART:20260503T140000Z\r\n", `SUMMARY:Swan\, Lake` + "\r\n",
		"DESCRIPTION:Reservation number: " + booking.Number(bookingID) + `\nTickets: 2` + "\r\n"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%q is not in\n%s", want, w.Body)
		}
	}
	for status, want := range map[booking.Status]int{booking.Pending: 409, booking.Rejected: 404, booking.Cancelling: 404, booking.Cancelled: 404} {
		f.box.answer = booked(status)
		if w := f.page("GET", minePath+"/calendar.ics", "", f.token(7, account.Customer)); w.Code != want {
			t.Errorf("%s: %d, want %d", status, w.Code, want)
		}
	}
	f.box.answer = booked(booking.Pending)
	f.box.answer.Provisional = true
	if w := f.page("GET", minePath+"/calendar.ics", "", f.token(7, account.Customer)); w.Code != 503 {
		t.Errorf("whether it is confirmed is not known: %d", w.Code)
	}
}

// While MySQL cannot be read my page shows what markers tell, says what is missing, and asks MySQL for nothing.
func TestMinePageWithoutMySQL(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	f.people.err = account.ErrUnavailable
	f.box.page.Partial = fmt.Errorf("%w: away", booking.ErrUnreadable)
	texts := map[string][]string{"ko": {"최근 예매만 볼 수 있고", "아직 예매한 공연이 없습니다"}, "en": {"Only recent bookings", "You have not booked anything yet"}}
	look := func(lang string) string {
		t.Helper()
		w := f.page("GET", "/reservations", "", f.token(7, account.Customer), "Accept-Language: "+lang)
		if w.Code != 200 || !strings.Contains(w.Body.String(), texts[lang][0]) || strings.Contains(w.Body.String(), texts[lang][1]) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		return w.Body.String()
	}
	for lang := range texts {
		look(lang)
	}
	r := booked(booking.Pending)
	r.Provisional = true
	f.box.page.Reservations = []booking.Reservation{r}
	unread := r // of a show that is not in memory
	unread.Show = 2
	f.shelf.missing = show.ErrUnavailable
	f.box.page.Reservations = append(f.box.page.Reservations, unread)
	for lang := range texts {
		for _, want := range []string{`href="` + minePath + `"`, `data-follow="/api/v1` + minePath + `"`, `data-state="provisional"`} {
			if body := look(lang); !strings.Contains(body, want) {
				t.Errorf("%s is not in\n%s", want, body)
			}
		}
	}
}

func TestMinePage(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	token := f.token(7, account.Customer)
	if w := f.page("GET", "/reservations", "", token); !strings.Contains(w.Body.String(), "You have not booked anything yet.") || !strings.Contains(w.Body.String(), `class="button primary" href="/"`) {
		t.Errorf("nothing booked: %d %s", w.Code, w.Body)
	}
	next := booking.Position{BookedAt: noon.Add(-time.Minute), ID: bookingID}
	f.box.page = booking.Page{Reservations: []booking.Reservation{booked(booking.Confirmed), booked(booking.Cancelled), booked(booking.Pending)}, Next: next}
	w := f.page("GET", "/reservations", "", token)
	body := w.Body.String()
	pending, confirmed, cancelled := strings.Index(body, "Waiting for its number"), strings.Index(body, "Confirmed"), strings.Index(body, "Cancelled</span>")
	if pending < 0 || pending > confirmed || confirmed > cancelled || f.box.limit != minePerPage || f.box.user != 7 {
		t.Errorf("at %d, %d, %d in\n%s", pending, confirmed, cancelled, body)
	}
	if strings.Count(body, `/cancel" data-dialog`) != 1 || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("one of three can be cancelled:\n%s", body)
	}
	if !strings.Contains(body, `href="/reservations?cursor=`+positionCursor(next)) {
		t.Error("no way to the rest")
	}
	f.box.page = booking.Page{}
	if f.page("GET", "/reservations?cursor="+positionCursor(next), "", token); f.box.after != next {
		t.Errorf("the cursor leads to %+v", f.box.after)
	}
	if w := f.page("GET", "/reservations?cursor=x", "", token); w.Code != 422 || !strings.Contains(w.Body.String(), "start again from the first page") {
		t.Errorf("a wrong cursor: %d", w.Code)
	}
}

func TestCancelByForm(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	token := f.token(7, account.Customer)
	f.box.answer = booked(booking.Confirmed)
	if w := f.page("GET", minePath+"/cancel", "", token); w.Code != 200 || !strings.Contains(w.Body.String(), "You give 2 tickets back.") || !strings.Contains(w.Body.String(), `action="`+minePath+`/cancel"`) {
		t.Errorf("the question: %d %s", w.Code, w.Body)
	}
	for _, status := range []booking.Status{booking.Pending, booking.Rejected, booking.Cancelling, booking.Cancelled} {
		f.box.answer = booked(status)
		if w := f.page("GET", minePath+"/cancel", "", token); w.Code != 303 || w.Header().Get("Location") != minePath {
			t.Errorf("%s cannot be cancelled: %d %v", status, w.Code, w.Header())
		}
	}
	for _, status := range []booking.Status{booking.Cancelling, booking.Cancelled} { // the latter, too, when it is sent again
		f.box.answer = booked(status)
		w := f.postForm(minePath+"/cancel", url.Values{}, token)
		if w.Code != 303 || w.Header().Get("Location") != minePath || f.box.ref != bookingRef || f.box.user != 7 || f.box.wait != cancelWait {
			t.Errorf("%s: %d %v, asked for %+v", status, w.Code, w.Header(), f.box)
		}
	}
	if w := f.postForm("/reservations/1/cancel", url.Values{}, token); w.Code != 404 {
		t.Errorf("what is no reservation: %d", w.Code)
	}
}

func TestFaultsOfACancel(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err        error
		status     int
		retryAfter string
		ko, en     string
	}{
		"pending":  {booking.ErrPending, 409, "1", "아직 확정되지 않은", "not confirmed yet"},
		"started":  {stock.ErrStarted, 409, "", "공연이 시작되어", "The show has started"},
		"rejected": {booking.ErrNotCancellable, 409, "", "취소할 것이 없습니다", "nothing to cancel"},
		"paused":   {stock.ErrPaused, 503, "1", "표는 그대로", "still yours"},
		"unloaded": {stock.ErrUnloaded, 503, "1", "표는 그대로", "still yours"},
		"fenced":   {stock.ErrFenced, 503, "1", "표는 그대로", "still yours"},
		"busy":     {stock.ErrBusy, 503, "2", "표는 그대로", "still yours"},
		"away":     {stock.ErrUnavailable, 503, "2", "표는 그대로", "still yours"},
		"unknown":  {stock.ErrUnknown, 503, "1", "두 번 취소되지 않습니다", "nothing is cancelled twice"},
		"no such":  {booking.ErrNotFound, 404, "", "그런 예매가 없습니다", "no such booking"},
	} {
		f := withShow(t)
		f.box.answer, f.box.cancelErr = booked(booking.Confirmed), test.err
		for lang, want := range map[string]string{"ko": test.ko, "en": test.en} {
			w := f.postForm(minePath+"/cancel", url.Values{}, f.token(7, account.Customer), "Accept-Language: "+lang)
			if w.Code != test.status || w.Header().Get("Retry-After") != test.retryAfter || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s: %d %v\n%s", name, w.Code, w.Header(), w.Body)
			}
		}
	}
	// What cannot be cancelled at all is not asked about.
	f := withShow(t)
	f.box.answer, f.box.cancelErr = booked(booking.Rejected), booking.ErrNotCancellable
	body := f.postForm(minePath+"/cancel", url.Values{}, f.token(7, account.Customer)).Body.String()
	if !strings.Contains(body, `<h1 id="ask-title">The booking cannot be cancelled now</h1>`) || !strings.Contains(body, "Back to the booking") || strings.Contains(body, "Cancel this booking?") {
		t.Errorf("it cannot be cancelled:\n%s", body)
	}
	// Where nothing can be read, the page is that of an outage.
	f = withShow(t)
	f.box.err = booking.ErrUnreadable
	if w := f.postForm(minePath+"/cancel", url.Values{}, f.token(7, account.Customer)); w.Code != 503 || strings.Contains(w.Body.String(), "data-ask") {
		t.Errorf("nothing can be read: %d", w.Code)
	}
}
