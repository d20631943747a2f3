// Package invalid says what is wrong with input: with the fields of what is well-formed but not allowed, or with what is not even
// well-formed. Every package that checks input returns its errors; the web package turns them into an answer, the operator's tool
// into lines.
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

// Malformed says that input does not have the form that is described, so that its other fields were not looked at.
type Malformed Field

// NewMalformed returns a Malformed. The field is empty where it is not one alone that is wrong.
func NewMalformed(field, code, message string) *Malformed {
	return &Malformed{Field: field, Code: code, Message: message}
}

// Fault returns it as a fault of a field.
func (m *Malformed) Fault() Field { return Field(*m) }

// Error names the field with its fault.
func (m *Malformed) Error() string { return "malformed: " + m.Field + ": " + m.Message }
