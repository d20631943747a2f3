package web

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/booking"
)

// An old page, as the back button shows it, is still the booking that was made with it. When that is void, pressing there books anew,
// with another key, once the person was told.
func TestBookWithAnOldPage(t *testing.T) {
	t.Parallel()
	form := url.Values{"units": {"2"}, "key": {"K"}}
	for status, want := range map[booking.Status][]string{
		booking.Pending: nil, booking.Confirmed: nil, booking.Cancelling: nil,
		booking.Cancelled: {"is cancelled. To book again", "취소되었습니다. 다시 예매하려면"},
		booking.Rejected:  {"was not accepted, and holds no tickets", "받아들여지지 않았고"},
	} {
		f := withShow(t)
		f.box.answer, f.box.repeated = booked(status), true
		if want == nil {
			if w := f.postForm("/shows/1/book", form, f.token(7, account.Customer)); w.Code != 303 || w.Header().Get("Location") != minePath {
				t.Errorf("%s: %d to %q", status, w.Code, w.Header().Get("Location"))
			}
			continue
		}
		for i, lang := range []string{"en", "ko"} {
			w := f.postForm("/shows/1/book", form, f.token(7, account.Customer), "Accept-Language: "+lang)
			key := regexp.MustCompile(`name="key" value="([^"]+)"`).FindStringSubmatch(w.Body.String())
			if w.Code != 409 || len(key) == 0 || key[1] == "K" || !strings.Contains(w.Body.String(), want[i]) ||
				!strings.Contains(w.Body.String(), `href="`+minePath+`"`) || !strings.Contains(w.Body.String(), `value="2" required`) {
				t.Errorf("%s: %d, key %q\n%s", status, w.Code, key, w.Body)
			}
		}
		f.box.repeated = false // the control: what was just made is shown whatever has become of it
		if w := f.postForm("/shows/1/book", form, f.token(7, account.Customer)); w.Code != 303 {
			t.Errorf("%s at once: %d", status, w.Code)
		}
	}
}

// Where it cannot be read what a key was used for, nobody is told that he has nothing.
func TestBookedBeforeInAnOutage(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	f.box.err = booking.ErrUnreadable
	w := f.postForm("/shows/1/book", url.Values{"units": {"2"}, "key": {"K"}}, f.token(7, account.Customer))
	body := w.Body.String()
	if w.Code != 503 || strings.Contains(body, "Nothing was taken") || !strings.Contains(body, "We do not know yet whether you have booked") || !strings.Contains(body, `name="key" value="K"`) {
		t.Errorf("%d\n%s", w.Code, body)
	}
}

// Where a booking ends at a page of a problem, that leads back to the form as it was filled in.
func TestProblemOfABookingLeadsBack(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	f.shelf.levelsErr = errors.New("connection refused")
	w := f.postForm("/shows/1/book", url.Values{"units": {"2"}, "key": {"K"}}, f.token(7, account.Customer))
	if w.Code != 503 || f.box.calls > 0 || !strings.Contains(w.Body.String(), `class="button" href="/shows/1?key=K&amp;units=2">Try again`) {
		t.Errorf("%d\n%s", w.Code, w.Body)
	}
}
