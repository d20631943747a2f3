package page

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
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
