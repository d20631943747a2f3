package web

import "unicode/utf8"

// listJSON is the answer to a list or a search.
type listJSON struct {
	Shows      []showJSON `json:"shows"`
	NextCursor *string    `json:"next_cursor"` // null: this is the last page
}

// appendJSON appends l as encoding/json would; see encode.go.
func (l *listJSON) appendJSON(to []byte) []byte {
	to = append(to, `{"shows":[`...)
	for i := range l.Shows {
		if i > 0 {
			to = append(to, ',')
		}
		to = l.Shows[i].appendJSON(to)
	}
	to = append(to, `],"next_cursor":`...)
	return append(appendOptional(to, l.NextCursor, appendString), '}')
}

// appendEscaped appends a string that holds something to escape, such as the ends of lines of a description: a list has many.
func appendEscaped(to []byte, s string) []byte {
	to = append(to, '"')
	from := 0 // what is before it was appended
	for i := 0; i < len(s); {
		size := 1
		if s[i] >= utf8.RuneSelf {
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			if bad := r == utf8.RuneError && size == 1; bad || r == '\u2028' || r == '\u2029' {
				to = appendEscape(append(to, s[from:i]...), r)
				from = i + size
			}
		} else if b := s[i]; b < ' ' || b == '"' || b == '\\' || b == '<' || b == '>' || b == '&' {
			to = appendEscape(append(to, s[from:i]...), rune(b))
			from = i + 1
		}
		i += size
	}
	return append(append(to, s[from:]...), '"')
}

func appendEscape(to []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(to, '\\', byte(r))
	case '\n':
		return append(to, `\n`...)
	case '\r':
		return append(to, `\r`...)
	case '\t':
		return append(to, `\t`...)
	case '\b':
		return append(to, `\b`...)
	case '\f':
		return append(to, `\f`...)
	}
	const digits = "0123456789abcdef"
	return append(to, '\\', 'u', digits[r>>12], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}
