package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/neticket/neticket/internal/invalid"
)

// maxBody is the most that a JSON body may have, in bytes.
const maxBody = 64 << 10

// readBody decodes the request's body, one JSON object, into the fields of the struct that into points to, each named by its
// json tag. It takes less than encoding/json does: no other names, whatever their case, none twice, no null but for
// pointers, nothing behind the object. Of a value that has the right type but cannot be understood, such as a time that is
// none, it returns an *invalid.Error.
func readBody(c echo.Context, into any) error {
	if h := c.Request().Header; !isJSON(h.Get(echo.HeaderContentType)) || encoded(h) {
		return errMediaType
	}
	data, err := readAll(c)
	if err != nil {
		return err
	}
	return decodeObject(data, into)
}

// readNothing refuses a body that says something, where all there is to say stands in the URL. Of what type it is does not matter:
// who sends a form has something in mind, too.
func readNothing(c echo.Context) error {
	data, err := readAll(c)
	if err != nil || len(bytes.TrimLeft(data, space)) == 0 {
		return err
	}
	return decodeObject(data, new(struct{}))
}

func readAll(c echo.Context) ([]byte, error) {
	// Given the server's own ResponseWriter, MaxBytesReader also ends the connection of who sends too much.
	data, err := io.ReadAll(http.MaxBytesReader(c.Response().Writer, c.Request().Body, maxBody))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, errTooLarge
		}
		return nil, malformed("", "incomplete", "the body could not be read to its end")
	}
	return data, nil
}

// encoded says whether a body is compressed, which nobody asked for.
func encoded(h http.Header) bool {
	encoding := h.Get(echo.HeaderContentEncoding)
	return encoding != "" && !strings.EqualFold(encoding, "identity")
}

func isJSON(contentType string) bool {
	if contentType == echo.MIMEApplicationJSON {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == echo.MIMEApplicationJSON
}

func decodeObject(data []byte, into any) error {
	data = bytes.TrimLeft(data, space)
	switch {
	case !utf8.Valid(data) || !json.Valid(data):
		return malformed("", "syntax", "the body is not JSON")
	case data[0] != '{':
		return malformed("", "type", "the body must be a JSON object")
	}
	fields := reflect.ValueOf(into).Elem()
	var seen uint64 // a bit per field
	for name, raw := range members(data) {
		i := fieldNamed(fields.Type(), name)
		if i < 0 {
			return malformed(name[:min(len(name), 100)], "unknown", "there is no such field")
		}
		if seen&(1<<i) != 0 {
			return malformed(name, "repeated", "must be given once")
		}
		seen |= 1 << i
		if err := decodeField(name, raw, fields.Field(i)); err != nil {
			return err
		}
	}
	return nil
}

func fieldNamed(of reflect.Type, name string) int {
	for i := range of.NumField() {
		if of.Field(i).Tag.Get("json") == name {
			return i
		}
	}
	return -1
}

func decodeField(name string, raw []byte, field reflect.Value) error {
	target := field.Type()
	if target.Kind() == reflect.Pointer {
		target = target.Elem()
	} else if string(raw) == "null" {
		return malformed(name, "type", "must not be null")
	}
	err := json.Unmarshal(raw, field.Addr().Interface())
	if err == nil {
		return nil
	}
	var bad invalid.Error
	switch isTime := target == reflect.TypeFor[time.Time](); {
	case isTime && raw[0] == '"':
		bad.Add(name, "format", "must be a time such as 2026-05-03T10:00:00Z")
	case target.Kind() == reflect.Int || target.Kind() == reflect.Int64:
		if len(bytes.Trim(raw, "-0123456789")) > 0 {
			return malformed(name, "type", "must be a whole number")
		}
		bad.Add(name, "out_of_range", "is too large a number")
	case isTime || target.Kind() == reflect.String:
		return malformed(name, "type", "must be a string")
	default:
		return malformed(name, "type", "must be a "+target.Kind().String())
	}
	return &bad
}

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
