package web

import (
	"time"
	"unicode/utf8"

	"github.com/neticket/neticket/internal/web/memo"
)

// listJSON is the answer to a list or a search.
type listJSON struct {
	Shows      []showJSON `json:"shows"`
	NextCursor *string    `json:"next_cursor"` // null: this is the last page
}

// showText is what the text of a show in JSON is made of. It is the key under which that is kept, so no change is ever missed.
type showText struct {
	id, price                                   int64
	title, venue, description, image, alt, zone string
	starts, opens, closes                       time.Time
}

// keptTexts is what the texts of shows in JSON may take, in bytes: those of some ten thousand shows.
const keptTexts = 16 << 20

// showTexts keeps the texts of shows in JSON: to look for what has to be escaped takes most of the time of a list.
type showTexts struct{ kept *memo.Cache[showText, []byte] }

func newShowTexts() showTexts { return showTexts{memo.New[showText, []byte](keptTexts)} }

// appendShow appends s as encoding/json would.
func (t showTexts) appendShow(to []byte, s *showJSON) []byte {
	key := showText{
		id: s.ID, price: s.Price, title: s.Title, venue: s.Venue, description: s.Description, alt: s.ImageAlt, zone: s.TimeZone,
		starts: s.StartsAt, opens: s.SalesOpenAt, closes: s.SalesCloseAt,
	}
	if s.ImageURL != nil {
		key.image = *s.ImageURL
	}
	text, _ := t.kept.Get(key, func() ([]byte, int, error) { // which cannot fail
		text := s.appendText(nil)
		return text, len(text), nil
	})
	return s.appendStock(append(to, text...))
}

// appendList appends l as encoding/json would; see encode.go.
func (t showTexts) appendList(to []byte, l *listJSON) []byte {
	to = append(to, `{"shows":[`...)
	for i := range l.Shows {
		if i > 0 {
			to = append(to, ',')
		}
		to = t.appendShow(to, &l.Shows[i])
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
