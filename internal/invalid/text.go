package invalid

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns text trimmed, and adds what is wrong with it: fewer than least characters, or nothing to see where there must be
// something; more than most; or characters that Plain refuses, but for those in also.
func (e *Error) Text(field, text string, least, most int, also string) string {
	text = strings.TrimSpace(text)
	switch n := utf8.RuneCountInString(text); {
	case strings.ContainsRune(text, utf8.RuneError): // what is not UTF-8 reads as this, too
		e.Add(field, "characters", "must be valid UTF-8")
	case n < least || least > 0 && !strings.ContainsFunc(text, visible):
		e.Add(field, "required", "must not be empty")
	case n > most:
		e.Add(field, "too_long", fmt.Sprintf("must have at most %d characters", most))
	case !Plain(text, also):
		e.Add(field, "characters", "must have no control or bidirectional characters")
	}
	return text
}

// Plain says whether text is UTF-8 without characters that break lines or make others look like something else, but for those in
// also.
func Plain(text, also string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) && !strings.ContainsRune(also, r)
	})
}

// visible says whether a character shows by itself. Some letters do not, and the last is a Braille cell without dots.
func visible(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) && r != '\u2800'
}
