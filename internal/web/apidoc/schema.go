package apidoc

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// fields is a schema that has a name.
type fields struct {
	Name    string
	Text    template.HTML
	Type    typeName // of one that is no object
	Values  []string
	Fields  []field
	Example string
}

// field is a member of an object, a parameter or a header.
type field struct {
	Name     string
	In       string // of a parameter: path, query or header
	Type     typeName
	Required bool
	Values   []string // the only ones
	Default  string
	Example  string
	Text     template.HTML
}

// typeName is a type in words, some of which may be the name of a schema.
type typeName struct {
	Before, Schema, After string
}

func (r *renderer) named(name string, s *schema) fields {
	f := fields{Name: name, Text: r.markdown(s.Description), Values: values(s), Fields: r.fields(s)}
	if len(f.Fields) == 0 {
		f.Type = nameType(s)
	}
	if !s.Example.IsZero() {
		f.Example = exampleText(s.Example)
	}
	return f
}

// fields are those of an object.
func (r *renderer) fields(s *schema) (fields []field) {
	for _, property := range s.Properties {
		fields = append(fields, r.field(property.Name, property.Value, slices.Contains(s.Required, property.Name)))
	}
	return fields
}

func (r *renderer) field(name string, s *schema, required bool) field {
	f := field{Name: name, Type: nameType(s), Required: required, Values: values(s), Text: r.markdown(s.Description)}
	if !s.Default.IsZero() {
		f.Default = flat(s.Default)
	}
	return f
}

func nameType(s *schema) typeName {
	switch {
	case s.Ref != "":
		return typeName{Schema: s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]}
	case len(s.AllOf) > 0:
		return nameType(s.AllOf[0]) // the rest narrows it
	case len(s.AnyOf) > 0:
		name := nameType(s.AnyOf[0])
		for _, other := range s.AnyOf[1:] {
			name.After += " or " + nameType(other).Before
		}
		return name
	case s.Items != nil:
		name := nameType(s.Items)
		name.Before = "array of " + name.Before
		name.After += bounds(", ", s.MinItems, s.MaxItems, " items")
		return name
	}
	words := strings.Join(s.Type, " or ")
	if s.Format != "" && s.Format != "int64" {
		words = strings.Replace(words, "string", s.Format, 1)
	}
	return typeName{Before: words + bounds(", ", s.Minimum, s.Maximum, "") + bounds(", ", s.MinLength, s.MaxLength, " characters")}
}

// bounds puts the least and the most into words.
func bounds(before string, least, most *int64, unit string) string {
	switch {
	case least != nil && most != nil:
		return fmt.Sprintf("%s%d to %d%s", before, *least, *most, unit)
	case least != nil:
		return fmt.Sprintf("%s%d or more%s", before, *least, unit)
	case most != nil:
		return fmt.Sprintf("%s%d%s at most", before, *most, unit)
	}
	return ""
}

// values are the only ones that a schema allows, null apart, which its type tells.
func values(s *schema) (values []string) {
	for _, value := range s.Enum {
		if value.ShortTag() != "!!null" {
			values = append(values, value.Value)
		}
	}
	return values
}

// flat returns an example or a default in one line.
func flat(node yaml.Node) string {
	if node.Kind != yaml.SequenceNode {
		return node.Value
	}
	var parts []string
	for _, item := range node.Content {
		parts = append(parts, item.Value)
	}
	return strings.Join(parts, ",")
}
