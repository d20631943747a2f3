package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/neticket/neticket/internal/devserver/servertest"
)

// finder is what the steps of a visitor find things by: as a person does, by what is written on them.
// In pages of several languages things go by #id, too.
const finder = `(kinds, name) => {
  if (name.startsWith('#')) return document.querySelector(name)
  const seen = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0
  const label = (e) => (e.getAttribute('aria-label') || [...(e.labels ?? [])].map((l) => l.innerText).join(' ') || e.innerText || e.value || '').trim()
  const all = [...document.querySelectorAll(kinds)].filter(seen)
  return all.find((e) => label(e) === name) ?? all.find((e) => label(e).includes(name))
}`

const (
	pressable = `button, a, summary, [type=submit], [type=radio], [type=checkbox]`
	fillable  = `input, textarea, select`
)

// eval runs a script in the visitor's page and returns what it comes to. A promise is waited for.
func eval[T any](v *visitor, script string) T {
	v.t.Helper()
	got, err := try[T](v, script)
	if err != nil {
		v.t.Fatalf("%v in %.300s", err, script)
	}
	return got
}

func try[T any](v *visitor, script string) (T, error) {
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// until waits until a script comes to true. A page that is being left, or not there yet, is not.
func (v *visitor) until(what, script string) {
	v.t.Helper()
	is := false
	defer func() {
		if !is {
			v.t.Logf("not so: %s. The page: %.2000s", what, v.text())
		}
	}()
	eventually(v.t, what, func() (_ bool) {
		now, err := try[bool](v, script)
		is = err == nil && now
		return is
	})
}

// text is what is written on the page, and where that is.
func (v *visitor) text() string {
	text, _ := try[string](v, `location.href + ' ' + document.body.innerText`)
	return text
}

// goTo opens an address and returns when it is loaded.
func (v *visitor) goTo(path string) {
	v.t.Helper()
	v.call("go to "+path, func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.Navigate(v.url+path)) })
}

// leaves runs a script that makes the browser go on, as sending a form does, and returns when what it leads to is there.
func (v *visitor) leaves(script string) {
	v.t.Helper()
	eval[bool](v, `(window.left = false, setTimeout(() => { `+script+` }), true)`)
	v.until("another page is there", `window.left === undefined && document.readyState === 'complete'`)
}

// status is that of the answer that the page came with.
func (v *visitor) status() int {
	v.t.Helper()
	return eval[int](v, `performance.getEntriesByType('navigation')[0].responseStatus`)
}

// reload and back do what the browser's buttons do, and return when something is shown.
func (v *visitor) reload() {
	v.t.Helper()
	v.call("reload", func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.Reload()) })
}

func (v *visitor) back() {
	v.t.Helper()
	v.call("go back", func(ctx context.Context) error {
		history, err := chromedp.Call(ctx, page.GetNavigationHistory, struct{}{})
		if err != nil {
			return err
		}
		to := history.Entries[history.CurrentIndex-1]
		if _, err = chromedp.Call(ctx, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: to.ID}); err != nil {
			return err
		}
		return nil
	})
}

// press clicks on what bears a name, with the mouse.
func (v *visitor) press(name string) {
	v.t.Helper()
	at := v.find(pressable, name)
	v.call("press "+name, func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.MouseClickXY(at[0], at[1])) })
}

// pressTwice clicks twice, as fast as people do who do not trust buttons.
func (v *visitor) pressTwice(name string) {
	v.t.Helper()
	at := v.find(pressable, name)
	click := chromedp.MouseClickXY(at[0], at[1])
	v.call("press twice "+name, func(ctx context.Context) error { return chromedp.Do(ctx, click, click) })
}

