// Package page is what the web pages are made of: templates (the *.templ files, which `make generate` compiles to Go), their texts in
// Korean and English, the stylesheet, the one ES module, and generated posters. It knows neither requests nor the domain's rules: the web package says what a page shows.
//
// Everything is embedded in the program. It guarantees that a page is written whole or not at all, that it runs no inline script
// and no inline style, and that both languages say the same: a test compares them.
package page

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"time"

	"rsc.io/qr/coding"
)

// View is what every page gets.
type View struct {
	Lang    Lang
	URL     *url.URL  // of this page, as the browser knows it
	Back    string    // path and query to come to after a login
	Me      *Me       // nil: nobody is logged in
	Now     time.Time // by the server's clock, which decides when a sale opens
	Notice  string    // key of a text that says what was just done; empty: none
	Content any       // what the page's own template needs
}

// Me is who looks at a page.
type Me struct {
	Admin bool
}

// Site writes pages. It is made once and used by all requests.
type Site struct {
	texts  map[Lang]texts
	codes  *coding.Plan
	marker marker
	frames frames
	kept   kept
	Files  Files
}

// New reads what is embedded. It panics where that is broken, which no test would let pass.
func New() *Site {
	s := &Site{texts: map[Lang]texts{}, marker: newMarker(), kept: newKept(), Files: readFiles()}
	for _, lang := range Langs() {
		s.texts[lang] = readTexts(lang)
	}
	var codes, frames error
	s.codes, codes = planQR()
	s.frames, frames = s.makeFrames()
	if err := errors.Join(codes, frames); err != nil {
		panic(err)
	}
	return s
}

// Write writes the page of that name, whole, or returns an error and writes nothing.
func (s *Site) Write(w *bytes.Buffer, name string, v View) error {
	page, ok := pages[name]
	if _, known := s.texts[v.Lang]; !ok || !known {
		return fmt.Errorf("write page %s in %s: there is no such page", name, v.Lang)
	}
	p, before := s.printer(v.Lang), w.Len()
	err := p.write(w, v, page(p, v))
	if err = cmp.Or(p.err, err); err != nil {
		w.Truncate(before)
		return fmt.Errorf("write page %s: %w", name, err)
	}
	return nil
}

// Text returns a text in a language; arguments are pairs of a name and a value, for the {name} in it.
func (s *Site) Text(lang Lang, key string, args ...any) (string, error) {
	return s.texts[lang].say(key, args...)
}

// Has tells whether there is a text of that key.
func (s *Site) Has(key string) bool { _, ok := s.texts[Korean][key]; return ok }
