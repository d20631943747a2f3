package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

const passphrase = "correct horse battery"

// signUp makes an account through the API and returns its id.
func (d *deployment) signUp(t *testing.T, email string) int64 {
	t.Helper()
	nobody := caller{url: d.url, http: http.DefaultClient}
	r := nobody.must(t, "POST", "/api/v1/signup", fmt.Sprintf(`{"email":%q,"password":%q,"name":"Kim"}`, email, passphrase))
	if r.Status != http.StatusCreated {
		t.Fatalf("sign up: %+v", r)
	}
	return int64(r.Body["id"].(float64))
}

// TestBrowserCustomer is what a new customer does: finds a show, has to sign up, books, keeps it, and cancels it.
func TestBrowserCustomer(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	show := d.stage(t, stage{title: "Swan Lake", venue: "Opera", price: 50000, capacity: 10, limit: 4})
	d.start(t, "api")
	d.start(t, "worker")
	v := d.visitor(t, "en")
	v.screen(390, 844)
	v.goTo("/")
	v.press("Swan Lake")
	v.fill("Tickets", "2")
	v.sees("Total ₩100,000")
	key := eval[string](v, `document.querySelector('[name=key]').value`)
	v.forgive("status of 401")
	v.press("Book")
	v.sees("Please log in. You will come back to where you were.")
	v.press("Sign up")
	v.isAt("/signup?")
	v.fill("Name", "김하나")
	v.fill("Email address", "kim@example.com")
	v.fill("Password", passphrase)
	v.press("Show the password")
	if typed := eval[string](v, `document.querySelector('[name=password]').type`); typed != "text" {
		t.Errorf("the password is not shown: %s", typed)
	}
	v.press("#main button.primary")
	v.isAt(fmt.Sprint("/shows/", show, "?"))
	if kept := eval[string](v, `document.querySelector('[name=units]').value + document.querySelector('[name=key]').value`); kept != "2"+key {
		t.Errorf("the form came back as %s, want 2%s", kept, key)
	}
	v.press("Book")
	v.isAt(bookedAt(show))
	v.sees("Your booking is confirmed", "Swan Lake", "2 tickets", "₩100,000", "Reservation number")
	where := v.address()
	number := eval[string](v, `document.querySelector('.stub .number').textContent`)
	if len(number) != 14 || !eval[bool](v, `document.querySelector('svg.qr path').getBBox().width > 10`) {
		t.Errorf("number %q, or no code of it", number)
	}
	v.reload()
	v.sees("Your booking is confirmed", number)
	if kind := eval[string](v, `fetch(document.querySelector('a[href$=".ics"]').href).then((answer) => answer.headers.get('Content-Type'))`); !strings.HasPrefix(kind, "text/calendar") {
		t.Errorf("the calendar's file is %s", kind)
	}
	d.wantLeft(t, show, 8)

	v.press("My tickets")
	v.isAt("/reservations")
	v.sees("Upcoming", "Swan Lake", number)
	v.press("Cancel: Swan Lake")
	v.sees("Cancel this booking?", "You give 2 tickets back.")
	if !eval[bool](v, `document.querySelector('dialog').open && document.activeElement.textContent === 'Keep it as it is'`) {
		t.Error("it is no dialog, or what does nothing is not chosen at first")
	}
	v.press("Keep it as it is")
	v.until("the dialog is gone, and what opened it has the focus",
		`!document.querySelector('dialog') && document.activeElement.getAttribute('aria-label') === 'Cancel: Swan Lake'`)
	v.press("Cancel: Swan Lake")
	v.press("Cancel the booking")
	v.isAt(where)
	v.sees("Your booking is cancelled")
	d.wantLeft(t, show, 10)
	v.press("My tickets")
	v.sees("Cancelled or not accepted", "Swan Lake")
	v.misses("Upcoming")
	v.press("Log out")
	v.sees("You are logged out.", "Log in")
	v.goTo(where)
	v.misses("Swan Lake")
	d.sound(t)
}

