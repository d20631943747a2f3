package apidoctest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// resource is what the document is called among schemas.
const resource = "file:///openapi.yaml"

// parse reads YAML as the JSON that it stands for.
func parse(document []byte) (any, error) {
	var v any
	if err := yaml.Unmarshal(document, &v); err != nil {
		return nil, fmt.Errorf("parse the document: %w", err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("the document is no JSON: %w", err)
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(text))
}

// node is a place in the document. One that is not there has no value, and so have those below it.
type node struct {
	c     *Checker
	at    string // a JSON pointer
	value any
}

func (n node) ok() bool { return n.value != nil }

// members are those of an object, or none.
func (n node) members() map[string]any { m, _ := n.value.(map[string]any); return m }

// get returns a member, where a reference leads if it is one.
func (n node) get(name string) node {
	child := node{n.c, n.at + "/" + pointerEscaper.Replace(name), n.members()[name]}
	if to, ok := child.members()["$ref"].(string); ok {
		return n.c.follow(strings.TrimPrefix(to, "#"))
	}
	return child
}

// items yields the elements of an array, or where they lead if they are references.
func (n node) items() iter.Seq[node] {
	return func(yield func(node) bool) {
		list, _ := n.value.([]any)
		for i, value := range list {
			wrapped := node{n.c, n.at, map[string]any{fmt.Sprint(i): value}}
			if !yield(wrapped.get(fmt.Sprint(i))) {
				return
			}
		}
	}
}

func (n node) text() string { s, _ := n.value.(string); return s }
func (n node) yes() bool    { return n.value == true }

// names are those of the members, in order.
func (n node) names() []string { return slices.Sorted(maps.Keys(n.members())) }

// all yields the node and everything below it, but for examples, which may look like anything. It follows no reference.
func (n node) all() iter.Seq[node] {
	return func(yield func(node) bool) { n.walk(yield) }
}

func (n node) walk(yield func(node) bool) bool {
	if !yield(n) {
		return false
	}
	for _, name := range n.names() {
		if name != "example" && name != "examples" && !(node{n.c, n.at + "/" + pointerEscaper.Replace(name), n.members()[name]}).walk(yield) {
			return false
		}
	}
	list, _ := n.value.([]any)
	for i, value := range list {
		if !(node{n.c, fmt.Sprintf("%s/%d", n.at, i), value}).walk(yield) {
			return false
		}
	}
	return true
}

// follow returns the node that a pointer leads to.
func (c *Checker) follow(pointer string) node {
	n := c.root
	for _, name := range strings.Split(pointer, "/")[1:] {
		n = n.get(pointerUnescaper.Replace(name))
	}
	return n
}

var (
	pointerEscaper   = strings.NewReplacer("~", "~0", "/", "~1")
	pointerUnescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

// schema returns the schema that a pointer leads to.
func (c *Checker) schema(pointer string) (*jsonschema.Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.schemas[pointer]; known != nil {
		return known, nil
	}
	compiled, err := c.compiler.Compile(resource + "#" + (&url.URL{Path: pointer}).EscapedPath())
	if err == nil {
		c.schemas[pointer] = compiled
	}
	return compiled, err
}

// valid says in what a value is not as the schema that a pointer leads to.
func (c *Checker) valid(pointer string, value any) error {
	schema, err := c.schema(pointer)
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

func (c *Checker) validJSON(pointer string, text []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	return c.valid(pointer, value)
}

// operation returns the path of a request as the document has it, what the document says of the call, and the arguments in the path.
func (c *Checker) operation(r *http.Request) (path string, operation node, arguments map[string]string) {
	method := strings.ToLower(r.Method)
	paths := c.root.get("paths")
	for _, path := range paths.names() {
		arguments, ok := match(path, r.URL.EscapedPath())
		if !ok {
			continue
		}
		if method == "head" && paths.get(path).get("get").get("x-head").yes() {
			method = "get"
		}
		return path, paths.get(path).get(method), arguments
	}
	return "", node{}, nil
}

// match returns the arguments of a path.
func match(template, path string) (arguments map[string]string, ok bool) {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	arguments = map[string]string{}
	for i, part := range want {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			arguments[strings.TrimSuffix(name, "}")], _ = url.PathUnescape(got[i])
		} else if part != got[i] {
			return nil, false
		}
	}
	return arguments, true
}
