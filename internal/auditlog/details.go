package auditlog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// maxDetails is the most bytes of JSON that a record holds; the column takes 65,535.
const maxDetails = 60_000

// encode writes details as a JSON object of at most maxDetails bytes, so that no deed fails because there is much to tell of it.
// Of what is longer its longest texts are cut, and say so; where that does not help, the object is {"cut": "its first bytes"}.
func encode(details any) (string, error) {
	if details == nil {
		details = struct{}{}
	}
	whole, err := marshal(details)
	if err != nil || len(whole) <= maxDetails {
		return whole, err
	}
	var tree any
	decoder := json.NewDecoder(strings.NewReader(whole))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return "", err
	}
	for most := maxDetails; most > 100; most = most * 3 / 4 {
		if text, err := marshal(shorten(tree, most)); err != nil || len(text) <= maxDetails {
			return text, err
		}
	}
	return marshal(map[string]string{"cut": cut(whole, maxDetails/3)}) // quoting doubles it at most
}

// marshal is json.Marshal without escapes for HTML, which nobody reads it as.
func marshal(v any) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return strings.TrimSuffix(text.String(), "\n"), err
}

// shorten returns a tree of JSON whose texts have at most so many bytes, and what was cut off.
func shorten(v any, most int) any {
	switch v := v.(type) {
	case string:
		if len(v) > most {
			return fmt.Sprintf("%s… (%d bytes in all)", cut(v, most), len(v))
		}
	case []any:
		short := make([]any, len(v))
		for i := range v {
			short[i] = shorten(v[i], most)
		}
		return short
	case map[string]any:
		short := make(map[string]any, len(v))
		for name := range v {
			short[name] = shorten(v[name], most)
		}
		return short
	}
	return v
}

// cut returns the first bytes of a text, whole characters.
func cut(text string, most int) string {
	return strings.ToValidUTF8(text[:min(most, len(text))], "")
}
