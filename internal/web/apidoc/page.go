package apidoc

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/renderer/html"
)

// page is what the template shows.
type page struct {
	Title, Version string
	Summary        string
	Stylesheet     string
	Overview       []section
	Groups         []group
	Schemas        []fields
}

// section is a part of the overview.
type section struct {
	Anchor, Title string
	Text          template.HTML
}

// group is the calls of one tag.
type group struct {
	Name  string
	Text  template.HTML
	Calls []call
}

type call struct {
	ID, Method, Path string
	Head             bool
	Login            string // "", or who may call
	Summary          string
	Text             template.HTML
	Parameters       []field
	Body             []content
	Answers          []answer
}

type answer struct {
	Status, Reason string
	Text           template.HTML
	Headers        []field
	Content        []content
}

// content is a body of one media type.
type content struct {
	MediaType string
	Type      typeName // "": any bytes
	Codes     []string // of a problem: those that it may have
	Event     typeName // of each event of a stream
	Fields    []field  // of a type without a name
	Examples  []example
}

type example struct{ Title, Text string }

// renderer makes a page of a document. It goes on after an error, and keeps the first.
type renderer struct {
	*document
	markup goldmark.Markdown
	err    error
}

func newPage(doc *document) (page, error) {
	r := &renderer{document: doc}
	r.markup = goldmark.New(goldmark.WithRendererOptions(html.WithXHTML())) // so that a test can read the page strictly
	p := page{Title: doc.Info.Title, Version: doc.Info.Version, Summary: doc.Info.Summary}
	for i, text := range strings.Split("Overview\n"+doc.Info.Description, "\n### ") {
		title, text, _ := strings.Cut(text, "\n")
		p.Overview = append(p.Overview, section{"overview-" + strconv.Itoa(i), title, r.markdown(text)})
	}
	for _, tag := range doc.Tags {
		p.Groups = append(p.Groups, group{tag.Name, r.markdown(tag.Description), r.calls(tag.Name)})
	}
	for _, one := range doc.Components.Schemas {
		p.Schemas = append(p.Schemas, r.named(one.Name, one.Value))
	}
	return p, r.err
}

// calls returns those of a tag.
func (r *renderer) calls(tag string) (calls []call) {
	for _, path := range r.Paths {
		for _, method := range path.Value {
			if slices.Contains(method.Value.Tags, tag) {
				calls = append(calls, r.call(path.Name, method.Name, method.Value))
			}
		}
	}
	return calls
}

func (r *renderer) call(path, method string, o *operation) call {
	c := call{ID: o.ID, Method: strings.ToUpper(method), Path: path, Head: o.Head, Summary: o.Summary, Text: r.markdown(o.Description)}
	switch {
	case strings.HasPrefix(path, "/api/v1/admin/"):
		c.Login = "admins"
	case o.Security == nil:
		c.Login = "who is logged in"
	}
	for _, p := range o.Parameters {
		p = follow(r, p, p.Ref, r.Components.Parameters)
		f := r.field(p.Name, p.Schema, p.Required)
		f.In = p.In
		if p.Description != "" {
			f.Text = r.markdown(p.Description)
		}
		if !p.Example.IsZero() {
			f.Example = flat(p.Example)
		}
		c.Parameters = append(c.Parameters, f)
	}
	if o.Body != nil {
		c.Body = r.contents(follow(r, o.Body, o.Body.Ref, r.Components.RequestBodies).Content)
	}
	for _, one := range o.Responses {
		c.Answers = append(c.Answers, r.answer(one.Name, follow(r, one.Value, one.Value.Ref, r.Components.Responses)))
	}
	return c
}

func (r *renderer) answer(status string, of *response) answer {
	code, _ := strconv.Atoi(status)
	a := answer{Status: status, Reason: http.StatusText(code), Text: r.markdown(of.Description), Content: r.contents(of.Content)}
	for _, one := range of.Headers {
		h := follow(r, one.Value, one.Value.Ref, r.Components.Headers)
		if one.Name != "X-Request-Id" { // all have it, as the overview says
			a.Headers = append(a.Headers, field{Name: one.Name, Text: r.markdown(h.Description)})
		}
	}
	return a
}

// codes are those of the problems that a schema allows.
func codes(s *schema) (codes []string) {
	for _, part := range s.AllOf {
		for _, property := range part.Properties {
			if property.Name == "code" {
				codes = append(codes, values(property.Value)...)
			}
		}
	}
	return codes
}

func (r *renderer) contents(of members[*media]) (contents []content) {
	for _, one := range of {
		c := content{MediaType: one.Name}
		if s := one.Value.Schema; s != nil {
			c.Type = nameType(s)
			c.Codes = codes(s)
			c.Fields = r.fields(s)
		}
		if one.Value.Event != nil {
			c.Event = nameType(one.Value.Event)
		}
		if !one.Value.Example.IsZero() {
			c.Examples = append(c.Examples, example{"Example", exampleText(one.Value.Example)})
		}
		for _, more := range one.Value.Examples {
			c.Examples = append(c.Examples, example{"Example: " + more.Value.Summary, exampleText(more.Value.Value)})
		}
		contents = append(contents, c)
	}
	return contents
}

// markdown renders a text of the document. HTML in it is left out.
func (r *renderer) markdown(text string) template.HTML {
	var b bytes.Buffer
	if err := r.markup.Convert([]byte(text), &b); err != nil {
		r.fail(fmt.Errorf("render %.40q: %w", text, err))
	}
	return template.HTML(b.String()) //nolint:gosec // made of our own document, and goldmark escapes
}

func (r *renderer) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// follow returns what is described in place, or where its reference leads. Where that is nowhere, the page fails.
func follow[T any](r *renderer, here *T, ref string, among members[*T]) *T {
	if ref == "" {
		return here
	}
	found, err := among.find(ref)
	if err != nil {
		r.fail(err)
		return here
	}
	return found
}
