// Package invalid says what is wrong with the fields of a request that is well-formed but not allowed. Every package
// that checks input returns its *Error; the web package alone turns it into an answer.
package invalid

import "strings"

// Field is one fault of one field.
type Field struct {
	Field   string `json:"field"`   // as the client spells it, such as "units"
	Code    string `json:"code"`    // a stable word, such as "too_large"
	Message string `json:"message"` // a sentence for people
}

// Error lists every fault of a request. Its zero value has none.
type Error struct {
	Fields []Field
}

// Add notes one more fault.
func (e *Error) Add(field, code, message string) {
	e.Fields = append(e.Fields, Field{Field: field, Code: code, Message: message})
}

// OrNil returns e when it holds a fault, else nil, for use as an error.
func (e *Error) OrNil() error {
	if len(e.Fields) == 0 {
		return nil
	}
	return e
}

// Error names every field with its fault.
func (e *Error) Error() string {
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = f.Field + ": " + f.Message
	}
	return "invalid: " + strings.Join(parts, "; ")
}
