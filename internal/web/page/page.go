// Package page is what the web pages are made of: templates (the *.templ files, which `make generate` compiles to Go), their texts in
// Korean and English, the stylesheet, the one ES module, and generated posters. It knows neither requests nor the domain's rules: the web package says what a page shows.
//
// Everything is embedded in the program. It guarantees that a page is written whole or not at all, that it runs no inline script
// and no inline style, and that both languages say the same: a test compares them.
package page

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/a-h/templ"
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
	texts map[Lang]texts
	codes *coding.Plan
	Files Files
}

// New reads what is embedded. It panics where that is broken, which no test would let pass.
func New() *Site {
	codes, err := planQR()
	if err != nil {
		panic(err)
	}
	s := &Site{texts: map[Lang]texts{}, codes: codes, Files: readFiles()}
	for _, lang := range Langs() {
		s.texts[lang] = readTexts(lang)
	}
	return s
}

// pages are the pages by name, each for the content that it shows.
var pages = map[string]func(p *printer, v View) templ.Component{
	"home":   showing((*printer).home),
	"search": showing((*printer).search),
	"show":   showing((*printer).show),

	"login":    showing((*printer).login),
	"signup":   showing((*printer).signup),
	"password": showing((*printer).password),

	"reservation":  showing((*printer).reservation),
	"reservations": showing((*printer).reservations),
	"cancel":       showing((*printer).cancel),

	"problem": showing((*printer).problem),

	"admin_shows":  showing((*printer).adminShows),
	"admin_show":   showing((*printer).adminShow),
	"admin_stock":  showing((*printer).adminStock),
	"admin_resync": showing((*printer).adminResync),
	"admin_queue":  showing((*printer).adminQueue),
	"admin_letter": showing((*printer).adminLetter),
	"admin_audit":  showing((*printer).adminAudit),
}

// showing makes a page of a template and the type of its content. Another type is a mistake of the program, which fails the page.
func showing[T any](page func(p *printer, v View, content T) templ.Component) func(p *printer, v View) templ.Component {
	return func(p *printer, v View) templ.Component {
		content, ok := v.Content.(T)
		if !ok {
			p.note(fmt.Errorf("it shows a %T, not a %T", content, v.Content))
		}
		return page(p, v, content)
	}
}

// Write writes the page of that name, whole, or returns an error and writes nothing.
func (s *Site) Write(w io.Writer, name string, v View) error {
	page, ok := pages[name]
	if _, known := s.texts[v.Lang]; !ok || !known {
		return fmt.Errorf("write page %s in %s: there is no such page", name, v.Lang)
	}
	p := s.printer(v.Lang)
	var text bytes.Buffer
	err := page(p, v).Render(context.Background(), &text)
	if err = cmp.Or(p.err, err); err != nil {
		return fmt.Errorf("write page %s: %w", name, err)
	}
	_, err = text.WriteTo(w)
	return err
}

// Text returns a text in a language; arguments are pairs of a name and a value, for the {name} in it.
func (s *Site) Text(lang Lang, key string, args ...any) (string, error) {
	return s.texts[lang].say(key, args...)
}

// Has tells whether there is a text of that key.
func (s *Site) Has(key string) bool { _, ok := s.texts[Korean][key]; return ok }