// TestBrowserOneBooking: however often a form is sent, by a double click, after a reload, from the page before or from another tab, it is
// one booking.
func TestBrowserOneBooking(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	show := d.Show(t, 10, 0)
	path := fmt.Sprint("/shows/", show)
	api := d.start(t, "api")
	d.start(t, "worker")
	v := d.visitor(t, "en")
	v.logInAs(token(t, 7))
	v.goTo(path)
	key := eval[string](v, `document.querySelector('[name=key]').value`)
	v.pressTwice("Book")
	v.isAt(bookedAt(show))
	v.sees("Your booking is confirmed")
	where := v.address()
	v.reload()
	v.sees("Your booking is confirmed")
	again := func(how string) {
		t.Helper()
		v.press("Book")
		v.isAt(bookedAt(show))
		if at := v.address(); at != where {
			t.Errorf("%s leads to %s, not to %s", how, at, where)
		}
	}
	v.back()
	v.isAt(path)
	again("the page before")
	tab := v.tab()
	for _, each := range []*visitor{v, tab} {
		each.goTo(path + "?units=1&key=" + key)
	}
	tab.press("Book")
	tab.isAt(bookedAt(show))
	again("another tab")
	if found := d.rows(t, show); len(found) != 1 {
		t.Errorf("%d bookings: %v", len(found), found)
	}
	v.goTo(path)
	v.press("Book")
	v.isAt(bookedAt(show))
	if at := v.address(); at == where {
		t.Error("a new page makes no new booking")
	}
	v.goTo(path)
	api.freeze(t)
	v.press("Book")
	v.sees("Booking…") // while there is no answer
	api.thaw(t)
	v.isAt(bookedAt(show))
}

// TestBrowserBookFits: the button that is being sent fits a narrow phone, and what sticks to its foot does not stick to paper.
func TestBrowserBookFits(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	show := d.Show(t, 10, 0)
	d.start(t, "api")
	for lang, says := range map[string][2]string{"ko": {"예매하기", "처리 중…"}, "en": {"Book", "Booking…"}} {
		v := d.visitor(t, lang)
		v.screen(320, 568)
		v.goTo(fmt.Sprint("/shows/", show))
		eval[bool](v, `(addEventListener('submit', (submit) => submit.preventDefault()), true)`)
		v.press(says[0])
		v.until("it says that it is being sent, and fits", fmt.Sprintf(`(() => {
  const button = document.querySelector('[data-sent] .primary'), form = button.form.getBoundingClientRect()
  return button.textContent === %q && button.getBoundingClientRect().right <= form.right && button.scrollWidth <= button.clientWidth })()`, says[1]))
		v.call("print", func(ctx context.Context) error {
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
			return err
		})
		if at := eval[string](v, `getComputedStyle(document.querySelector('.buy')).position`); at != "static" {
			t.Errorf("on paper it is %s", at)
		}
	}
}

