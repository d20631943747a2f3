package web

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/neticket/neticket/internal/account"
	"github.com/neticket/neticket/internal/web/page"
)

// Whatever a page cannot be shown for, the text blames nobody but who is to blame: only a fault of ours is called one.
func TestProblemsHaveTheirTexts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	ours, err := f.site.Text(page.English, "problem.internal")
	if err != nil {
		t.Fatal(err)
	}
	problems := []Problem{problemOf(&tooManyRequestsError{}), problemOf(&account.TooManyAttemptsError{})}
	for _, r := range refusals {
		problems = append(problems, r.problem)
	}
	for _, p := range append(problems, Problem{Status: 500, Code: codeInternal}) {
		if p.Status == 401 {
			continue // in place of that page is the login
		}
		text, err := f.site.Text(page.English, f.problemKey(p))
		if err != nil || (text == ours) != (p.Status == 500) {
			t.Errorf("%d %s: %q, %v", p.Status, p.Code, text, err)
		}
		if _, err := f.site.Text(page.English, f.problemTitle(p)); err != nil || f.problemTitle(p) == "problem.title.500" && p.Status != 500 {
			t.Errorf("%d %s: title %s, %v", p.Status, p.Code, f.problemTitle(p), err)
		}
	}
}

// A form that another site has sent is told as such, and not as a page for admins.
func TestFormOfAnotherSite(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	w := f.page("POST", "/shows/9/book", url.Values{"units": {"1"}}.Encode(), "Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: cross-site")
	want, err := f.site.Text(page.English, "problem.other_site")
	if err != nil || w.Code != 403 || !strings.Contains(w.Body.String(), want) {
		t.Errorf("%d, %v: %s", w.Code, err, w.Body)
	}
}

// Where it may help to try again, a link does so: for a form it leads to where that was, and a booking keeps its key. It never leads to
// another site.
func TestProblemLeadsOn(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	crowded := newFixture(t, Options{RatePerAddress: 1})
	for range 2 {
		crowded.page("GET", "/", "")
	}
	f.box.err = errors.New("nobody knows this")
	me := f.token(7, account.Customer)
	form := func(fields string) []string {
		return []string{me, "Content-Type: application/x-www-form-urlencoded", "Referer: http://example.com" + fields}
	}
	for name, test := range map[string]struct {
		f                  *fixture
		method, path, body string
		headers            []string
		status             int
		again              string // empty: it is of no use
	}{
		"a page":            {f, "GET", "/reservations?cursor=&done=password", "", []string{me}, 500, "/reservations?cursor="},
		"a booking":         {f, "POST", "/shows/1/book", "units=2&key=K", form("/shows/1"), 500, "/shows/1?key=K&amp;units=2"},
		"too often":         {crowded, "GET", "/search?q=a+b", "", nil, 429, "/search?q=a&#43;b"},
		"too often a login": {crowded, "GET", "/login?next=/shows/1", "", nil, 429, "/login?next=/shows/1"},
		"too often a form":  {crowded, "POST", "/admin/shows", "title=x", form("/admin/shows/new"), 429, "/admin/shows/new"},
		"another site":      {crowded, "GET", "//evil.test/", "", nil, 429, "/"},
		"nothing":           {f, "GET", "/nowhere", "", nil, 404, ""},
		"nothing to book":   {f, "POST", "/shows/2/book", "units=2&key=K", form("/shows/2"), 404, ""},
	} {
		w := test.f.page(test.method, test.path, test.body, test.headers...)
		link := `href="` + test.again + `">Try again</a>`
		if test.again == "" {
			link = `href="/">To the home page</a>`
		}
		if w.Code != test.status || !strings.Contains(w.Body.String(), link) || test.again == "" && strings.Contains(w.Body.String(), "Try again") {
			t.Errorf("%s: %d, want %d and %s in\n%s", name, w.Code, test.status, link, w.Body)
		}
	}
}
