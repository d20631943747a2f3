// Package page is what the web pages are made of: templates, their texts in Korean and English, the stylesheet, the one ES module,
// and generated posters. It knows neither requests nor the domain's rules: the web package says what a page shows.
//
// Everything is embedded in the program. It guarantees that a page is written whole or not at all, that it runs no inline script
// and no inline style, and that both languages say the same: a test compares them.
package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"time"
)

//go:embed templates
var templateFiles embed.FS

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
	pages map[Lang]map[string]*template.Template
	texts map[Lang]texts
	atlas atlas
	Files Files
}

// New reads what is embedded. It panics where that is broken, which no test would let pass.
func New() *Site {
	s := &Site{pages: map[Lang]map[string]*template.Template{}, texts: map[Lang]texts{}, Files: readFiles()}
	for _, lang := range Langs() {
		s.texts[lang] = readTexts(lang)
		s.pages[lang] = s.parse(lang)
	}
	return s
}

// parse reads the templates for a language: each page is the layout, the parts and its own file.
func (s *Site) parse(lang Lang) map[string]*template.Template {
	shared := template.Must(template.New("layout.html").Funcs(s.functions(lang)).
		ParseFS(templateFiles, "templates/layout.html", "templates/parts/*.html"))
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		panic(err)
	}
	pages := map[string]*template.Template{}
	for _, file := range names {
		if path.Base(file) == "layout.html" {
			continue
		}
		own := template.Must(template.Must(shared.Clone()).ParseFS(templateFiles, file))
		pages[strings.TrimSuffix(path.Base(file), ".html")] = own
	}
	return pages
}

// Write writes the page of that name, whole, or returns an error and writes nothing.
func (s *Site) Write(w io.Writer, name string, v View) error {
	page, ok := s.pages[v.Lang][name]
	if !ok {
		return fmt.Errorf("write page %s in %s: there is no such page", name, v.Lang)
	}
	var text bytes.Buffer
	if err := page.Execute(&text, v); err != nil {
		return fmt.Errorf("write page %s: %w", name, err)
	}
	_, err := text.WriteTo(w)
	return err
}

// Text returns a text in a language; arguments are pairs of a name and a value, for the {name} in it.
func (s *Site) Text(lang Lang, key string, args ...any) (string, error) {
	return s.texts[lang].say(key, args...)
}

// Has tells whether there is a text of that key.
func (s *Site) Has(key string) bool { _, ok := s.texts[Korean][key]; return ok }
