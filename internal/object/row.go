package object

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/neticket/neticket/internal/invalid"
)

// CheckColumns returns an *invalid.Malformed where a column names no field of the struct that into points to, or one twice.
func CheckColumns(columns []string, into any) error {
	for i, column := range columns {
		if _, ok := fieldNamed(into, column); !ok {
			return unknown(column)
		}
		if slices.Contains(columns[:i], column) {
			return repeated(column)
		}
	}
	return nil
}

// DecodeRow does with a row of a table what Decode does with an object. The columns are checked, and the row has a cell for each. An
// empty cell is a field that is not given; spaces around anything but a text do not count.
func DecodeRow(columns, cells []string, into any) error {
	var bad invalid.Error
	for i, cell := range cells {
		f, ok := fieldNamed(into, columns[i])
		switch {
		case !ok:
			return unknown(columns[i])
		case cell == "":
			continue
		case !utf8.ValidString(cell):
			bad.Add(f.name, "characters", "must be valid UTF-8")
			continue
		case f.value.Kind() == reflect.String:
			f.value.SetString(cell)
			continue
		}
		raw := []byte(strings.TrimSpace(cell))
		if kind := f.target().Kind(); kind == reflect.Struct || kind == reflect.String { // a struct is a time
			raw, _ = json.Marshal(string(raw)) // a string can be
		} else if !json.Valid(raw) {
			return notWhole(f.name)
		}
		if err := f.set(raw, &bad); err != nil {
			return err
		}
	}
	return bad.OrNil()
}
