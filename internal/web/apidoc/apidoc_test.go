package apidoc_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/neticket/neticket/internal/web/apidoc"
	"github.com/neticket/neticket/internal/web/apidoc/apidoctest"
)

func TestExamples(t *testing.T) {
	t.Parallel()
	c, err := apidoctest.Shared()
	if err != nil {
		t.Fatal(err)
	}
	n, err := c.Examples()
	if err != nil || n < 40 {
		t.Errorf("%d examples and defaults: %v", n, err)
	}
}

// A schema that takes any field would let an undocumented one pass.
func TestNothingIsLoose(t *testing.T) {
	t.Parallel()
	c, err := apidoctest.Shared()
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range c.Loose() {
		t.Error(what)
	}
}

// look is what a page has: elements by name, and the values of ids and links.
type look struct {
	elements map[string]int
	ids      map[string]bool
	links    []string
	text     string
}

// read reads a page strictly: an element that is not closed, or in the wrong place, fails the test. So does what the page's
// Content-Security-Policy would stop.
func read(t *testing.T, page []byte) look {
	t.Helper()
	l := look{elements: map[string]int{}, ids: map[string]bool{}}
	decoder := xml.NewDecoder(bytes.NewReader(page))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return l
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(xml.CharData); ok {
			l.text += string(text)
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		l.elements[element.Name.Local]++
		for _, attribute := range element.Attr {
			switch name := attribute.Name.Local; {
			case name == "id" && l.ids[attribute.Value]:
				t.Errorf("two elements are called %s", attribute.Value)
			case name == "id":
				l.ids[attribute.Value] = true
			case name == "href":
				l.links = append(l.links, attribute.Value)
			case name == "style", name == "src", strings.HasPrefix(name, "on"):
				t.Errorf("<%s %s=%q>", element.Name.Local, name, attribute.Value)
			}
		}
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	page, err := apidoc.HTML("/assets/site.css")
	if err != nil {
		t.Fatal(err)
	}
	l := read(t, page)
	for name, want := range map[string]int{"html": 1, "h1": 1, "header": 1, "nav": 1, "main": 1, "footer": 1, "link": 1, "script": 0, "style": 0, "img": 0} {
		if l.elements[name] != want {
			t.Errorf("%d of <%s>, want %d", l.elements[name], name, want)
		}
	}
	for _, link := range l.links {
		if anchor, ok := strings.CutPrefix(link, "#"); ok && !l.ids[anchor] || !ok && !strings.HasPrefix(link, "/") {
			t.Errorf("a link to %s, which is not there", link)
		}
	}

	var doc struct {
		Paths map[string]map[string]struct {
			ID        string         `yaml:"operationId"`
			Summary   string         `yaml:"summary"`
			Responses map[string]any `yaml:"responses"`
		}
		Components struct{ Schemas map[string]any }
	}
	if err := yaml.Unmarshal(apidoc.YAML(), &doc); err != nil {
		t.Fatal(err)
	}
	calls, answers := 0, 0
	for path, methods := range doc.Paths {
		for method, call := range methods {
			calls++
			answers += len(call.Responses)
			if !l.ids[call.ID] || !strings.Contains(l.text, call.Summary) || !strings.Contains(string(page), "<strong>"+strings.ToUpper(method)+"</strong> <code>"+path+"</code>") {
				t.Errorf("%s %s, %s, is not on the page", method, path, call.ID)
			}
		}
	}
	for name := range doc.Components.Schemas {
		if !l.ids[name] {
			t.Errorf("schema %s is not on the page", name)
		}
	}
	if calls < 18 || l.elements["article"] != calls+len(doc.Components.Schemas) || strings.Count(string(page), "<dt><strong>") != answers {
		t.Errorf("%d calls with %d answers, %d articles, %d answers on the page", calls, answers, l.elements["article"], strings.Count(string(page), "<dt><strong>"))
	}
	for _, want := range []string{"백조의 호수", "array of ", "date-time or null", "1 to 100", "One of ", "Idempotency-Key", "Retry-After"} {
		if !strings.Contains(l.text, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
}
