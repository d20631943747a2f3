package showlist

import (
	"bytes"

	"github.com/neticket/neticket/internal/invalid"
	"github.com/neticket/neticket/internal/object"
)

// readJSON reads JSON lines; blank ones do not count.
func (l *list) readJSON(data []byte) {
	number := 0
	for line := range bytes.Lines(data) {
		number++
		switch line = bytes.TrimSpace(line); {
		case len(line) == 0 || l.tooLong(number, len(line)):
		case line[0] == '[':
			l.faults.add(number, invalid.NewMalformed("", "type", "must be one JSON object a line, without brackets around them"))
			return // the others could only be what is within
		default:
			var s Show
			err := object.Decode(line, &s)
			l.add(number, s, err)
		}
	}
}
