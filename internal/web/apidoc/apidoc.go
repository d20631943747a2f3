// Package apidoc owns the description of the HTTP interface: an OpenAPI 3.1 document, written by hand, and the page that shows it to
// people.
//
// It guarantees that the page is made of the document alone, and needs no scripts. That the document is true is for the tests of package
// web and of whole systems to tell: see package apidoctest.
package apidoc

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
)

//go:embed openapi.yaml
var source []byte

//go:embed page.html
var layout string

// YAML returns the document as it is written. Nobody changes it.
func YAML() []byte { return source }

// HTML returns the page, which takes its looks from the stylesheet at that URL. It fails where the document is not what the page can
// show, so that a test finds it.
func HTML(stylesheet string) ([]byte, error) {
	doc, err := parse(source)
	if err != nil {
		return nil, err
	}
	view, err := newPage(doc)
	if err != nil {
		return nil, err
	}
	view.Stylesheet = stylesheet
	t, err := template.New("page").Parse(layout)
	if err != nil {
		return nil, fmt.Errorf("parse the page's template: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, view); err != nil {
		return nil, fmt.Errorf("render the page: %w", err)
	}
	return b.Bytes(), nil
}