// TestBrowserLastUnit: of two who press at once, one has the last unit, and the other is told so; so is one whose page is old.
func TestBrowserLastUnit(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	show := d.Show(t, 1, 0)
	d.start(t, "api")
	d.start(t, "worker")
	var people []*visitor
	for user := range 3 {
		v := d.visitor(t, "en")
		v.logInAs(token(t, int64(user+1)))
		v.goTo(fmt.Sprint("/shows/", show))
		v.left(show, 1)
		v.press("Pause live numbers")
		v.forgive("status of 409")
		people = append(people, v)
	}
	late := people[2]
	var places [2][2]float64
	for i, v := range people[:2] {
		places[i] = v.find(pressable, "Book")
	}
	var both sync.WaitGroup
	for i, v := range people[:2] {
		both.Go(func() {
			if err := chromedp.Do(v.ctx, chromedp.MouseClickXY(places[i][0], places[i][1])); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	answers := map[string]int{}
	for _, v := range people[:2] {
		v.until("there is an answer", `/Your booking is confirmed|It has just sold out/.test(document.body.innerText)`)
		answers[eval[string](v, `document.querySelector('.fault')?.textContent ?? document.querySelector('h1').textContent`)]++
	}
	if answers["Your booking is confirmed"] != 1 || len(answers) != 2 {
		t.Errorf("answers: %v", answers)
	}
	late.screen(360, 640)
	late.press("Book")
	late.until("what hinders it is in sight on a phone", `(() => {
  const box = document.querySelector('.fault')?.getBoundingClientRect()
  return box?.top > 0 && box.bottom < innerHeight && document.activeElement.id === 'fault' })()`)
	late.sees("It has just sold out, so nothing was booked.", "Sold out")
	late.left(show, 0)
	if found := d.rows(t, show); confirmed(found) != 1 {
		t.Errorf("bookings: %v", found)
	}
}

// holdFirst holds the first answer that a page's module asks for from now on, until release is called; read is true once that was heard.
const holdFirst = `(() => {
  const real = fetch
  fetch = async (...of) => {
    fetch = real
    await new Promise((go) => { release = go })
    const answer = await real(...of), text = await answer.text()
    return { status: answer.status, text: async () => { setTimeout(() => { read = true }); return text } }
  }
  return true
})()`

// TestBrowserDialogIsTheLast: where what a person pressed first is answered last, the dialog is that of what he pressed last.
func TestBrowserDialogIsTheLast(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	first := d.stage(t, stage{title: "Giselle", capacity: 10})
	second := d.stage(t, stage{title: "Swan Lake", capacity: 10})
	d.start(t, "api")
	d.start(t, "worker")
	me := d.signUp(t, "kim@example.com")
	for _, show := range []int64{first, second} {
		if r, err := d.as(t, me).book(show, 1, "Prefer: wait=5"); err != nil || r.Status != 201 {
			t.Fatalf("book: %+v, %v", r, err)
		}
	}
	v := d.visitor(t, "en")
	v.logInAs(token(t, me))
	v.goTo("/reservations")
	v.sees("kim@example.com")
	eval[bool](v, holdFirst)
	v.press("Cancel: Giselle")
	v.press("Cancel: Swan Lake")
	v.sees("Cancel this booking?")
	eval[bool](v, `(release(), true)`)
	v.until("the first is heard", `window.read === true`)
	if asked := eval[string](v, `document.querySelector('dialog h2').textContent`); asked != "Swan Lake" {
		t.Errorf("the dialog would cancel %s", asked)
	}
}

// TestBrowserMineFollows: what waits for its number in a list of reservations has it there, once it is recorded.
func TestBrowserMineFollows(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	show := d.Show(t, 10, 0)
	d.start(t, "api")
	me := d.signUp(t, "kim@example.com")
	for range 2 {
		if r, err := d.as(t, me).book(show, 1); err != nil || r.Status != 202 {
			t.Fatalf("book: %+v, %v", r, err)
		}
	}
	v := d.visitor(t, "en")
	v.logInAs(token(t, me))
	v.goTo("/reservations")
	v.sees("Waiting for its number")
	d.start(t, "worker")
	v.until("both are confirmed", `[...document.querySelectorAll('.mine .badge')].map((b) => b.dataset.state).join() === 'confirmed,confirmed'`)
}

// TestBrowserLoginExpires: whoever has to log in while booking comes back to the same booking.
func TestBrowserLoginExpires(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	show := d.Show(t, 10, 0)
	d.start(t, "api")
	d.start(t, "worker")
	d.signUp(t, "lee@example.com")
	v := d.visitor(t, "ko")
	v.forgive("status of 401")
	v.goTo("/login")
	logIn := func(typed string) {
		t.Helper()
		v.fill("이메일", "lee@example.com")
		v.fill("비밀번호", typed)
		v.press("#main button.primary")
	}
	logIn("wrong")
	v.until("what is wrong is told", `document.querySelector('.fault') !== null`)
	logIn(passphrase)
	v.isAt("/")
	v.sees("내 예매")
	v.goTo(fmt.Sprint("/shows/", show))
	v.fill("매수", "3")
	key := eval[string](v, `document.querySelector('[name=key]').value`)
	v.call("forget the login", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, network.ClearBrowserCookies, struct{}{})
		return err
	})
	v.press("예매하기")
	v.sees("로그인하면 보던 곳으로 돌아옵니다.")
	logIn(passphrase)
	v.isAt(fmt.Sprint("/shows/", show, "?"))
	if kept := eval[string](v, `document.querySelector('[name=units]').value + document.querySelector('[name=key]').value`); kept != "3"+key {
		t.Errorf("the form came back as %s, want 3%s", kept, key)
	}
	v.press("예매하기")
	v.isAt(bookedAt(show))
	v.until("it is confirmed", `document.querySelector('.ticket').dataset.status === 'confirmed'`)
	for id, r := range d.rows(t, show) {
		if r.units != 3 || r.status != "confirmed" || !strings.HasSuffix(v.address(), id) {
			t.Errorf("%s: %+v, at %s", id, r, v.address())
		}
	}
}
