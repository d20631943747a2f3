package showlist

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/neticket/neticket/internal/invalid"
)

// Fault is a fault of a line.
type Fault struct {
	Line int `json:"line"`
	invalid.Field
}

// String names the line and the field.
func (f Fault) String() string {
	if f.Field.Field == "" {
		return fmt.Sprintf("%d: %s", f.Line, f.Message)
	}
	name := f.Field.Field
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) { // it would disturb a terminal
		name = strconv.Quote(name)
	}
	return fmt.Sprintf("%d: %s: %s", f.Line, name, f.Message)
}

// Faults are what is wrong with a list.
type Faults struct {
	List  []Fault // in the order of lines, not more than maxFaults
	Total int
	Lines int // that have one or more

	last int
}

// Error tells how many there are.
func (f *Faults) Error() string { return fmt.Sprintf("%d faults in %d lines", f.Total, f.Lines) }

// add notes what is wrong with a line.
func (f *Faults) add(line int, err error) {
	fields := []invalid.Field{{Message: err.Error()}}
	if bad, ok := errors.AsType[*invalid.Error](err); ok {
		fields = bad.Fields
	} else if bad, ok := errors.AsType[*invalid.Malformed](err); ok {
		fields = []invalid.Field{bad.Fault()}
	}
	for _, field := range fields {
		if f.Total++; len(f.List) < maxFaults {
			f.List = append(f.List, Fault{line, field})
		}
	}
	if line != f.last {
		f.last = line
		f.Lines++
	}
}
