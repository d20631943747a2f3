package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// watchButton notes when the button of a page comes alive, by the clock of the machine, whatever the page takes it for.
const watchButton = `(() => {
  const button = document.querySelector('.book .primary')
  new MutationObserver(() => { if (button.ariaDisabled === 'false') window.alive ??= performance.timeOrigin + performance.now() }).observe(button, { attributes: true })
  return button.ariaDisabled === 'true'
})()`

// inTheFuture lets a page believe that it is an hour later.
const inTheFuture = `{ const now = Date.now; Date.now = () => now() + 3600e3 }`

// runBefore runs a script in every page before its own.
func (v *visitor) runBefore(script string) {
	v.t.Helper()
	v.call("run a script first", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	})
}

// TestBrowserSaleOpensUnderPage: a page that was left open can book within a second of the opening by Redis's clock, and never before it:
// with a stream and without, with a clock that is wrong. Nobody fetches a page for that, so the crowd does not either.
func TestBrowserSaleOpensUnderPage(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	api := d.start(t, "api")
	started := time.Now()
	opens := started.Add(20 * time.Second).Truncate(time.Millisecond)
	show := d.ShowAt(t, 1000, 0, opens, opens.Add(time.Hour), opens.Add(2*time.Hour))
	putOff := d.ShowAt(t, 1000, 0, opens, opens.Add(time.Hour), opens.Add(2*time.Hour))
	path := fmt.Sprint("/shows/", show)

	streamed, still, other := d.visitor(t, "en"), d.visitor(t, "ko"), d.visitor(t, "en")
	still.runBefore(inTheFuture)
	streamed.goTo(path)
	streamed.sees("Opens in 00:0", "Not open yet")
	still.goTo(path)
	still.press("실시간 수량 갱신 멈추기")
	other.goTo(fmt.Sprint("/shows/", putOff))
	for _, v := range []*visitor{streamed, still, other} {
		if !eval[bool](v, watchButton) {
			t.Fatal("the button works before the sale opens")
		}
		v.requests()
	}
	d.edit(t, api, putOff, 200, "", func(p *poster) { p.Opens = p.Opens.Add(10 * time.Minute) })
	t.Log("all wait after ", since(started))

	redis, err := d.Redis.Time(t.Context()).Result()
	ahead := time.Since(redis) // of the machine's clock: more than it is, by the way of the answer
	if err != nil || time.Now().After(opens.Add(-time.Second)) {
		t.Fatalf("the machine is too busy: %v, %v to go", err, time.Until(opens))
	}
	for name, v := range map[string]*visitor{"with a stream": streamed, "without a stream, an hour ahead": still} {
		v.until("the button comes alive", `window.alive > 0 && document.querySelector('.book .primary').ariaDisabled === 'false'`)
		alive := time.UnixMicro(int64(eval[float64](v, `window.alive`) * 1000))
		if late := alive.Add(-ahead).Sub(opens); late < -10*time.Millisecond || late > time.Second {
			t.Errorf("%s: the button comes alive %v after the opening", name, late)
		} else {
			t.Logf("%s: %v after the opening", name, late)
		}
		v.state(show, "on_sale")
	}
	streamed.misses("Opens in")
	for _, r := range streamed.requests() {
		if r.kind == network.ResourceTypeDocument || r.kind == network.ResourceTypeFetch {
			t.Errorf("at the opening the page asks for %s", r.url)
		}
	}
	streamed.until("a screen reader is told", `document.getElementById('said').textContent === 'The sale is open.'`)
	other.until("the page takes back that the sale is open", `window.alive > 0 && document.querySelector('.book .primary').ariaDisabled === 'true'`)
	other.sees("Opens in 00:0")
	if r, err := d.as(t, 1).book(show, 1); err != nil || r.Status != 202 {
		t.Errorf("book: %+v, %v", r, err)
	}
}
