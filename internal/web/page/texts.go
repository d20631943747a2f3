package page

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"strings"
	"time"
)

//go:embed texts/*.json
var textFiles embed.FS

// texts are those of a language, by key. What stands in braces in a text is replaced by the argument of that name.
type texts map[string]string

func readTexts(lang Lang) texts {
	data, err := textFiles.ReadFile("texts/" + string(lang) + ".json")
	if err != nil {
		panic(err)
	}
	t := texts{}
	if err := json.Unmarshal(data, &t); err != nil {
		panic(fmt.Errorf("read the texts in %s: %w", lang, err))
	}
	return t
}

// say returns the text of a key, with its arguments: pairs of a name and a value.
func (t texts) say(key string, args ...any) (string, error) {
	text, ok := t[key]
	if !ok {
		return "", fmt.Errorf("there is no text %q", key)
	}
	for i := 0; i+1 < len(args); i += 2 {
		text = strings.ReplaceAll(text, "{"+fmt.Sprint(args[i])+"}", fmt.Sprint(args[i+1]))
	}
	return text, nil
}

// count is say for a number of things: the text of key.one where there is one, else that of key.other, with the number as {n}.
func (t texts) count(key string, n int, args ...any) (string, error) {
	which := ".other"
	if n == 1 {
		which = ".one"
	}
	return t.say(key+which, append([]any{"n", group(int64(n))}, args...)...)
}

// functions are what templates of a language can call.
func (s *Site) functions(lang Lang) template.FuncMap {
	t := s.texts[lang]
	return template.FuncMap{
		"t":       t.say,
		"count":   t.count,
		"has":     func(key string) bool { _, ok := t[key]; return ok },
		"langs":   Langs,
		"states":  states,
		"asset":   s.Files.URL,
		"group":   func(n any) (string, error) { return groupAny(n) },
		"won":     func(n int64) (string, error) { return t.won(n) },
		"when":    func(at time.Time, in string) string { return lang.when(at.In(s.atlas.zone(in))) },
		"iso":     iso,
		"ms":      millis,
		"dict":    dict,
		"switch":  switchLang,
		"poster":  PosterURL,
		"text":    paragraphs,
		"inWidth": inWidth,
		"qr":      drawQR,

		"adminPages": adminPages,
		"zones":      zones,

		"moment": Moment,
		"span":   t.span,
		"pace":   pace,
		"signed": signed,
		"size":   megabytes,
	}
}
