// Package object fills structs from what people and programs write: a JSON object, or a row of a table. It is stricter than
// encoding/json: no other names than those of the json tags, whatever their case, none twice, no null but for fields that may be
// left out, nothing behind the object. So a misspelt field is told, and not taken for one that was left out.
//
// What is not of the right form is an *invalid.Malformed, the first that is found. Of values that have the right type but cannot be
// understood, such as a time that is none, all are told, as an *invalid.Error.
package object

import (
	"bytes"
	"encoding/json"
	"iter"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/neticket/neticket/internal/invalid"
)

// Decode decodes one JSON object into the fields of the struct that into points to, those of embedded structs too. Null is for
// pointers and for fields whose tag has omitzero, which stay as they are.
func Decode(data []byte, into any) error {
	data = bytes.TrimLeft(data, space)
	switch {
	case !utf8.Valid(data):
		return invalid.NewMalformed("", "syntax", "this is not UTF-8")
	case !json.Valid(data):
		return invalid.NewMalformed("", "syntax", "this is not JSON")
	case data[0] != '{':
		return invalid.NewMalformed("", "type", "this must be a JSON object")
	}
	var bad invalid.Error
	var seen uint64 // a bit per field
	for name, raw := range members(data) {
		f, ok := fieldNamed(into, name)
		switch {
		case !ok:
			return unknown(name)
		case seen&(1<<f.place) != 0:
			return repeated(name)
		}
		seen |= 1 << f.place
		if err := f.set(raw, &bad); err != nil {
			return err
		}
	}
	return bad.OrNil()
}

func unknown(name string) error {
	return invalid.NewMalformed(name[:min(len(name), 100)], "unknown", "there is no such field")
}

func repeated(name string) error { return invalid.NewMalformed(name, "repeated", "must be given once") }

// field is a field of a struct that a member of an object can fill.
type field struct {
	name     string
	value    reflect.Value
	place    int // among all fields
	nullable bool
}

func fieldNamed(in any, name string) (f field, ok bool) {
	f.name = name
	ok = f.find(reflect.ValueOf(in).Elem())
	return f, ok
}

func (f *field) find(in reflect.Value) bool {
	for i := range in.NumField() {
		described := in.Type().Field(i)
		if described.Anonymous {
			if f.find(in.Field(i)) {
				return true
			}
			continue
		}
		if name, options, _ := strings.Cut(described.Tag.Get("json"), ","); name == f.name {
			f.value, f.nullable = in.Field(i), options == "omitzero" || described.Type.Kind() == reflect.Pointer
			return true
		}
		f.place++
	}
	return false
}

// target is the type of the value, without the pointer.
func (f *field) target() reflect.Type {
	if f.value.Kind() == reflect.Pointer {
		return f.value.Type().Elem()
	}
	return f.value.Type()
}

// set decodes a valid JSON value. Of one that cannot be understood it adds the fault to bad.
func (f *field) set(raw []byte, bad *invalid.Error) error {
	if !f.nullable && string(raw) == "null" {
		return invalid.NewMalformed(f.name, "type", "must not be null")
	}
	err := json.Unmarshal(raw, f.value.Addr().Interface())
	if err == nil {
		return nil
	}
	target := f.target()
	switch isTime := target == reflect.TypeFor[time.Time](); {
	case isTime && raw[0] == '"':
		bad.Add(f.name, "format", "must be a time such as 2026-05-03T10:00:00Z")
	case target.Kind() == reflect.Int || target.Kind() == reflect.Int64:
		if len(bytes.Trim(raw, "-0123456789")) > 0 {
			return notWhole(f.name)
		}
		bad.Add(f.name, "out_of_range", "is too large a number")
	case isTime || target.Kind() == reflect.String:
		return invalid.NewMalformed(f.name, "type", "must be a string")
	default:
		return invalid.NewMalformed(f.name, "type", "must be a "+target.Kind().String())
	}
	return nil
}

func notWhole(name string) error { return invalid.NewMalformed(name, "type", "must be a whole number") }

const space = " \t\r\n"

// members yields the names and the undecoded values of a valid JSON object.
func members(data []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		next := func() []byte {
			data = bytes.TrimLeft(data[1:], space) // after { : or ,
			n := valueEnd(data)
			value := data[:n]
			data = bytes.TrimLeft(data[n:], space)
			return value
		}
		for data[0] != '}' {
			quoted := next()
			if len(quoted) == 0 {
				return // the object is empty
			}
			name := string(quoted[1 : len(quoted)-1])
			if bytes.IndexByte(quoted, '\\') >= 0 {
				_ = json.Unmarshal(quoted, &name) // it is valid
			}
			if !yield(name, next()) {
				return
			}
		}
	}
}

// valueEnd returns the length of the value that valid JSON begins with: up to the first delimiter that is neither in a string
// nor in brackets.
func valueEnd(data []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch b := data[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{' || b == '[':
			depth++
		case depth == 0 && bytes.IndexByte([]byte(space+",:}]"), b) >= 0:
			return i
		case b == '}' || b == ']':
			depth--
		}
	}
	return len(data)
}
