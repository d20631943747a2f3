package web

import (
	"html"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/stock"
)

func TestPathHere(t *testing.T) {
	t.Parallel()
	for _, here := range []string{
		"/", "/reservations", "/shows/42?units=2&key=A", "/search?q=%EB%B0%B1%EC%A1%B0&cursor=x", "/shows/1#buy", "/a//b", "/?next=//evil.test",
		"/search?q=https://evil.test", "/login/x",
	} {
		if got := pathHere(here); got != here {
			t.Errorf("%q became %q", here, got)
		}
	}
	for _, text := range []string{
		"", " ", "x", "reservations", "//evil.test", "///evil.test", `/\evil.test`, `\\evil.test`, `\/evil.test`, `/a\b`, "https://evil.test/", "https:evil.test",
		"http:/evil.test", "javascript:alert(1)", "/\t/evil.test", "/\n/evil.test", "/\r\nSet-Cookie: a=b", "\t//evil.test", " //evil.test", "/\x00", "/\u200b/evil.test",
		"/\u2028", "/\xff", "/%zz", ":", "?next=x", "#x", "/login", "/login?next=/login", "/signup", "data:text/html,x", "/" + strings.Repeat("a", maxNext),
	} {
		if got := pathHere(text); got != "/" {
			t.Errorf("%q became %q, which leads away, or nowhere", text, got)
		}
	}
}

// Wherever a form says to go on, the answer stays on this site.
func TestNoOpenRedirect(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	for next, want := range map[string]string{"//evil.test": "/", `/\evil.test`: "/", "https://evil.test": "/", "/shows/1?units=2&key=K": "/shows/1?units=2&key=K", "": "/"} {
		for _, path := range []string{loginPath, signupPath} {
			form := url.Values{"email": {"a@example.com"}, "password": {"long enough"}, "name": {"A"}, "next": {next}}
			if w := f.postForm(path, form); w.Code != 303 || w.Header().Get("Location") != want {
				t.Errorf("POST %s, next %q: %d %q, want %q", path, next, w.Code, w.Header().Get("Location"), want)
			}
			w := f.do("GET", path+"?next="+url.QueryEscape(next), "", f.token(7, account.Customer))
			if w.Code != 303 || w.Header().Get("Location") != want {
				t.Errorf("GET %s logged in, next %q: %d %q, want %q", path, next, w.Code, w.Header().Get("Location"), want)
			}
			if w := f.do("GET", path+"?next="+url.QueryEscape(next), ""); !strings.Contains(w.Body.String(), `name="next" value="`+strings.ReplaceAll(want, "&", "&amp;")+`"`) {
				t.Errorf("GET %s, next %q: the form does not lead to %q", path, next, want)
			}
		}
	}
}

// A page that needs a login is the login itself, and comes back to where one was.
func TestLoginComesBack(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	const booked = "/shows/1?key=K+%26&units=2"
	for name, test := range map[string]struct {
		method, path, body string
		headers            []string
		next               string
	}{
		"my page":                {"GET", "/reservations?cursor=x&lang=en&done=password", "", nil, "/reservations?cursor=x"},
		"a reservation":          {"GET", "/reservations/x", "", nil, "/reservations/x"},
		"a booking":              {"POST", "/shows/1/book", "units=2&key=K+%26", nil, booked},
		"a booking, odd":         {"POST", "/shows/1/book", "", nil, "/shows/1"},
		"a form":                 {"POST", "/reservations/x/cancel", "", []string{"Referer: http://example.com/reservations/x/cancel?lang=en"}, "/reservations/x/cancel"},
		"a form of nowhere":      {"POST", "/password", "", nil, "/"},
		"a form of another site": {"POST", "/password", "", []string{"Referer: http://evil.test/reservations"}, "/"},
	} {
		headers := append(test.headers, "Accept: text/html", "Accept-Language: en")
		if test.body != "" {
			headers = append(headers, "Content-Type: application/x-www-form-urlencoded")
		}
		w := f.page(test.method, test.path, test.body, headers...)
		body := html.UnescapeString(w.Body.String())
		if !strings.Contains(body, `name="next" value="`+test.next+`"`) || !strings.Contains(body, "You will come back") {
			t.Errorf("%s: does not come back to %s: %d", name, test.next, w.Code)
		}
		if w.Code != 401 || w.Header().Get("Www-Authenticate") == "" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
	}
	if f.box.calls > 0 {
		t.Error("something was done without a login")
	}
	// What the login comes back to is the booking as it was, with its key.
	w := f.page("GET", booked, "", f.token(7, account.Customer))
	for _, want := range []string{`name="key" value="K &amp;"`, `value="2" required`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the booking comes back without %s", want)
		}
	}
	if got := w.Header().Get("Cache-Control"); got != "private, no-cache" {
		t.Errorf("a browser may not keep the page of a show: %q", got)
	}
}

// The page that answers a booking is reached again as the show's: by the address bar, by a browser without scripts that looks again when
// the sale opens, and in the other language, where it is still the same booking.
func TestPageOfABookingComesAgain(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	w := f.page("GET", "/shows/1/book?lang=ko", "", f.token(7, account.Customer))
	if w.Code != 303 || w.Header().Get("Location") != "/shows/1?lang=ko" {
		t.Errorf("by the address: %d %q", w.Code, w.Header().Get("Location"))
	}
	f.box.err = stock.ErrUnknown
	form := url.Values{"units": {"2"}, "key": {"K"}}
	for who, w := range map[string]*httptest.ResponseRecorder{
		"a customer": f.postForm("/shows/1/book", form, f.token(7, account.Customer), "Referer: http://example.com/shows/1"),
		"nobody":     f.postForm("/shows/1/book", form, "Referer: http://example.com/shows/1"),
	} {
		if !strings.Contains(w.Body.String(), `<a href="/shows/1?key=K&amp;lang=ko&amp;units=2" hreflang="ko"`) {
			t.Errorf("%s: in the other language it is another booking: %s", who, w.Body)
		}
	}
}

// A page says where its forms are, to this site alone: else browsers that know only Origin would be taken for another site's.
func TestPagesTellWhereFormsAre(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	for _, path := range []string{"/", "/shows/1", "/login", "/nowhere"} {
		if got := f.page("GET", path, "").Header().Get("Referrer-Policy"); got != "same-origin" {
			t.Errorf("%s: %q", path, got)
		}
	}
}
