package stream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Field is a field of an entry: any bytes.
type Field struct{ Name, Value string }

// Fields are the fields of an entry in its order. A name may come more than once.
type Fields []Field

// Text writes any bytes such that people can read them, a terminal and JSON can hold them, and none is lost: what is printable
// stays as it is, but for a backslash, which is doubled; all else is escaped as in a string of Go, such as \n, \x00, \xff, \u200b.
func Text(raw string) string {
	quoted := strconv.Quote(raw)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// MarshalJSON writes an object of texts (see Text), in order. A name that comes again has \#2, \#3 and so on behind it.
func (f Fields) MarshalJSON() ([]byte, error) {
	object := bytes.NewBufferString("{")
	seen := map[string]int{}
	for i, field := range f {
		name := Text(field.Name)
		if seen[name]++; seen[name] > 1 {
			name = fmt.Sprintf(`%s\#%d`, name, seen[name])
		}
		for part, text := range []string{name, Text(field.Value)} {
			if i+part > 0 {
				object.WriteByte(",:"[part])
			}
			quoted, err := json.Marshal(text)
			if err != nil {
				return nil, err
			}
			object.Write(quoted)
		}
	}
	object.WriteByte('}')
	return object.Bytes(), nil
}

// parseFields reads the array of names and values that bury.lua writes: JSON but for the bytes from 0x80 on, which are as they were
// and need not be UTF-8. So each byte is taken for the character of its number, and that for the byte again.
func parseFields(raw string) (Fields, bool) {
	characters := make([]rune, len(raw))
	for i := range len(raw) {
		characters[i] = rune(raw[i])
	}
	var texts []string
	if err := json.Unmarshal([]byte(string(characters)), &texts); err != nil || len(texts)%2 != 0 {
		return nil, false
	}
	for i, text := range texts {
		bytes := make([]byte, 0, len(text))
		for _, character := range text {
			if character > 0xff {
				return nil, false
			}
			bytes = append(bytes, byte(character))
		}
		texts[i] = string(bytes)
	}
	fields := make(Fields, 0, len(texts)/2)
	for i := 0; i < len(texts); i += 2 {
		fields = append(fields, Field{texts[i], texts[i+1]})
	}
	return fields, true
}
