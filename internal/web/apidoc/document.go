package apidoc

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is as much of OpenAPI as the page shows.
type document struct {
	Info struct {
		Title, Version, Summary, Description string
	}
	Tags []struct {
		Name, Description string
	}
	Paths      members[members[*operation]]
	Components struct {
		Parameters    members[*parameter]
		Headers       members[*header]
		RequestBodies members[*body] `yaml:"requestBodies"`
		Responses     members[*response]
		Schemas       members[*schema]
	}
}

type operation struct {
	ID          string `yaml:"operationId"`
	Tags        []string
	Summary     string
	Description string
	Security    *[]any // nil: a login is needed, as everywhere
	Head        bool   `yaml:"x-head"` // HEAD is answered, too
	Parameters  []*parameter
	Body        *body `yaml:"requestBody"`
	Responses   members[*response]
}

type parameter struct {
	Ref         string `yaml:"$ref"`
	Name, In    string
	Description string
	Required    bool
	Schema      *schema
	Example     yaml.Node
}

type header struct {
	Ref         string `yaml:"$ref"`
	Description string
	Schema      *schema
}

type body struct {
	Ref     string `yaml:"$ref"`
	Content members[*media]
}

type response struct {
	Ref         string `yaml:"$ref"`
	Description string
	Headers     members[*header]
	Content     members[*media]
}

type media struct {
	Schema   *schema
	Event    *schema `yaml:"x-event-schema"` // of the data of each event of a stream
	Example  yaml.Node
	Examples members[struct {
		Summary string
		Value   yaml.Node
	}]
}

type schema struct {
	Ref         string `yaml:"$ref"`
	Type        types
	Description string
	Format      string
	Enum        []yaml.Node
	Properties  members[*schema]
	Required    []string
	Items       *schema
	AllOf       []*schema `yaml:"allOf"`
	AnyOf       []*schema `yaml:"anyOf"`
	Default     yaml.Node
	Example     yaml.Node

	Minimum   *int64
	Maximum   *int64
	MinLength *int64 `yaml:"minLength"`
	MaxLength *int64 `yaml:"maxLength"`
	MinItems  *int64 `yaml:"minItems"`
	MaxItems  *int64 `yaml:"maxItems"`
}

// types are those that a schema allows: one, or a list.
type types []string

// UnmarshalYAML implements yaml.Unmarshaler.
func (t *types) UnmarshalYAML(value *yaml.Node) error {
	if value.Kind == yaml.ScalarNode {
		*t = types{value.Value}
		return nil
	}
	return value.Decode((*[]string)(t))
}

// members are those of a mapping, in the order in which they are written.
type members[T any] []member[T]

type member[T any] struct {
	Name  string
	Value T
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (m *members[T]) UnmarshalYAML(value *yaml.Node) error {
	if value.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: must be a mapping", value.Line)
	}
	for i := 0; i+1 < len(value.Content); i += 2 {
		one := member[T]{Name: value.Content[i].Value}
		if err := value.Content[i+1].Decode(&one.Value); err != nil {
			return err
		}
		*m = append(*m, one)
	}
	return nil
}

// find returns the member that a reference such as #/components/headers/Location leads to.
func (m members[T]) find(ref string) (T, error) {
	name := ref[strings.LastIndexByte(ref, '/')+1:]
	for _, one := range m {
		if one.Name == name {
			return one.Value, nil
		}
	}
	var none T
	return none, fmt.Errorf("%s leads nowhere", ref)
}

func parse(source []byte) (*document, error) {
	var doc document
	if err := yaml.Unmarshal(source, &doc); err != nil {
		return nil, fmt.Errorf("parse the document: %w", err)
	}
	return &doc, nil
}
