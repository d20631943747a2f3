package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// sitePage is a page to look at, as somebody sees it.
type sitePage struct {
	name string
	path string
	who  string // whose token is shown: "", "customer", "admin"
	// act brings the page about, where an address alone does not.
	act func(v *visitor)
}

// TestEveryPage looks at every page in both languages, in light and dark, on a phone, a tablet and a desk: nothing reaches over an
// edge or is cut off, no letter is missing, axe-core has nothing to say, and the browser does not complain. The pictures are kept.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	pages := d.everyPage(t)
	dir, source := album(t), axe(t)
	var sheets sync.WaitGroup
	defer sheets.Wait()
	for _, lang := range []string{"ko", "en"} {
		people := map[string]*visitor{}
		for _, p := range pages {
			v := people[p.who]
			if v == nil {
				v = d.visitor(t, lang)
				v.logIn(p.who)
				v.forgive("status of 4")
				people[p.who] = v
			}
			began := time.Now()
			v.goTo(p.path)
			if p.act != nil {
				p.act(v)
			}
			pictures := v.lookAt(p.name+" "+lang, source, filepath.Join(dir, p.name+"."+lang))
			sheets.Go(func() { sheet(t, filepath.Join(dir, "sheet-"+p.name+"."+lang+".png"), pictures...) })
			t.Logf("%s in %s: %v", p.name, lang, since(began))
		}
	}
}

// lookAt judges a page in all sizes and themes and returns what it looks like: a row of sizes for each theme.
func (v *visitor) lookAt(name, axe, file string) (rows [][][]byte) {
	v.t.Helper()
	eval[json.RawMessage](v, axe+"; null")
	if found := eval[[]string](v, boxes); len(found) > 0 {
		v.t.Errorf("%s: letters are missing: %q", name, found)
	}
	for _, theme := range []string{"light", "dark"} {
		v.prefer("prefers-color-scheme", theme)
		var row [][]byte
		for _, width := range []int64{360, 768, 1280} {
			v.screen(width, 900)
			eval[bool](v, `Promise.all([...document.images].map((i) => { i.loading = 'eager'; return i.decode().catch(() => {}) })).then(() => true)`)
			how := fmt.Sprintf("%s, %s, %d px", name, theme, width)
			for _, fault := range eval[[]string](v, misfits) {
				v.t.Errorf("%s: %s", how, fault)
			}
			if width == 360 || width == 1280 && theme == "dark" {
				for _, fault := range eval[[]string](v, violations) {
					v.t.Errorf("%s: axe: %s", how, fault)
				}
			}
			picture := v.picture()
			if err := os.WriteFile(fmt.Sprintf("%s.%s.%d.png", file, theme, width), picture, 0o600); err != nil {
				v.t.Fatal(err)
			}
			row = append(row, picture)
		}
		rows = append(rows, row)
	}
	return rows
}

// logIn gives the browser a token, as a login does.
func (v *visitor) logIn(who string) {
	v.t.Helper()
	text := ""
	switch who {
	case "":
		return
	case "customer":
		text = token(v.t, 7)
	case "admin":
		text = adminToken(v.t)
	default:
		v.t.Fatalf("nobody is called %s", who)
	}
	v.call("log in", func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: "neticket_token", Value: text, URL: v.url, HTTPOnly: new(true)})
		return err
	})
}

// everyPage puts shows on in every state, and what is extreme, and says what pages there are.
func (d *deployment) everyPage(t *testing.T) []sitePage {
	t.Helper()
	d.start(t, "api")
	d.start(t, "worker")
	day := 24 * time.Hour
	word := strings.Repeat("Donaudampfschifffahrt", 4)[:80]
	sale := d.stage(t, stage{title: "호두까기 인형", venue: "예술의전당 오페라극장", description: "차이콥스키의 발레.\n\n2막 3장.", price: 120000, capacity: 1240, limit: 4, starts: 5 * day})
	long := d.stage(t, stage{title: word, venue: word, description: strings.Repeat("이야기가 길고 길다. "+word+" ", 200)[:10000], capacity: 1, limit: 1, starts: 6 * day})
	many := d.stage(t, stage{title: "Open Air", venue: "Olympic Park", capacity: 99999, price: 999999999, starts: 7 * day})
	soon := d.stage(t, stage{title: "지젤", venue: "국립극장", capacity: 300, limit: 2, price: 55000, opens: 90 * time.Minute, starts: 8 * day})
	d.stage(t, stage{title: "Later", capacity: 300, opens: 3 * day, starts: 9 * day})
	gone := d.stage(t, stage{title: "마술피리", capacity: 2, starts: 2 * day})
	closed := d.stage(t, stage{title: "Don Giovanni", capacity: 50, starts: time.Hour, closes: -time.Minute})
	ended := d.stage(t, stage{title: "Tosca", capacity: 50, opens: -3 * day, starts: -time.Hour})
	for i := range 14 {
		d.stage(t, stage{title: fmt.Sprintf("Chamber Music No. %d", i+1), venue: "IBK Hall", capacity: 30, price: 30000, starts: time.Duration(10+i) * day})
	}
	if r, err := d.as(t, 1).book(gone, 2, "Prefer: wait=5"); err != nil || r.Status != 201 {
		t.Fatalf("book: %+v, %v", r, err)
	}
	show := func(id int64) string { return fmt.Sprint("/shows/", id) }
	refused := func(v *visitor) { // which only a script can send, or a browser of old
		v.t.Helper()
		eval[bool](v, `(document.getElementById('units').form.noValidate = true)`)
		v.fill("#units", "900")
		v.press("#buy .primary")
		v.until("the page tells what is wrong", `document.querySelector('.fault') !== null`)
	}
	return []sitePage{
		{"home", "/", "", nil},
		{"home-customer", "/", "customer", nil},
		{"home-admin", "/", "admin", nil},
		{"search-none", "/search?q=nothing", "", nil},
		{"search-empty", "/search", "", nil},
		{"search", "/search?q=chamber", "", nil},
		{"search-too-long", "/search?q=" + strings.Repeat("a", 300), "", nil},
		{"show", show(sale), "customer", nil},
		{"show-extreme", show(long), "", nil},
		{"show-many", show(many), "", nil},
		{"show-upcoming", show(soon), "", nil},
		{"show-sold-out", show(gone), "", nil},
		{"show-closed", show(closed), "", nil},
		{"show-ended", show(ended), "", nil},
		{"show-refused", show(sale), "customer", refused},
		{"problem-404", "/nowhere", "", nil},
	}
}
