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

// The link to the other language leads to the page that one is at, on this site, whatever the path looks like.
func TestLanguageStaysHere(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	for path, want := range map[string]string{
		"//evil.test/x": "/evil.test/x?lang=ko", "/%2Fevil.test": "/evil.test?lang=ko", "/%5Cevil.test": "/%5Cevil.test?lang=ko", "/a%3Fb%23c": "/a%3Fb%23c?lang=ko",
		"/shows/1?units=2&key=K": "/shows/1?key=K&amp;lang=ko&amp;units=2",
	} {
		if w := f.page("GET", path, ""); !strings.Contains(w.Body.String(), `<a href="`+want+`" hreflang="ko"`) {
			_, link, _ := strings.Cut(w.Body.String(), `<nav aria-label="Languages">`)
			t.Errorf("%s: the link does not lead to %s: %.200s", path, want, link)
		}
	}
}

// What is wrong with an address is told in the person's language, and a search for nothing is not one that has found nothing.
func TestAddressesThatAreWrong(t *testing.T) {
	t.Parallel()
	f := withShow(t)
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"/search": {200, "찾을 단어를 입력해"}, "/search?q=": {200, "찾을 단어를 입력해"}, "/search?q=%20%09": {200, "찾을 단어를 입력해"}, "/search?q=%E3%80%80": {200, "찾을 단어를 입력해"},
		"/search?q=%ff": {422, "읽을 수 없는 문자"}, "/search?q=x": {200, "모든 단어가 들어간 공연이 없습니다"}, "/?x=1&x=2": {400, "두 번"}, "/?x=%zz": {400, "형식이 올바르지 않습니다"},
	} {
		w := f.page("GET", path, "", "Accept-Language: ko")
		if w.Code != want.status || !strings.Contains(w.Body.String(), want.text) || strings.Contains(w.Body.String(), "must ") {
			t.Errorf("%s: %d, without %q:\n%s", path, w.Code, want.text, w.Body)
		}
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
		"too often":         {crowded, "GET", "/search?q=a+b", "", nil, 429, "/search?q=a+b"},
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
