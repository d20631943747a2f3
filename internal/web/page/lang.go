package page

import "golang.org/x/text/language"

// Lang is a language that the pages speak, as an HTML lang attribute.
type Lang string

// The languages.
const (
	Korean  Lang = "ko"
	English Lang = "en"
)

// Langs returns the languages; the first is for whoever understands neither.
func Langs() []Lang { return []Lang{Korean, English} }

// ReadLang returns the language of that name, and whether there is one.
func ReadLang(text string) (Lang, bool) {
	for _, lang := range Langs() {
		if string(lang) == text {
			return lang, true
		}
	}
	return "", false
}

var matcher = language.NewMatcher([]language.Tag{language.Korean, language.English})

// Accepted returns the language that suits an Accept-Language header best.
func (s *Site) Accepted(header string) Lang {
	lang, _ := s.kept.accepted.Get(header, func() (Lang, int, error) { return accepted(header), len(header), nil }) // which cannot fail
	return lang
}

func accepted(header string) Lang {
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil || len(tags) == 0 {
		return Korean
	}
	_, i, _ := matcher.Match(tags...)
	return Langs()[i]
}
