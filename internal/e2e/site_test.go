package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
)

// TestBrowserReadingPages is what a person does who looks for a show: from the home page, by a search, in his language.
func TestBrowserReadingPages(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	for i := range 5 {
		d.stage(t, stage{title: fmt.Sprint("백조의 호수 ", i+1), venue: "예술의전당", capacity: 100, starts: time.Duration(i+1) * 24 * time.Hour})
	}
	mozart := d.stage(t, stage{title: "The Magic Flute", venue: "Seoul Arts Center", description: "First line.\n\nSecond paragraph.", capacity: 7, limit: 4, price: 88000})
	d.start(t, "api")

	v := d.visitor(t, "ko-KR,ko;q=0.9")
	v.goTo("/")
	v.sees("지금 예매할 수 있는 공연", "The Magic Flute", "백조의 호수 1", "남은 표 100장")
	if lang := eval[string](v, `document.documentElement.lang`); lang != "ko" {
		t.Errorf("lang = %s", lang)
	}
	v.press("더 보기")
	v.sees("백조의 호수 4", "백조의 호수 5")
	v.press("처음으로")
	v.sees("백조의 호수 1")
	v.press("English")
	v.sees("On sale now", "7 left", "Log in")
	v.fill("Search for shows", "seoul flute")
	v.keys(kb.Enter)
	v.sees("1 show found.", "The Magic Flute")
	if at := v.address(); at != "/search?q=seoul+flute" {
		t.Errorf("the words are not in the address: %s", at)
	}
	v.press("The Magic Flute")
	v.isAt(fmt.Sprint("/shows/", mozart))
	v.sees("₩88,000", "Up to 4 tickets for each person.", "Second paragraph.", "7 left", "On sale")
	if title, lang := eval[string](v, `document.title`), eval[string](v, `document.documentElement.lang`); title != "The Magic Flute · NETicket" || lang != "en" {
		t.Errorf("title %q, lang %s: the language was chosen before", title, lang)
	}
	v.press("One ticket more")
	v.press("One ticket more")
	v.press("One ticket fewer")
	if units := eval[string](v, `document.getElementById('units').value`); units != "2" {
		t.Errorf("%s tickets are chosen", units)
	}
	if drawn := eval[bool](v, `document.querySelector('img.poster').decode().then(() => document.querySelector('img.poster').naturalWidth > 0)`); !drawn {
		t.Error("the poster is not drawn")
	}
	v.goTo("/search?q=nothing+of+this+kind")
	v.sees("No show has all of these words.")
	v.press("See what is on sale")
	v.isAt("/")
}

// TestBrowserErrorPages: what is not there, or not allowed, is told by a page in the person's language that leads on.
func TestBrowserErrorPages(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	d.start(t, "api")
	for lang, says := range map[string][]string{"ko": {"페이지가 없습니다", "처음 화면으로"}, "en": {"Nothing here", "To the home page"}} {
		v := d.visitor(t, lang)
		v.forgive("status of 404")
		for _, path := range []string{"/nowhere", "/shows/999999", "/shows/x", "/shows/1/2"} {
			v.goTo(path)
			v.sees(says...)
		}
		v.press(says[1])
		v.isAt("/")
	}
}

// TestBrowserFormKeepsItsKey: whoever comes back to a form, by whatever way, sends the same booking.
func TestBrowserFormKeepsItsKey(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	show := d.Show(t, 10, 0)
	d.start(t, "api")
	v := d.visitor(t, "en")
	path := fmt.Sprint("/shows/", show)
	key := func() string { t.Helper(); return eval[string](v, `document.querySelector('[name=key]').value`) }
	v.goTo(path)
	first := key()
	v.fill("Tickets", "3")
	eval[bool](v, `(addEventListener('pageshow', (e) => { window.revived = e.persisted }), true)`)
	v.press("NETicket")
	v.isAt("/")
	if _, err := d.as(t, 1).book(show, 4); err != nil {
		t.Fatal(err)
	}
	v.back()
	v.isAt(path)
	v.left(show, 6)
	if again := key(); again != first {
		t.Errorf("the key was %s and is %s", first, again)
	}
	t.Log("out of the back/forward cache: ", eval[bool](v, `window.revived === true`))
	v.reload()
	if key() == first {
		t.Error("a new page has the old key: the test would not see a page that is always the same")
	}
}

// TestBrowserWithoutScripts: everything can be done without JavaScript, if less conveniently.
func TestBrowserWithoutScripts(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	show := d.stage(t, stage{title: "Swan Lake", capacity: 10})
	soon := d.stage(t, stage{title: "Giselle", capacity: 10, opens: 10 * time.Minute})
	d.start(t, "api")
	v := d.visitor(t, "en")
	v.scripts(false)
	v.forgive("status of 401")
	v.goTo("/")
	v.sees("Swan Lake", "10 left", "Opening soon", "Giselle")
	if hidden := eval[bool](v, `document.querySelector('[data-live-pause]').checkVisibility()`); hidden {
		t.Error("a button is shown that does nothing")
	}
	v.fill("Search for shows", "lake")
	v.keys(kb.Enter)
	v.sees("1 show found.")
	v.press("Swan Lake")
	v.isAt(fmt.Sprint("/shows/", show))
	if shown := eval[int](v, `[...document.querySelectorAll('[data-step]')].filter((e) => e.checkVisibility()).length`); shown > 0 {
		t.Error("buttons are shown that do nothing")
	}
	v.fill("Tickets", "2")
	v.press("Book")
	v.sees("log in")
	v.goTo(fmt.Sprint("/shows/", soon))
	v.sees("The sale has not opened yet.")
	if refresh := eval[string](v, `document.querySelector('noscript').innerHTML`); !strings.Contains(refresh, "http-equiv") {
		t.Error("a page without scripts does not look again when the sale opens")
	}
}
