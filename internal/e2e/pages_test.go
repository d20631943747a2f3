package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// sitePage is a page to look at, as somebody sees it. One that tells of an error bears its status at the end of its name.
type sitePage struct {
	name, path string           // path may be a whole address, of another API
	who        string           // "", "customer", "newcomer", "admin"
	act        func(v *visitor) // what brings it about, where an address alone does not
}

// TestBrowserEveryPage looks at every page in both languages, in light and dark, on a phone, a tablet and a desk: nothing reaches over an
// edge or is cut off, no letter is missing, axe-core has nothing to say, and the browser does not complain. The pictures are kept.
func TestBrowserEveryPage(t *testing.T) {
	t.Parallel()
	d := deploy(t, "NETICKET_TAKE_OVER=1h") // a show that somebody seems to resync stays paused
	pages, tokens := d.everyPage(t)
	for _, lang := range []string{"ko", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d.lookAtAll(t, lang, pages, tokens)
		})
	}
}

func (d *deployment) lookAtAll(t *testing.T, lang string, pages []sitePage, tokens map[string]string) {
	dir, source := album(t), axe(t)
	curator := visit(t, "", lang)
	curator.screen(1260, 900)
	people := map[string]*visitor{}
	for _, p := range pages {
		v := people[p.who]
		if v == nil {
			v = d.visitor(t, lang)
			v.logInAs(tokens[p.who])
			v.forgive("status of 4", "status of 5")
			people[p.who] = v
		}
		t.Run(p.name, func(t *testing.T) {
			v.t, curator.t = t, t
			if v.url = d.url; !strings.HasPrefix(p.path, "/") {
				v.url = ""
			}
			v.goTo(p.path)
			if p.act != nil {
				p.act(v)
			}
			if status, want := v.status(), statusIn(p.name); status != want {
				t.Errorf("the page has status %d, want %d: %.500s", status, want, v.text())
			}
			name := p.name + "." + lang
			curator.sheet(dir, name, v.lookAt(filepath.Join(dir, name), source))
		})
		v.t, curator.t = t, t
	}
}

// statusIn is the status that the name of a page ends with, or 200.
func statusIn(name string) int {
	if status, err := strconv.Atoi(name[strings.LastIndex(name, "-")+1:]); err == nil {
		return status
	}
	return http.StatusOK
}

// lookAt judges a page in all sizes and themes, and returns the files of what it looks like.
func (v *visitor) lookAt(name, axe string) (files []string) {
	v.t.Helper()
	eval[json.RawMessage](v, axe+"; null")
	if found := eval[[]string](v, boxes); len(found) > 0 {
		v.t.Errorf("letters are missing: %q", found)
	}
	v.screen(320, 700) // the least there is: that all fits is enough
	for _, fault := range eval[[]string](v, misfits) {
		v.t.Errorf("320 px: %s", fault)
	}
	for _, theme := range []string{"light", "dark"} {
		v.theme(theme)
		for _, width := range []int64{360, 768, 1280} {
			v.screen(width, 900)
			eval[bool](v, `Promise.all([...document.images].map((i) => { i.loading = 'eager'; return i.decode().catch(() => {}) })).then(() => true)`)
			how := fmt.Sprintf("%s, %d px", theme, width)
			for _, fault := range eval[[]string](v, misfits) {
				v.t.Errorf("%s: %s", how, fault)
			}
			if (theme == "light") == (width == 360) && width != 768 { // each theme and each layout once
				for _, fault := range eval[[]string](v, violations) {
					v.t.Errorf("%s: axe: %s", how, fault)
				}
			}
			files = append(files, fmt.Sprintf("%s.%s.%d.png", name, theme, width))
			v.picture(files[len(files)-1])
		}
	}
	return files
}
