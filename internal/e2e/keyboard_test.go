package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// focused tells what has the focus, whether that can be seen, and whether something lies over it.
const focused = `(() => {
  const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e)
  const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
  return {
    name: (e.getAttribute('aria-label') || [...(e.labels ?? [])].map((l) => l.innerText).join(' ') || e.innerText || e.tagName).trim().split('\n')[0],
    seen: e === document.body || e.id === 'main' || parseFloat(style.outlineWidth) >= 2 && style.outlineStyle !== 'none',
    free: e === document.body || e === hit || e.contains(hit),
  }
})()`

type focus struct {
	Name       string
	Seen, Free bool
}

// walk presses Tab until something of that name has the focus.
func (v *visitor) walk(to string) {
	v.t.Helper()
	var way []string
	for range 60 {
		v.keys(kb.Tab)
		at := eval[focus](v, focused)
		if !at.Seen || !at.Free {
			v.t.Errorf("%+v at %s: the focus has to be seen, and not to be covered", at, v.address())
		}
		if way = append(way, at.Name); at.Name == to {
			return
		}
	}
	v.t.Fatalf("%s is not reached by Tab: %q", to, way)
}

// TestBrowserKeyboard books and cancels by the keyboard alone, on a small screen, where the button that sticks to its foot covers nothing
// that has the focus.
func TestBrowserKeyboard(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	long := ""
	for i := range 60 {
		long += fmt.Sprintf("Paragraph %d.\n\n", i)
	}
	show := d.stage(t, stage{title: "Swan Lake", description: long, capacity: 10, limit: 4})
	d.start(t, "api")
	d.start(t, "worker")
	v := d.visitor(t, "en")
	v.logInAs(token(t, 7))
	v.screen(360, 640)
	v.goTo("/")
	v.walk("Skip to content")
	v.keys(kb.Enter)
	v.until("the content has the focus", `document.activeElement.id === 'main'`)
	v.walk("Swan Lake")
	v.keys(kb.Enter)
	v.isAt(fmt.Sprint("/shows/", show))
	v.until("the button is in sight before anything is scrolled", `(() => {
  const box = document.querySelector('.book .primary').getBoundingClientRect()
  return scrollY === 0 && box.top > 0 && box.bottom <= innerHeight })()`)
	v.walk("One ticket more")
	v.keys(" ")
	v.walk("Book")
	v.walk("API") // past all that comes after it
	for range 40 {
		v.keys(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift))
		at := eval[focus](v, focused)
		if !at.Seen || !at.Free {
			t.Errorf("on the way back: %+v", at)
		}
		if at.Name == "Book" {
			break
		}
	}
	v.keys(kb.Enter)
	v.isAt(bookedAt(show))
	v.sees("Your booking is confirmed", "2 tickets")
	v.walk("Cancel")
	v.keys(kb.Enter)
	v.sees("Cancel this booking?")
	v.keys(kb.Escape)
	v.misses("Cancel this booking?")
	v.keys(kb.Enter)
	v.sees("Cancel this booking?")
	v.walk("Cancel the booking")
	v.keys(kb.Enter)
	v.sees("Your booking is cancelled")
}

// TestBrowserFocusStays: a button that does not work yet can be gone to, and whoever is at one that goes away is led to what says why.
func TestBrowserFocusStays(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	soon := d.stage(t, stage{title: "Giselle", capacity: 10, opens: time.Hour})
	show := d.Show(t, 3, 0)
	d.start(t, "api")
	v := d.visitor(t, "en")
	v.logInAs(token(t, 7))
	v.goTo(fmt.Sprint("/shows/", soon))
	v.walk("Book")
	v.keys(kb.Enter)
	v.goTo(fmt.Sprint("/shows/", show))
	v.left(show, 3)
	v.walk("Book")
	eval[bool](v, `delete Element.prototype.checkVisibility`) // as in browsers of 2023: what fails here leaves the button as it was
	if r, err := d.as(t, 8).book(show, 3); err != nil || r.Status != 202 {
		t.Fatalf("book: %+v, %v", r, err)
	}
	v.until("the focus is at what says that it is sold out", `document.activeElement.innerText.startsWith('All tickets are sold.')`)
	if found := d.rows(t, soon); len(found) != 0 {
		t.Errorf("booked before the sale: %v", found)
	}
}