// find waits for an element, brings it into sight, checks that nothing covers it, and returns where it is.
func (v *visitor) find(kinds, name string) [2]float64 {
	v.t.Helper()
	place := fmt.Sprintf(`(() => {
  const e = (%s)(%s, %s)
  if (!e || e.disabled || e.ariaDisabled === 'true') return []
  e.scrollIntoView({ block: 'center', behavior: 'instant' })
  const r = e.getClientRects()[0], x = r.x + r.width / 2, y = r.y + r.height / 2
  const hit = document.elementFromPoint(x, y)
  return e === hit || e.contains(hit) || hit?.contains(e) ? [x, y] : []
})()`, finder, quote(kinds), quote(name))
	var at []float64
	v.until("there is something to press or fill, called "+name, `(`+place+`).length === 2`)
	at = eval[[]float64](v, place)
	return [2]float64{at[0], at[1]}
}

// fill types into the field with a label, in place of what was there.
func (v *visitor) fill(label, text string) {
	v.t.Helper()
	at := v.find(fillable, label)
	v.call("fill "+label, func(ctx context.Context) error {
		if err := chromedp.Do(ctx, chromedp.MouseClickXY(at[0], at[1])); err != nil {
			return err
		}
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(document.activeElement.select?.(), true)`)); err != nil {
			return err
		}
		return chromedp.Do(ctx, chromedp.KeyEvent(text))
	})
}

// set gives a field a value at once: for fields whose keys differ by language, such as dates.
func (v *visitor) set(label, value string) {
	v.t.Helper()
	v.find(fillable, label)
	eval[bool](v, fmt.Sprintf(`(() => { const e = (%s)(%s, %s); e.value = %s
  for (const kind of ['input', 'change']) e.dispatchEvent(new Event(kind, { bubbles: true })); return true })()`, finder, quote(fillable), quote(label), quote(value)))
}

// keys presses keys, one after the other.
func (v *visitor) keys(keys string, options ...chromedp.KeyOption) {
	v.t.Helper()
	v.call("press keys", func(ctx context.Context) error { return chromedp.Do(ctx, chromedp.KeyEvent(keys, options...)) })
}

// sees waits until texts can be read on the page; they are told apart from what is hidden.
func (v *visitor) sees(texts ...string) {
	v.t.Helper()
	for _, text := range texts {
		v.until("the page says "+text, `document.body.innerText.includes(`+quote(text)+`)`)
	}
}

// misses waits until a text is not on the page.
func (v *visitor) misses(text string) {
	v.t.Helper()
	v.until("the page does not say "+text, `!document.body.innerText.includes(`+quote(text)+`)`)
}

// isAt waits until the address begins with a path.
func (v *visitor) isAt(path string) {
	v.t.Helper()
	v.until("the address is "+path, `(location.pathname + location.search).startsWith(`+quote(path)+`) && document.readyState === 'complete'`)
}

// bookedAt is where the pages of a show's reservations are.
func bookedAt(show int64) string { return fmt.Sprintf("/shows/%d/reservations/", show) }

// address is the path and query of the page.
func (v *visitor) address() string {
	v.t.Helper()
	return eval[string](v, `location.pathname + location.search`)
}

// left waits until the page shows that many units of a show, in words such as "7 left".
func (v *visitor) left(show int64, units int) {
	v.t.Helper()
	v.until(fmt.Sprintf("%d units of show %d are shown", units, show),
		fmt.Sprintf(`[...document.querySelectorAll('[data-live="%d"] [data-left]')].some((e) => e.textContent === new Intl.NumberFormat('en').format(%d))`, show, units))
}

// state waits until the page shows a state of a show, as the API spells it.
func (v *visitor) state(show int64, state string) {
	v.t.Helper()
	v.until(fmt.Sprintf("show %d is shown as %s", show, state), fmt.Sprintf(
		`[...document.querySelectorAll('[data-live="%d"]')].every((e) => e.dataset.state === '%s' && e.querySelector('[data-badge]').dataset.state === '%[2]s')`, show, state))
}

// quote writes a text as a script does.
func quote(text string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always can be
	return strings.TrimSpace(b.String())
}

// since rounds for a log.
func since(at time.Time) time.Duration { return time.Since(at).Round(time.Millisecond) }

// eventually is servertest.Eventually for what browsers do.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	servertest.Eventually(t, patience, what, cond)
}
