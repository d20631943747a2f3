package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// misfits returns what does not fit on a page: what reaches over its edge, text that is cut off, and what is too small for a finger.
// What scrolls by itself, such as a wide table, may be wider; what is there for screen readers only has no size.
const misfits = `(() => {
  const faults = [], root = document.documentElement, edge = root.clientWidth
  const name = (e) => e.tagName.toLowerCase() + (e.className?.baseVal === undefined && e.className ? '.' + e.className : '') + ' "' + e.textContent.trim().slice(0, 30) + '"'
  const scrolls = (e) => e && e !== document.body && (/auto|scroll/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement))
  if (root.scrollWidth > edge) faults.push('the page is ' + root.scrollWidth + ' wide in a window of ' + edge)
  for (const e of document.body.querySelectorAll('*')) {
    const box = e.getBoundingClientRect(), style = getComputedStyle(e)
    if (box.width === 0 || !e.checkVisibility({ visibilityProperty: true }) || e.closest('.sr, .skip, svg, option') || scrolls(e)) continue
    if (box.right > edge + 1 || box.left < -1) faults.push(name(e) + ' reaches from ' + box.left + ' to ' + box.right)
    const writes = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())
    if (writes && style.display !== 'inline' && e.scrollWidth > e.clientWidth + 1) faults.push(name(e) + ' is cut off: ' + e.scrollWidth + ' in ' + e.clientWidth)
    if (writes && /hidden|clip/.test(style.overflowY) && style.webkitLineClamp === 'none' && e.scrollHeight > e.clientHeight + 1) faults.push(name(e) + ' is cut off below')
    if (e.matches('button, .button, select, textarea, input:not([type=checkbox], [type=radio])') && box.height < 43.5) faults.push(name(e) + ' is ' + box.height + ' high')
  }
  return faults
})()`

// boxes returns the letters of a page that its fonts do not have: they are drawn as the letter that nobody has is.
const boxes = `(() => {
  const size = 32, canvas = new OffscreenCanvas(size, size), pen = canvas.getContext('2d', { willReadFrequently: true })
  pen.font = '20px ' + getComputedStyle(document.body).fontFamily
  const draw = (letter) => {
    pen.clearRect(0, 0, size, size)
    pen.fillText(letter, 4, 24)
    return pen.getImageData(0, 0, size, size).data.join()
  }
  const nobodys = new Set(['\u{E123}', '\u{F8F1}', '\u{10FFFD}'].map(draw))
  const letters = new Set(document.documentElement.innerText + document.title)
  return [...letters].filter((letter) => letter.trim() && nobodys.has(draw(letter)))
})()`

// violations returns what axe-core finds on a page, once it is there.
const violations = `axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
  .then((found) => found.violations.map((v) => v.id + ' (' + v.help + '): ' + v.nodes.map((n) => n.target.join(' ') + ' ' + (n.any[0]?.message ?? '')).slice(0, 3).join('; ')))`

// axe is axe-core, which scripts/install --tests brings.
func axe(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("../../tools/axe/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("%v: run scripts/install --tests", err)
	}
	return string(source)
}

// TestBrowserChecks: the checks of pages find what they are there to find.
func TestBrowserChecks(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	d.stage(t, stage{title: "Swan Lake", capacity: 10})
	d.start(t, "api")
	v := d.visitor(t, "en")
	v.screen(360, 800)
	plant := func(html string) {
		t.Helper()
		v.goTo("/")
		eval[bool](v, `(document.querySelector('main').insertAdjacentHTML('beforeend', `+quote(html)+`), true)`)
	}
	for html, want := range map[string]string{
		"":                            "",
		`<p id="x">fine</p>`:          "",
		`<button id="x">low</button>`: "",
		`<pre>` + strings.Repeat("wide ", 100) + `</pre>`: "wide in a window of 360",
		`<button class="planted">long</button>`:           "is cut off",
		`<p class="planted">` + strings.Repeat("x", 90):   "is cut off",
		`<a class="planted button">low</a>`:               "is 20 high",
	} {
		plant(html)
		eval[bool](v, `(document.querySelectorAll('.planted').forEach((e) => Object.assign(e.style, { width: '20px', height: '20px', minHeight: 0, padding: 0, overflow: 'hidden', overflowWrap: 'normal', whiteSpace: 'nowrap', display: 'block' })), true)`)
		found := fmt.Sprint(eval[[]string](v, misfits))
		if !strings.Contains(found, want) || want == "" && found != "[]" {
			t.Errorf("%q: %s, want %q", html, found, want)
		}
	}
	for text, want := range map[string]string{"Abc 가힣 漢字 ₩−…–’“”·": "", "a\U000F1234b": "\U000F1234"} {
		plant(text)
		if found := strings.Join(eval[[]string](v, boxes), ""); found != want {
			t.Errorf("letters that are not there in %q: %q, want %q", text, found, want)
		}
	}
	for html, want := range map[string]string{"": "", `<input>`: "label", `<img src="/assets/x">`: "image-alt", `<p class="grey">grey</p>`: "color-contrast"} {
		v.forgive("/assets/x", "status of 404")
		plant(html)
		eval[bool](v, `(document.querySelectorAll('.grey').forEach((e) => { e.style.color = '#ccc'; e.style.background = '#fff' }), true)`)
		eval[json.RawMessage](v, axe(t)+"; null")
		found := fmt.Sprint(eval[[]string](v, violations))
		if !strings.Contains(found, want) || want == "" && found != "[]" {
			t.Errorf("axe says of %q: %s, want %q", html, found, want)
		}
	}
	plant(`<a href="#x" id="under">under</a><p class="over">over</p>`)
	eval[bool](v, `(Object.assign(document.querySelector('.over').style, { position: 'fixed', inset: 0, background: 'red' }), document.getElementById('under').focus(), true)`)
	if at := eval[focus](v, focused); at.Free || !at.Seen {
		t.Errorf("something lies over what has the focus: %+v", at)
	}
	eval[bool](v, `(document.getElementById('under').style.outline = 'none', true)`)
	if at := eval[focus](v, focused); at.Seen {
		t.Errorf("the focus cannot be seen: %+v", at)
	}
	if faults := v.complaints(); len(faults) > 0 {
		t.Errorf("before anything is wrong: %v", faults)
	}
	for script, want := range map[string]string{
		`document.head.insertAdjacentHTML('beforeend', '<style>p { color: red }</style>')`: "Content Security Policy",
		`setTimeout(() => { throw new Error('planted') })`:                                 "planted",
		`fetch('/api/v1/shows/999')`:                                                       "status of 404",
		`console.error('told')`:                                                            "told",
	} {
		v.mu.Lock()
		v.faults, v.forgiven = nil, nil
		v.mu.Unlock()
		eval[json.RawMessage](v, `(`+strings.TrimSuffix(script, ";")+`, null)`)
		eventually(t, "a complaint of "+want, func() bool { return strings.Contains(fmt.Sprint(v.complaints()), want) })
	}
	v.forgive("")
}
