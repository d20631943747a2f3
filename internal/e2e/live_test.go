package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/neticket/neticket/internal/system/systemtest"
)

// streams waits until an API has that many open streams.
func (p *process) streams(t *testing.T, want int) {
	t.Helper()
	eventually(t, fmt.Sprint(want, " streams are open"), func() bool {
		return p.metrics(t)["neticket_stock_streams"] == float64(want)
	})
}

// TestBrowserLiveNumbers: units left on a page follow what others book; a pause holds them; a hidden page has no stream.
func TestBrowserLiveNumbers(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	show := d.Show(t, 1240, 0)
	api := d.start(t, "api")
	d.start(t, "worker")
	book := func(units int) {
		t.Helper()
		if r, err := d.as(t, 7).book(show, units); err != nil || r.Status != 202 {
			t.Fatalf("book: %+v, %v", r, err)
		}
	}
	home, detail := d.visitor(t, "en"), d.visitor(t, "ko")
	home.goTo("/")
	home.left(show, 1240)
	detail.goTo(fmt.Sprint("/shows/", show))
	detail.left(show, 1240)
	api.streams(t, 2)

	book(40)
	home.left(show, 1200)
	detail.left(show, 1200)

	home.press("Pause live numbers")
	api.streams(t, 1)
	book(100)
	detail.left(show, 1100)
	home.left(show, 1200)
	home.press("Resume live numbers")
	home.left(show, 1100)
	home.sees("Pause live numbers")

	hide := func(hidden bool) {
		t.Helper()
		eval[bool](detail, fmt.Sprintf(`(Object.defineProperty(document, 'hidden', { value: %t, configurable: true }), document.dispatchEvent(new Event('visibilitychange')))`, hidden))
	}
	hide(true)
	api.streams(t, 1)
	for range 10 {
		book(100)
	}
	home.left(show, 100)
	hide(false)
	detail.left(show, 100)
	if said := eval[string](detail, `document.getElementById('said').textContent`); said != "" {
		t.Errorf("a screen reader is told %q, and nothing has changed that matters", said)
	}
	book(90)
	detail.left(show, 10)
	detail.until("a screen reader is told of the last ones", `document.getElementById('said').textContent.includes('10장 이하')`)
	book(10)
	detail.state(show, "sold_out")
	detail.sees("매진", "모든 표가 팔렸습니다")
	detail.misses("예매하기")
	detail.until("a screen reader is told", `document.getElementById('said').textContent.includes('매진되었습니다')`)
	home.state(show, "sold_out")
}

// TestBrowserStreamCutAndBack: while the network is away numbers stand still, and the page says nothing wrong; once it is back they follow.
// Where streams are not to be had, the page asks from time to time.
func TestBrowserStreamCutAndBack(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	show := d.Show(t, 50, 0)
	api := d.start(t, "api")
	line := systemtest.NewProxy(t, strings.TrimPrefix(api.url, "http://"))
	book := func() {
		t.Helper()
		if r, err := d.as(t, 7).book(show, 1); err != nil || r.Status != 202 {
			t.Fatalf("book: %+v, %v", r, err)
		}
	}
	v := visit(t, "http://"+line.Addr(), "en")
	v.forgive("net::ERR_", "/api/v1/stock/stream", "/api/v1/shows/")
	v.goTo(fmt.Sprint("/shows/", show))
	v.left(show, 50)
	api.streams(t, 1)

	line.Cut()
	api.streams(t, 0)
	book()
	d.wantLeft(t, show, 49)
	if got := eval[string](v, `document.querySelector('[data-left]').textContent`); got != "50" {
		t.Fatalf("%s left without a line: the test does not cut it", got)
	}
	line.Mend()
	back := time.Now()
	v.left(show, 49)
	book()
	v.left(show, 48)
	t.Log("the stream was back after ", since(back))

	line.Rule(func(request []byte) systemtest.Fate {
		if strings.HasPrefix(string(request), "GET /api/v1/stock/stream") {
			return systemtest.LoseRequest
		}
		return systemtest.Deliver
	})
	line.Cut()
	api.streams(t, 0)
	line.Mend()
	book()
	v.left(show, 47)
	api.streams(t, 0)
	line.Rule(nil)
	api.streams(t, 1)
	book()
	v.left(show, 46)

	api.terminate(t) // a stream ends first, and comes back with the next API on the same address
	next := d.start(t, "api")
	line.Move(strings.TrimPrefix(next.url, "http://"))
	if r, err := d.as(t, 7).book(show, 1); err != nil || r.Status != 202 {
		t.Fatalf("book: %+v, %v", r, err)
	}
	v.left(show, 45)
}
