package web

import (
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
