package apidoc

import (
	"bytes"
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v3"
)

// exampleText returns an example as it goes over the wire: a text as it is, anything else as JSON, its members in the order in which
// they are written.
func exampleText(node yaml.Node) string {
	if node.Kind == yaml.ScalarNode {
		return strings.TrimRight(node.Value, "\n")
	}
	var b bytes.Buffer
	writeJSON(&b, &node, "\n")
	return b.String()
}

// writeJSON writes a node; lineBreak ends with the indentation that it has.
func writeJSON(b *bytes.Buffer, node *yaml.Node, lineBreak string) {
	switch node.Kind {
	case yaml.MappingNode:
		b.WriteByte('{')
		for i := 0; i+1 < len(node.Content); i += 2 {
			writeNext(b, i, lineBreak)
			writeString(b, node.Content[i].Value)
			b.WriteString(": ")
			writeJSON(b, node.Content[i+1], lineBreak+"  ")
		}
		b.WriteString(lineBreak + "}")
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, item := range node.Content {
			writeNext(b, i, lineBreak)
			writeJSON(b, item, lineBreak+"  ")
		}
		b.WriteString(lineBreak + "]")
	default:
		if node.ShortTag() == "!!str" {
			writeString(b, node.Value)
		} else {
			b.WriteString(node.Value)
		}
	}
}

func writeNext(b *bytes.Buffer, i int, lineBreak string) {
	if i > 0 {
		b.WriteByte(',')
	}
	b.WriteString(lineBreak + "  ")
}

func writeString(b *bytes.Buffer, text string) {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string can be
	b.Truncate(b.Len() - 1)  // the line break
}
