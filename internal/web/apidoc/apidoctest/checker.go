// Package apidoctest holds what a test sends and is answered against the document of the interface.
package apidoctest

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/neticket/neticket/internal/web/apidoc"
)

// looks is how many exchanges of a kind are looked at: a rush has 20,000 of one.
const looks = 100

// Checker holds exchanges against a document. Many goroutines may use one.
type Checker struct {
	root node

	mu       sync.Mutex
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema // by pointer
	seen     map[kind]int
}

// kind of an exchange: all of one are much alike.
type kind struct {
	method, path string // as the document has it
	status       int
	code         string // of a problem
}

// Exchange is a request and what it was answered.
type Exchange struct {
	Request *http.Request // read are method, URL and headers
	Sent    []byte        // its body
	Status  int
	Header  http.Header
	Body    []byte
}

// Shared returns the checker of the document that is served, made once. It fails with the document.
var Shared = sync.OnceValues(func() (*Checker, error) { return New(apidoc.YAML()) })

// New returns a checker for a document, or says why it is no OpenAPI 3.1: by the schema of the specification, then by compiling all
// schemas in it.
func New(document []byte) (*Checker, error) {
	raw, err := parse(document)
	if err != nil {
		return nil, err
	}
	if err := validOpenAPI(raw); err != nil {
		return nil, fmt.Errorf("the document is no OpenAPI 3.1: %w", err)
	}
	c := &Checker{compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}, seen: map[kind]int{}}
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	c.compiler.AssertFormat()
	if err := c.compiler.AddResource(resource, raw); err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	c.root = node{c: c, value: raw}
	for n := range c.root.all() {
		if strings.HasSuffix(n.at, "/schema") || strings.HasPrefix(n.at, "/components/schemas/") && strings.Count(n.at, "/") == 3 {
			if _, err := c.schema(n.at); err != nil {
				return nil, fmt.Errorf("the document's schema %s: %w", n.at, err)
			}
		}
	}
	return c, nil
}

//go:embed openapi-3.1.json
var specification []byte

// validOpenAPI goes by the schema that the specification publishes (spec.openapis.org/oas/3.1/schema/2022-10-07).
func validOpenAPI(raw any) error {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(specification))
	if err != nil {
		return err
	}
	compiler := jsonschema.NewCompiler()
	const name = "file:///openapi-3.1.json"
	if err := compiler.AddResource(name, schema); err != nil {
		return err
	}
	compiled, err := compiler.Compile(name)
	if err != nil {
		return err
	}
	return compiled.Validate(raw)
}

// Check says in what an exchange is not as the document has it: a call, status, header or field that is not described, or a request
// that is wrong by the document and was not refused with a 4xx.
func (c *Checker) Check(e Exchange) error {
	path, operation, arguments := c.operation(e.Request)
	if !c.look(kind{e.Request.Method, path, e.Status, problemCode(e)}) {
		return nil
	}
	err := c.checkUnknown(e)
	if operation.ok() {
		err = errors.Join(operation.checkAnswer(e), operation.checkRequest(e, arguments))
	}
	if err != nil {
		return fmt.Errorf("%s %s answered %d is not as documented: %w", e.Request.Method, e.Request.URL, e.Status, err)
	}
	return nil
}

// Value says in what a JSON text is not as one of the component schemas.
func (c *Checker) Value(schema string, text []byte) error {
	return c.validJSON("/components/schemas/"+schema, text)
}

// look reports whether an exchange of this kind is worth a look.
func (c *Checker) look(k kind) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[k]++
	return c.seen[k] <= looks
}

// checkUnknown is Check for a call that the document does not describe: it has to be refused.
func (c *Checker) checkUnknown(e Exchange) error {
	if e.Status < 400 {
		return errors.New("there is no such call in the document")
	}
	if e.Request.Method == http.MethodHead {
		return nil
	}
	return c.Value("Problem", e.Body)
}

// Examples returns how many examples and defaults the document has, and says which are not as their schemas want them.
func (c *Checker) Examples() (count int, err error) {
	var faults []error
	try := func(at, schema string, value any) {
		if value == nil {
			return
		}
		count++
		if err := c.valid(schema, value); err != nil {
			faults = append(faults, fmt.Errorf("example at %s: %w", at, err))
		}
	}
	for n := range c.root.all() {
		schema := n.at
		if n.get("schema").ok() {
			schema += "/schema"
		} else if !n.get("type").ok() {
			continue
		}
		try(n.at, schema, n.members()["example"])
		try(n.at, schema, n.members()["default"])
		for _, name := range n.get("examples").names() {
			try(n.at, schema, n.get("examples").get(name).get("value").value)
		}
	}
	return count, errors.Join(faults...)
}

// Loose names the objects that do not say whether they take fields that are not described, and the components that nothing refers to.
func (c *Checker) Loose() (loose []string) {
	used := map[string]bool{}
	for n := range c.root.all() {
		if n.get("type").text() == "object" && n.members()["additionalProperties"] == nil {
			loose = append(loose, n.at+" may take other fields")
		}
		if ref, ok := n.members()["$ref"].(string); ok {
			used[ref] = true
		}
	}
	components := c.root.get("components")
	for _, kind := range components.names() {
		for _, name := range components.get(kind).names() {
			if at := components.get(kind).at + "/" + name; kind != "securitySchemes" && !used["#"+at] {
				loose = append(loose, at+" is not used")
			}
		}
	}
	return loose
}

// Calls returns the calls of the document, such as "GET /api/v1/shows/{id}", HEAD with them.
func (c *Checker) Calls() (calls []string) {
	paths := c.root.get("paths")
	for _, path := range paths.names() {
		for _, method := range paths.get(path).names() {
			calls = append(calls, strings.ToUpper(method)+" "+path)
			if paths.get(path).get(method).get("x-head").yes() {
				calls = append(calls, http.MethodHead+" "+path)
			}
		}
	}
	return calls
}

// Codes returns the codes that problems may have, and those that some call describes.
func (c *Checker) Codes() (all, described []string) {
	for n := range c.root.all() {
		_, name, _ := strings.Cut(n.at, "/properties/")
		if n.at != "/components/schemas/ProblemCode" && (name != "code" || !strings.Contains(n.at, "/allOf/")) {
			continue
		}
		for value := range n.get("enum").items() {
			if n.at == "/components/schemas/ProblemCode" {
				all = append(all, value.text())
			} else {
				described = append(described, value.text())
			}
		}
	}
	return all, described
}
