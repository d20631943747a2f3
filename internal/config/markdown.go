package config

import (
	"fmt"
	"strings"
)

// Markdown returns the table of all settings for docs/configuration.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| name | default | of | meaning |\n|---|---|---|---|\n")
	for _, s := range settings() {
		name, def := "`"+s.name+"`", "-"
		if s.secret {
			name += ", or `" + s.name + fileSuffix + "`"
		}
		switch {
		case s.required:
			def = "none: required"
		case s.def != "":
			def = "`" + s.def + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, def, s.processes(), s.doc)
	}
	return b.String()
}

func (s setting) processes() string {
	if len(s.of) == 4 {
		return "all"
	}
	names := make([]string, len(s.of))
	for i, role := range s.of {
		names[i] = string(role)
	}
	return strings.Join(names, ", ")
}
